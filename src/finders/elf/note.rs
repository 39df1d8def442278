//! Notes about libraries that a file opens by name: <https://systemd.io/ELF_DLOPEN_METADATA>.

use super::{View, until_nul};

/// The note's type.
const DLOPEN: u64 = 0x407c_0c0a;
/// The note's owner.
const OWNER: &[u8] = b"FDO\0";

/// The texts, in JSON, of all such notes of a note segment.
pub(super) fn dlopen(view: &View, segment: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = segment;
    while rest.len() >= 12 {
        let (owner, text) = (
            view.number(rest, 0, 4) as usize,
            view.number(rest, 4, 4) as usize,
        );
        let start = 12usize.saturating_add(padded(owner));
        let end = start.saturating_add(text);
        let Some(bytes) = rest.get(start..end) else {
            break;
        };
        if view.number(rest, 8, 4) == DLOPEN && rest[12..].starts_with(OWNER) {
            found.push(until_nul(bytes));
        }
        rest = rest
            .get(start.saturating_add(padded(text))..)
            .unwrap_or_default();
    }
    found
}

fn padded(size: usize) -> usize {
    size.saturating_add(3) & !3
}
