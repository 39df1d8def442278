//! The imports of a Python source, and the names in its strings, read without running it.
//!
//! Comments are skipped, lines in brackets joined; what stands under `if TYPE_CHECKING:` never runs and is left out. An
//! import inside a function or a `try` counts: nobody can say whether it will run.

/// What a source says.
#[derive(Debug, Default)]
pub struct Said {
    /// Its imports.
    pub imports: Vec<Import>,
    /// Strings of one line that are an absolute path or a dotted name.
    pub names: Vec<String>,
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// How many leading dots: 0 for an absolute import.
    pub dots: usize,
    /// The module: `scipy.linalg`; empty for `from . import x`.
    pub module: String,
    /// The names behind `from ... import`, which may be modules too.
    pub names: Vec<String>,
    /// Whether it stands inside something: a function, a `try`, an `if`.
    pub is_inner: bool,
}

/// Most imports of one file, and most names.
const MAX_IMPORTS: usize = 2000;

/// Reads a source.
pub fn read(source: &[u8]) -> Said {
    let (lines, names) = logical_lines(source);
    Said {
        imports: imports(lines),
        names,
    }
}

fn imports(lines: Vec<String>) -> Vec<Import> {
    let mut found = Vec::new();
    let mut skipped_indent = None;
    for line in lines {
        let indent = line.len() - line.trim_start().len();
        if skipped_indent.is_some_and(|outer| indent > outer) {
            continue;
        }
        skipped_indent = None;
        let statement = line.trim();
        if statement.starts_with("if ") && statement.contains("TYPE_CHECKING") {
            skipped_indent = Some(indent);
            continue;
        }
        for part in statement.split(';') {
            let inner = after_colon(part.trim());
            let is_inner = indent > 0 || inner.len() < part.trim().len();
            let imports = statement_imports(inner).into_iter();
            found.extend(imports.map(|import| Import { is_inner, ..import }));
        }
        if found.len() > MAX_IMPORTS {
            break;
        }
    }
    found
}

/// What follows the colon of a compound statement on one line: `try: import x`.
fn after_colon(statement: &str) -> &str {
    [": import ", ": from "]
        .iter()
        .find_map(|mark| statement.find(mark))
        .map_or(statement, |at| &statement[at + 2..])
}

fn statement_imports(statement: &str) -> Vec<Import> {
    if let Some(rest) = statement.strip_prefix("import ") {
        return rest
            .split(',')
            .filter_map(|part| name(part.split_whitespace().next()?))
            .map(|module| Import {
                dots: 0,
                module,
                names: Vec::new(),
                is_inner: false,
            })
            .collect();
    }
    let from = statement.strip_prefix("from ").and_then(|rest| {
        let (module, names) = rest.split_once(" import")?;
        let module = module.trim();
        let bare = module.trim_start_matches('.');
        Some(Import {
            dots: module.len() - bare.len(),
            module: if bare.is_empty() {
                String::new()
            } else {
                name(bare)?
            },
            names: names
                .split([',', '(', ')'])
                .filter_map(|part| name(part.split_whitespace().next()?))
                .collect(),
            is_inner: false,
        })
    });
    from.into_iter().collect()
}

/// A dotted name, or nothing.
fn name(text: &str) -> Option<String> {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    (text.len() <= 255 && text.split('.').all(is_part)).then(|| text.to_owned())
}

/// A string that names a file by its path, or a module.
fn names_something(text: &str) -> bool {
    let is_path = || {
        let is_plain = |c: char| !c.is_whitespace() && !"*?{}%$<>|:".contains(c);
        text.starts_with('/') && text.matches('/').count() > 1 && text.chars().all(is_plain)
    };
    let is_dotted = || {
        let mut parts = text.split('.');
        let is_word = |part: &str| part.starts_with(|c: char| c.is_alphabetic() || c == '_');
        text.contains('.') && parts.all(is_word) && name(text).is_some()
    };
    text.len() <= 255 && (is_path() || is_dotted())
}

