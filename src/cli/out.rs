//! What commands print: whole texts on standard output, safe for a terminal.

use crate::model::text::escape;
use serde::Serialize;
use std::io::{self, Write as _};

/// The reader of our standard output is gone: nothing is wrong, and nobody is left to tell.
#[derive(Debug, thiserror::Error)]
#[error("the reader of the output is gone")]
pub struct ReaderGone;

/// Prints a text to standard output.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        Err(error) => Err(anyhow::Error::new(error).context("cannot write to standard output")),
    }
}

/// Prints a value as JSON: fields in the order of their declaration, two blanks a level, a newline at the end.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}

/// Makes a text that may hold a name of the host's or of a profile safe; a backslash stays single.
pub fn safe(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let parts: Vec<_> = line
                .split('\\')
                .map(|part| escape(part.as_bytes()))
                .collect();
            parts.join("\\")
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_become_visible_and_backslashes_stay() {
        assert_eq!(
            safe("a\\x1b\x1b[31m\nb\u{202e}"),
            "a\\x1b\\x1b[31m\nb\\xe2\\x80\\xae"
        );
    }
}
