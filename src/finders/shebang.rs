//! Scripts need the interpreter of their first line.

use super::{Head, Scan};
use crate::job::Cancelled;
use crate::model::Evidence;

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    for file in scan.tree().ids() {
        let Head::Script(line) = &scan.facts.heads[file.index()] else {
            continue;
        };
        scan.check()?;
        let because = scan.because(file, Evidence::Read);
        for program in words(line) {
            scan.program(because, program);
        }
    }
    Ok(())
}

/// The programs that a `#!` line names: the interpreter, and behind `env` the program that it starts.
pub fn words(line: &[u8]) -> Vec<&[u8]> {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let Some(interpreter) = words.next() else {
        return Vec::new();
    };
    let mut found = vec![interpreter];
    let name = interpreter.rsplit(|&byte| byte == b'/').next();
    if name == Some(b"env") {
        found.extend(started_by_env(words));
    }
    found
}

/// Skips env's options and settings: `-S`, `-i`, `-u NAME`, `A=b`.
fn started_by_env<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    while let Some(word) = words.next() {
        match word {
            b"-u" | b"-C" | b"--unset" | b"--chdir" => {
                words.next();
            }
            _ if word.starts_with(b"-S") && word.len() > 2 => return Some(&word[2..]),
            _ if word.starts_with(b"-") || word.contains(&b'=') => {}
            _ => return Some(word),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_and_what_env_starts_are_found() {
        for (line, expected) in [
            ("/bin/sh -e", vec!["/bin/sh"]),
            ("/usr/bin/env python3", vec!["/usr/bin/env", "python3"]),
            (
                "/usr/bin/env -S A=1 -u B perl -w",
                vec!["/usr/bin/env", "perl"],
            ),
            ("/usr/bin/env -Sruby", vec!["/usr/bin/env", "ruby"]),
            ("/usr/bin/env", vec!["/usr/bin/env"]),
            ("", vec![]),
        ] {
            let found: Vec<String> = words(line.as_bytes())
                .into_iter()
                .map(|word| String::from_utf8_lossy(word).into_owned())
                .collect();
            assert_eq!(found, expected, "{line}");
        }
    }
}
