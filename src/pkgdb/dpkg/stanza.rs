//! Stanzas of `Field: value` lines, as in dpkg's status file, with their places in the bytes.
//!
//! Borrowed all the way: a 10 MB status file costs a few thousand small vectors. A line that is neither a field, a
//! continuation nor a comment is reported and skipped; the stanza goes on.

use crate::model::{Warning, Warnings};
use std::ops::{ControlFlow, Range};

/// Most fields of a stanza that are looked at, some fifty times those of a real one.
const MAX_FIELDS: usize = 1000;
/// Longest value that is kept as text, in bytes; what is longer is cut.
const MAX_TEXT: usize = 1024;

/// One stanza.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stanza<'a> {
    /// 1-based line of its first field.
    pub line: u32,
    /// Its bytes, the empty lines that end it included.
    pub range: Range<usize>,
    fields: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Stanza<'a> {
    /// The value of a field, first one wins, spaces around it trimmed; continuation lines are in it with their line
    /// breaks.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.trim_ascii())
    }

    /// The value's first line as text, what is no UTF-8 replaced, cut where it is too long; empty when the field is
    /// missing.
    pub fn text(&self, name: &str) -> String {
        let value = self.field(name).unwrap_or_default();
        let value = &value[..value.len().min(MAX_TEXT)];
        let line = value.split(|&byte| byte == b'\n').next();
        String::from_utf8_lossy(line.unwrap_or_default().trim_ascii_end()).into_owned()
    }

    /// Whether the field says `yes`.
    pub fn is_yes(&self, name: &str) -> bool {
        self.field(name)
            .is_some_and(|value| value.eq_ignore_ascii_case(b"yes"))
    }
}

/// Hands over each stanza of `bytes` until `take` breaks; `path` is for the warnings. One at a time, because a hostile file
/// has millions.
pub fn stanzas<'a>(
    path: &[u8],
    bytes: &'a [u8],
    warnings: &mut Warnings,
    mut take: impl FnMut(Stanza<'a>, &mut Warnings) -> ControlFlow<()>,
) {
    let mut open: Option<Stanza<'a>> = None;
    let mut is_closed = false;
    for (number, range) in lines(bytes) {
        let line = &bytes[range.clone()];
        if line.trim_ascii().is_empty() {
            if let Some(stanza) = &mut open {
                stanza.range.end = next_line(bytes, range.end);
                is_closed = true;
            }
            continue;
        }
        if line.first() == Some(&b'#') {
            continue;
        }
        if is_closed && let Some(stanza) = open.take() {
            is_closed = false;
            if take(stanza, warnings).is_break() {
                return;
            }
        }
        let stanza = open.get_or_insert_with(|| Stanza {
            line: number,
            range: range.start..range.start,
            fields: Vec::new(),
        });
        stanza.range.end = next_line(bytes, range.end);
        if let Err(message) = add_line(stanza, bytes, range) {
            warnings.push(Warning::at(path, number, message));
        }
    }
    if let Some(stanza) = open {
        let _ = take(stanza, warnings);
    }
}

fn add_line<'a>(
    stanza: &mut Stanza<'a>,
    bytes: &'a [u8],
    range: Range<usize>,
) -> Result<(), &'static str> {
    let line = &bytes[range.clone()];
    if matches!(line.first(), Some(b' ' | b'\t')) {
        let (_, value) = stanza
            .fields
            .last_mut()
            .ok_or("a continuation line without a field")?;
        let start = value.as_ptr() as usize - bytes.as_ptr() as usize;
        *value = &bytes[start..range.end];
        return Ok(());
    }
    let colon = line
        .iter()
        .position(|&byte| byte == b':')
        .ok_or("a line that is no field")?;
    let name = line[..colon].trim_ascii();
    if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
        return Err("a field without a proper name");
    }
    if stanza.fields.len() == MAX_FIELDS {
        return Err("more fields than any package has");
    }
    stanza
        .fields
        .push((name, &bytes[range.start + colon + 1..range.end]));
    Ok(())
}

/// Lines with their 1-based numbers; the line break (also CR LF's) is not in the range.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (u32, Range<usize>)> {
    let mut at = 0;
    let mut number = 0u32;
    std::iter::from_fn(move || {
        if at >= bytes.len() {
            return None;
        }
        let end = bytes[at..]
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(bytes.len(), |found| at + found);
        let start = at;
        at = end + 1;
        number = number.saturating_add(1);
        let trimmed = if end > start && bytes[end - 1] == b'\r' {
            end - 1
        } else {
            end
        };
        Some((number, start..trimmed))
    })
}

/// The start of the line after the one that ends at `end`.
fn next_line(bytes: &[u8], end: usize) -> usize {
    let end = end + usize::from(bytes.get(end) == Some(&b'\r'));
    (end + 1).min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all<'a>(bytes: &'a [u8], warnings: &mut Warnings) -> Vec<Stanza<'a>> {
        let mut all = Vec::new();
        stanzas(b"/s", bytes, warnings, |stanza, _| {
            all.push(stanza);
            ControlFlow::Continue(())
        });
        all
    }

    const TEXT: &[u8] = b"Package: a\nDescription: one\n two\n .\n three\nConffiles:\n /etc/a 00\n\nPackage: b\r\nx\r\nVersion: 1\r\n\r\n\n# c\nPackage: c";

    #[test]
    fn continuation_lines_belong_to_their_field() {
        let mut warnings = Warnings::default();
        let all = all(TEXT, &mut warnings);
        let names: Vec<String> = all.iter().map(|s| s.text("package")).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(
            all[0].field("Description"),
            Some(&b"one\n two\n .\n three"[..])
        );
        assert_eq!(all[0].field("Conffiles"), Some(&b"/etc/a 00"[..]));
        assert_eq!(all[1].text("Version"), "1");
        assert_eq!(
            warnings,
            [Warning::at(b"/s", 10, "a line that is no field")]
        );
    }

    #[test]
    fn ranges_cover_the_file_and_end_at_the_next_stanza() {
        let all = all(TEXT, &mut Warnings::default());
        assert_eq!(all[0].range.start, 0);
        assert_eq!(&TEXT[all[1].range.start..][..10], b"Package: b");
        assert_eq!(all[0].range.end, all[1].range.start);
        assert_eq!(all[2].range.end, TEXT.len());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b':'), Just(b' '), Just(b'\r'), Just(b'#'), any::<u8>()], 0..200)) {
            let mut last = 0;
            for stanza in all(&bytes, &mut Warnings::default()) {
                prop_assert!(stanza.range.start >= last && stanza.range.end <= bytes.len());
                last = stanza.range.end;
            }
        }
    }
}
