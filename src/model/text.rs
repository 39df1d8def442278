//! One reversible way to show a guest's bytes: on the screen, in logs, in JSON and in profiles.
//!
//! Whatever a terminal could act on (control characters, escape sequences, text that changes direction, characters
//! without width) and whatever is no UTF-8 becomes `\xNN` per byte; a backslash becomes `\\`. The rest stays as it is.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Shows bytes as text that is safe on a terminal and that [`unescape`] turns back.
pub fn escape(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.chars().all(is_plain)
    {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_char(&mut out, c);
        }
        for &byte in chunk.invalid() {
            push_byte(&mut out, byte);
        }
    }
    Cow::Owned(out)
}

/// Makes a text safe that may hold a name of the host's or of a profile; lines stay lines, and a backslash stays single.
pub fn safe(text: &str) -> String {
    let line = |line: &str| {
        let parts: Vec<_> = line
            .split('\\')
            .map(|part| escape(part.as_bytes()))
            .collect();
        parts.join("\\")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Longest text of a guest that is said whole in a sentence, in bytes: the longest name of a file, and some.
const MAX_SHORT: usize = 300;

/// Shows bytes as [`escape`] does, but no more of them than a sentence can hold; then their number.
pub fn short(bytes: &[u8]) -> Cow<'_, str> {
    shortened(bytes, MAX_SHORT)
}

/// The same with another limit in bytes.
pub fn shortened(bytes: &[u8], most: usize) -> Cow<'_, str> {
    if bytes.len() <= most {
        return escape(bytes);
    }
    // A character that the cut would part is left out.
    let mut end = most;
    while end > most.saturating_sub(4) && bytes[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    Cow::Owned(format!(
        "{}... ({} bytes)",
        escape(&bytes[..end]),
        super::table::count(bytes.len() as u64)
    ))
}

/// The last end of a whole character at or before `most` bytes.
pub fn boundary(text: &str, most: usize) -> usize {
    let most = most.min(text.len());
    (0..=most)
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(0)
}

/// Turns [`escape`]d text back into bytes; unknown escapes stay as they are.
pub fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let (value, used) = match (byte, bytes.get(at + 1)) {
            (b'\\', Some(b'\\')) => (b'\\', 2),
            (b'\\', Some(b'x')) => hex_at(bytes, at + 2).map_or((byte, 1), |value| (value, 4)),
            _ => (byte, 1),
        };
        out.push(value);
        at += used;
    }
    out
}

fn is_plain(c: char) -> bool {
    c != '\\' && !is_unsafe(c)
}

/// Characters that act on a terminal, reorder text or take no room.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn push_char(out: &mut String, c: char) {
    if c == '\\' {
        out.push_str("\\\\");
    } else if is_unsafe(c) {
        for &byte in c.encode_utf8(&mut [0; 4]).as_bytes() {
            push_byte(out, byte);
        }
    } else {
        out.push(c);
    }
}

fn push_byte(out: &mut String, byte: u8) {
    write!(out, "\\x{byte:02x}").expect("a String takes every write");
}

fn hex_at(bytes: &[u8], at: usize) -> Option<u8> {
    let digits = std::str::from_utf8(bytes.get(at..at + 2)?).ok()?;
    if digits.starts_with('+') {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn terminal_sequences_become_visible() {
        assert_eq!(escape(b"a\x1b]52;c;x\x07\n"), "a\\x1b]52;c;x\\x07\\x0a");
        assert_eq!(escape(b"caf\xc3\xa9 \xff"), "caf\u{e9} \\xff");
        assert_eq!(escape("x\u{202e}y".as_bytes()), "x\\xe2\\x80\\xaey");
        assert_eq!(escape(b"C:\\x41"), "C:\\\\x41");
    }

    #[test]
    fn escape_sequences_become_visible_and_backslashes_and_lines_stay() {
        assert_eq!(
            safe("a\\x1b\x1b[31m\nb\u{202e}"),
            "a\\x1b\\x1b[31m\nb\\xe2\\x80\\xae"
        );
    }

    #[test]
    fn what_is_long_is_cut_at_a_character() {
        assert_eq!(short(&[b'a'; 300]).len(), 300);
        assert_eq!(
            short(&[b'a'; 301]),
            format!("{}... (301 bytes)", "a".repeat(300))
        );
        let text = format!("{}\u{e9}\u{e9}", "a".repeat(299));
        assert_eq!(
            short(text.as_bytes()),
            format!("{}... (303 bytes)", "a".repeat(299))
        );
        assert!(short(&[0x80; 5000]).len() < 1300);
    }

    proptest! {
        #[test]
        fn escaping_is_reversible_and_safe(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let shown = escape(&bytes).into_owned();
            prop_assert_eq!(unescape(&shown), bytes);
            prop_assert!(!shown.chars().any(is_unsafe));
        }
    }
}
