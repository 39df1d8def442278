//! Finds one section of an ELF file by its name in the section table, for data that no segment covers.

use super::{Fetch, View, clamp};
use object::elf;

/// Most sections that are looked at.
const MAX_SECTIONS: usize = 4096;
/// Longest table of the sections' names.
const MAX_NAMES: usize = 64 << 10;

/// The first `most` bytes of the section of this name; `None` where the file has none, or no sound section table.
pub fn section(fetch: Fetch<'_>, name: &[u8], most: usize) -> Option<Vec<u8>> {
    let head = fetch(0, 64);
    let view = View::new(&head).ok()?;
    let (table, sizes, least) = if view.is_wide {
        (40, 58, 64)
    } else {
        (32, 46, 40)
    };
    let size = view.number(&head, sizes, 2) as usize;
    let count = view.number(&head, sizes + 2, 2) as usize;
    let names = view.number(&head, sizes + 4, 2) as usize;
    if !(least..=256).contains(&size) || count > MAX_SECTIONS || names >= count {
        return None;
    }
    let rows = fetch(view.word(&head, table), size * count);
    let rows: Vec<&[u8]> = rows.chunks_exact(size).collect();
    let place = |row: &[u8]| {
        let places = if view.is_wide { (24, 32) } else { (16, 20) };
        (view.word(row, places.0), view.word(row, places.1))
    };
    let (offset, len) = place(rows.get(names)?);
    let strings = fetch(offset, clamp(len, MAX_NAMES));
    let row = rows.iter().find(|row| {
        let at = view.number(row, 0, 4) as usize;
        let rest = strings.get(at..).unwrap_or_default();
        rest.strip_prefix(name)
            .is_some_and(|rest| rest.first() == Some(&0))
            && view.number(row, 4, 4) as u32 != elf::SHT_NOBITS.0
    })?;
    let (offset, len) = place(row);
    Some(fetch(offset, clamp(len, most)))
}
