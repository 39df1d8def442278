//! Unit files as systemd.syntax(7) has them: sections, settings, lines that go on; and command lines.

/// One `Key=value` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The section's name without brackets.
    pub section: Vec<u8>,
    /// Before the `=`.
    pub key: Vec<u8>,
    /// After it, lines that go on joined by a space.
    pub value: Vec<u8>,
    /// 1-based line on which it starts.
    pub line: u32,
}

/// Most settings of one file that are looked at.
const MAX_SETTINGS: usize = 4096;

/// Longest name of a section: each of its settings has a copy.
const MAX_SECTION: usize = 256;

/// All settings of a unit file in order; what is none is skipped.
pub fn settings(text: &[u8]) -> Vec<Setting> {
    let mut found = Vec::new();
    let mut section = Vec::new();
    let mut lines = (1..).zip(text.split(|&byte| byte == b'\n'));
    while let Some((number, line)) = lines.next() {
        let line = line.trim_ascii();
        if line.is_empty() || is_comment(line) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix(b"[")
            .and_then(|line| line.strip_suffix(b"]"))
        {
            section = name[..name.len().min(MAX_SECTION)].to_vec();
            continue;
        }
        let mut whole = line.to_vec();
        while whole.last() == Some(&b'\\') {
            whole.pop();
            whole.push(b' ');
            match lines.next().map(|(_, line)| line.trim_ascii()) {
                Some(next) if is_comment(next) => whole.push(b'\\'),
                Some(next) => whole.extend(next),
                None => break,
            }
        }
        if let Some(at) = whole.iter().position(|&byte| byte == b'=')
            && found.len() < MAX_SETTINGS
        {
            found.push(Setting {
                section: section.clone(),
                key: whole[..at].trim_ascii().to_vec(),
                value: whole[at + 1..].trim_ascii().to_vec(),
                line: number,
            });
        }
    }
    found
}

fn is_comment(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'#' | b';'))
}

/// One command of an `Exec...=` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Whether its failure is ignored (the prefix `-`).
    pub is_optional: bool,
    /// The program and its arguments, unquoted.
    pub words: Vec<Vec<u8>>,
}

/// The commands of an `Exec...=` value: prefixes taken off, split at lone semicolons.
pub fn commands(value: &[u8]) -> Vec<Command> {
    let words = words(value);
    let parts = words.split(|word| word == b";");
    parts
        .filter_map(|words| {
            let (first, rest) = words.split_first()?;
            let start = first.iter().position(|byte| !b"@-:+!|".contains(byte))?;
            let (prefix, program) = first.split_at(start);
            // After `@` the second word is only what the program is told that it is called.
            let rest = rest.get(usize::from(prefix.contains(&b'@'))..);
            let arguments = rest.unwrap_or_default();
            Some(Command {
                is_optional: prefix.contains(&b'-'),
                words: std::iter::once(program.to_vec())
                    .chain(arguments.iter().cloned())
                    .collect(),
            })
        })
        .collect()
}

/// Words between blanks; quotes group, a backslash takes the next byte as it is.
pub fn words(value: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (_, b'\\') => word.get_or_insert_default().extend(bytes.next()),
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, _) if byte.is_ascii_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &[Vec<u8>]) -> Vec<String> {
        words
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect()
    }

    #[test]
    fn settings_have_sections_comments_and_lines_that_go_on() {
        let all = settings(b"# x\nOld=1\n[Unit]\nAfter = a \\\n# no\n b\n;c\nnothing\n[Service]\nExecStart=/bin/x \\\n");
        let shown: Vec<String> = all
            .iter()
            .map(|setting| {
                let part = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let (section, key) = (part(&setting.section), part(&setting.key));
                let (line, value) = (setting.line, part(&setting.value));
                format!("{line} {section}.{key}={value}")
            })
            .collect();
        assert_eq!(
            shown,
            [
                "2 .Old=1",
                "4 Unit.After=a   b",
                "10 Service.ExecStart=/bin/x"
            ]
        );
    }

    #[test]
    fn commands_lose_their_prefixes_and_quotes() {
        for (value, expected) in [
            ("/bin/a -x", vec![(false, vec!["/bin/a", "-x"])]),
            ("-+/bin/a", vec![(true, vec!["/bin/a"])]),
            ("@/bin/a called b", vec![(false, vec!["/bin/a", "b"])]),
            (
                "a 'b c' \"d\\\"e\" ; f",
                vec![(false, vec!["a", "b c", "d\"e"]), (false, vec!["f"])],
            ),
            ("", vec![]),
            ("-", vec![]),
            ("@/bin/a", vec![(false, vec!["/bin/a"])]),
        ] {
            let found: Vec<(bool, Vec<String>)> = commands(value.as_bytes())
                .iter()
                .map(|command| (command.is_optional, text(&command.words)))
                .collect();
            let expected: Vec<(bool, Vec<String>)> = expected
                .into_iter()
                .map(|(is_optional, words)| {
                    let words = words.into_iter().map(str::to_owned).collect();
                    (is_optional, words)
                })
                .collect();
            assert_eq!(found, expected, "{value}");
        }
    }
}
