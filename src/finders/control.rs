//! Reads records of `Field: value` lines in the style of Debian's control files: `DESCRIPTION` of R and Octave packages.

/// A field's value, lines joined; empty where there is none.
pub fn field(text: &[u8], name: &[u8]) -> String {
    let mut value = Vec::new();
    let mut is_in = false;
    for line in text.split(|&byte| byte == b'\n') {
        if line.first().is_some_and(u8::is_ascii_whitespace) {
            if is_in {
                value.push(b' ');
                value.extend(line.trim_ascii());
            }
            continue;
        }
        is_in = line
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(b":"))
            .inspect(|rest| value.extend(rest.trim_ascii()))
            .is_some();
    }
    String::from_utf8_lossy(&value).trim().to_owned()
}

/// Most names of one field.
const MAX_NAMES: usize = 500;

/// The names of a list like `io (>= 1.0.7), struct`, without those that nobody would give.
pub fn names(list: &str) -> Vec<String> {
    let parts = list.split(',').take(MAX_NAMES);
    let names = parts.map(|part| part.split('(').next().unwrap_or_default().trim());
    let names = names.filter(|name| !name.is_empty() && name.len() < 100);
    names.map(str::to_owned).collect()
}
