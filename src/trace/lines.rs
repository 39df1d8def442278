//! Splits a command's output into lines that are safe to show while it runs.

use crate::model::text::escape;

/// A line that is longer is shown in pieces.
const LONGEST: usize = 4096;

/// The text after the last newline.
#[derive(Debug, Default)]
pub struct Lines(Vec<u8>);

impl Lines {
    /// Takes what was printed; the lines that are whole now, escaped.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut whole = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                self.0.push(byte);
            }
            if byte == b'\n' || self.0.len() >= LONGEST {
                whole.push(self.cut());
            }
        }
        whole
    }

    /// The last line, where it has no newline.
    pub fn rest(mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.cut())
    }

    fn cut(&mut self) -> String {
        let line = std::mem::take(&mut self.0);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        escape(line).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_safe_and_bounded() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"one\ntw"), ["one"]);
        assert_eq!(lines.push(b"o \x1b[2J\r\n\xc3"), ["two \\x1b[2J"]);
        assert_eq!(lines.push(b"\xa4\n\nx"), ["\u{e4}", ""]);
        assert_eq!(lines.push(&[b'y'; LONGEST]).len(), 1);
        assert_eq!(lines.rest().as_deref(), Some("y"));
        assert_eq!(Lines::default().rest(), None);
    }
}
