//! The packages that an R script loads, read without running it: `library(x)`, `require("x")`, `x::f`.

/// One package that a script names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load {
    /// The package.
    pub package: String,
    /// Whether the script stops without it.
    pub is_certain: bool,
}

/// Most words of one script that are looked at.
const MAX_WORDS: usize = 200_000;

/// The packages that a script loads, by name.
pub fn loads(source: &[u8]) -> Vec<Load> {
    let text = String::from_utf8_lossy(source);
    let words = words(&text);
    let mut found: Vec<Load> = words
        .windows(3)
        .filter_map(|window| {
            let (package, is_certain) = match window {
                [Word::Name(call), Word::Sign('('), Word::Text(name)] => (name, certainty(call)?),
                [Word::Name(call), Word::Sign('('), Word::Name(name)] => (
                    name,
                    certainty(call).filter(|_| !call.ends_with("Namespace"))?,
                ),
                [Word::Name(name), Word::Sign(':'), Word::Sign(':')] => (name, true),
                _ => return None,
            };
            is_package_name(package).then(|| Load {
                package: (*package).to_owned(),
                is_certain,
            })
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    // A package that is needed for certain somewhere sorts behind its uncertain twin.
    let mut all: Vec<Load> = Vec::new();
    for load in found {
        match all.last_mut().filter(|last| last.package == load.package) {
            Some(last) => *last = load,
            None => all.push(load),
        }
    }
    all
}

/// Whether a call that loads packages fails without them; `None` for other calls.
fn certainty(call: &str) -> Option<bool> {
    match call {
        "library" | "loadNamespace" => Some(true),
        "require" | "requireNamespace" => Some(false),
        _ => None,
    }
}

/// As "Writing R Extensions" says: letters, digits and dots, two at least, the first a letter.
fn is_package_name(name: &str) -> bool {
    name.len() >= 2
        && name.len() < 100
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
}

#[derive(Debug, PartialEq, Eq)]
enum Word<'a> {
    Name(&'a str),
    Text(&'a str),
    Sign(char),
}

/// Names, strings and signs, without comments and white space.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if words.len() > MAX_WORDS {
            break;
        }
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_');
        let used = match c {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' | '`' => {
                let (inner, used) = quoted(rest, c);
                words.push(Word::Text(inner));
                used
            }
            _ if is_name(c) => {
                let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                words.push(Word::Name(&rest[..end]));
                end
            }
            _ => {
                if !c.is_whitespace() {
                    words.push(Word::Sign(c));
                }
                c.len_utf8()
            }
        };
        rest = &rest[used..];
    }
    words
}

/// What stands between quotes, and how long it is with them; a backslash hides the character behind it.
fn quoted(text: &str, quote: char) -> (&str, usize) {
    let mut is_hidden = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_hidden => is_hidden = false,
            '\\' => is_hidden = true,
            _ if c == quote => return (&text[1..at], at + 1),
            _ => {}
        }
    }
    (&text[1..], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packages_are_found_in_calls_and_before_double_colons() {
        let source = "library(MASS) # library(no)\nif (require('lme4')) x <- Matrix::rowSums(m)\n\
            suppressMessages(library(\"data.table\"))\nprint(\"library(never)\")\nrequireNamespace(variable)\n\
            lme4:::internal(1:2)\nloadNamespace('jsonlite')\n";
        let shown: Vec<String> = loads(source.as_bytes())
            .iter()
            .map(|load| format!("{} {}", load.package, load.is_certain))
            .collect();
        assert_eq!(
            shown,
            [
                "MASS true",
                "Matrix true",
                "data.table true",
                "jsonlite true",
                "lme4 true"
            ]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(library\\(|::|é|\\\\|'|\"|`|#|\n|[a-z.()]){0,40}") {
            let _ = loads(text.as_bytes());
        }
    }
}