/// Lines with strings and comments taken out, joined within brackets and after a backslash; and the strings that name something.
fn logical_lines(source: &[u8]) -> (Vec<String>, Vec<String>) {
    let text = String::from_utf8_lossy(source);
    let mut names = Vec::new();
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut depth = 0usize;
    let mut rest = text.as_ref();
    while let Some(c) = rest.chars().next() {
        let mut used = c.len_utf8();
        match c {
            '#' => used = rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => {
                used = string_len(rest);
                let inside = rest[1..used].trim_end_matches(c);
                if names.len() < MAX_IMPORTS && names_something(inside) {
                    names.push(inside.to_owned());
                }
                line.push('_');
            }
            '\\' if rest[1..].starts_with('\n') => used = 2,
            '\n' if depth == 0 => lines.push(std::mem::take(&mut line)),
            '\n' | '\r' => line.push(' '),
            _ => {
                match c {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                line.push(c);
            }
        }
        rest = &rest[used..];
    }
    lines.push(line);
    (lines, names)
}

/// The length of the string literal at the start, to its end or, where it has none, to the end of the line.
fn string_len(text: &str) -> usize {
    let quote = &text[..1];
    let triple = [quote, quote, quote].concat();
    let (start, end) = if text.starts_with(&triple) {
        (3, triple.as_str())
    } else {
        (1, quote)
    };
    let bytes = text.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\n' if start == 1 => return at,
            _ if bytes[at..].starts_with(end.as_bytes()) => return at + end.len(),
            _ => at += 1,
        }
    }
    // A cut may have fallen behind a backslash within a character.
    (bytes.len().min(at)..=bytes.len())
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(source: &str) -> Vec<String> {
        read(source.as_bytes())
            .imports
            .iter()
            .map(|import| {
                format!(
                    "{}{}:{}",
                    ".".repeat(import.dots),
                    import.module,
                    import.names.join("+")
                )
            })
            .collect()
    }

    #[test]
    fn what_stands_inside_something_is_marked() {
        let inner: Vec<bool> = read(b"import a\ntry: import b\nif x:\n import c\n")
            .imports
            .iter()
            .map(|import| import.is_inner)
            .collect();
        assert_eq!(inner, [false, true, true]);
    }

    #[test]
    fn imports_are_found_wherever_they_may_run() {
        let source = "\"\"\"Doc\nimport no\n\"\"\"\nimport os, numpy.linalg as la # import no\n\
            from . import (a,\n  b as c)\nfrom ..x.y import *\ntry: import z\nexcept ImportError: pass\n\
            def f():\n    from scipy import optimize; import t\nif TYPE_CHECKING:\n    import never\n\
            s = 'import no'\nimport \\\n  last\nfoo(r'\\'', 'x')\nfrom q import w";
        assert_eq!(
            shown(source),
            [
                "os:",
                "numpy.linalg:",
                ".:a+b",
                "..x.y:",
                "z:",
                "scipy:optimize",
                "t:",
                "last:",
                "q:w"
            ]
        );
    }

    #[test]
    fn strings_that_name_a_path_or_a_module_are_found() {
        let source = "'''/usr/no\n'''\nx = {'pdf': 'a.backends.pdf', \"b\": '/usr/share/x/data'} # '/usr/no'\n\
            f('/top', 'one', '1.5', 'a..b', 'two words.x', '/a/{}', '/a/b c', r'/etc/x/y', '', '/é/é')";
        let names = read(source.as_bytes()).names;
        assert_eq!(
            names,
            ["a.backends.pdf", "/usr/share/x/data", "/etc/x/y", "/é/é"]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(
            prop_oneof![Just(b'"'), Just(b'\''), Just(b'\\'), Just(b'\n'), Just(b'('), Just(0xc3u8), any::<u8>()], 0..120)) {
            let _ = read(&bytes);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "(import |from |\\\\|'|\"|é|\n|[a-z.,:;()]){0,40}") {
            let _ = read(text.as_bytes());
        }
    }
}
