//! Symbol versions: those that a file asks of each library, and those that it defines.
//!
//! The loader refuses a program whose library lacks one of them. The tables are chains of offsets; an offset outside the bytes
//! that were read ends the chain.

use super::View;

/// Most entries of one table that are looked at.
const MAX_ENTRIES: usize = 4096;
/// The flag of a version that may be missing.
const WEAK: u64 = 2;
/// The flag of the entry that names the file itself.
const BASE: u64 = 1;

/// Longest table that is read, for a number of entries.
pub(super) fn table_len(entries: u64) -> usize {
    super::clamp(entries.saturating_mul(512), 64 << 10)
}

/// `DT_VERNEED`: offsets into the string table of a library's name and of the version asked of it.
pub(super) fn needed(view: &View, bytes: &[u8], count: u64) -> Vec<[u64; 2]> {
    let mut found = Vec::new();
    let mut at = 0usize;
    let mut left = MAX_ENTRIES;
    for _ in 0..count.min(MAX_ENTRIES as u64) {
        let (library, auxiliary) = (view.number(bytes, at + 4, 4), view.number(bytes, at + 8, 4));
        let mut entry = at.saturating_add(auxiliary as usize);
        for _ in 0..view.number(bytes, at + 2, 2) {
            if entry.saturating_add(16) > bytes.len() || left == 0 {
                return found;
            }
            left -= 1;
            if view.number(bytes, entry + 4, 2) & WEAK == 0 {
                found.push([library, view.number(bytes, entry + 8, 4)]);
            }
            match view.number(bytes, entry + 12, 4) as usize {
                0 => break,
                next => entry = entry.saturating_add(next),
            }
        }
        match view.number(bytes, at + 12, 4) as usize {
            0 => break,
            next => at = at.saturating_add(next).min(bytes.len()),
        }
    }
    found
}

/// `DT_VERDEF`: offsets into the string table of the versions' names; `None` when the table leads outside.
pub(super) fn defined(view: &View, bytes: &[u8], count: u64) -> Option<Vec<u64>> {
    let mut found = Vec::new();
    let mut at = 0usize;
    for _ in 0..count.min(MAX_ENTRIES as u64) {
        let entry = at.checked_add(view.number(bytes, at + 12, 4) as usize)?;
        if at + 20 > bytes.len() || entry.checked_add(8)? > bytes.len() {
            return None;
        }
        if view.number(bytes, at + 2, 2) & BASE == 0 {
            found.push(view.number(bytes, entry, 4));
        }
        match view.number(bytes, at + 16, 4) as usize {
            0 => break,
            next => at = at.saturating_add(next).min(bytes.len()),
        }
    }
    Some(found)
}
