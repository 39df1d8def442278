//! The dynamic section: libraries, names, search paths and symbol versions, with their strings.

use super::{Elf, Fetch, MAX_STRING, Segment, View, clamp, version};
use object::elf;

/// Entries whose value is a string.
const NAMES: [i64; 4] = [
    elf::DT_NEEDED.0,
    elf::DT_SONAME.0,
    elf::DT_RPATH.0,
    elf::DT_RUNPATH.0,
];
/// Strings this close together are read at once.
const SPAN: u64 = 1 << 16;
/// Longest part of the string table that is read at once. What a file asks of others stands first in it.
const MAX_TABLE: usize = 1 << 16;
/// Most bytes of all strings that one table leads to: some ten times those of the largest honest programs.
const MAX_STRINGS: usize = 1 << 20;
/// Most libraries that a file may need.
const MAX_NAMES: usize = 2048;
/// Most entries of a dynamic section that are looked at.
const MAX_DYNAMIC: usize = 16_384;
/// Reads names, search paths and symbol versions.
pub(super) fn read(
    view: &View,
    segments: &[Segment],
    dynamic: &Segment,
    fetch: Fetch<'_>,
    found: &mut Elf,
) -> Result<(), &'static str> {
    let width = if view.is_wide { 8 } else { 4 };
    let bytes = fetch(dynamic.offset, clamp(dynamic.size, MAX_DYNAMIC * width * 2));
    let mut entries = Vec::new();
    for row in bytes.chunks_exact(width * 2) {
        let (tag, value) = (view.word(row, 0).cast_signed(), view.word(row, width));
        if tag == elf::DT_NULL.0 {
            break;
        }
        entries.push((tag, value));
    }
    let value = |tag| {
        entries
            .iter()
            .find(|entry| entry.0 == tag)
            .map(|entry| entry.1)
    };
    let table = value(elf::DT_STRTAB.0).and_then(|address| file_offset(segments, address));
    let Some(table) = table else {
        let has_names = entries.iter().any(|(tag, _)| NAMES.contains(tag));
        return if has_names {
            Err("an ELF string table outside the file")
        } else {
            Ok(())
        };
    };
    let size = value(elf::DT_STRSZ.0).unwrap_or(SPAN);
    let mut window = (table, fetch(table, clamp(size, MAX_TABLE)));
    let mut symbols = window.1.split(|&byte| byte == 0);
    found.opens_by_name = symbols.any(|symbol| symbol.ends_with(b"dlopen"));
    read_names(&entries, &mut window, table, fetch, found)?;
    let place = |tag, count| {
        let offset = file_offset(segments, value(tag)?)?;
        Some((offset, value(count)?))
    };
    if let Some((offset, count)) = place(elf::DT_VERNEED.0, elf::DT_VERNEEDNUM.0) {
        let rows = version::needed(view, &fetch(offset, version::table_len(count)), count);
        let offsets: Vec<u64> = rows
            .iter()
            .flatten()
            .map(|at| table.saturating_add(*at))
            .collect();
        let names = strings(&offsets, &mut window, fetch).unwrap_or_default();
        let pairs = names.chunks_exact(2);
        found.versions_needed = pairs
            .map(|pair| (pair[0].clone(), pair[1].clone()))
            .collect();
    }
    if let Some((offset, count)) = place(elf::DT_VERDEF.0, elf::DT_VERDEFNUM.0) {
        let rows = version::defined(view, &fetch(offset, version::table_len(count)), count);
        let offsets: Vec<u64> = rows
            .iter()
            .flatten()
            .map(|at| table.saturating_add(*at))
            .collect();
        found.versions_defined = strings(&offsets, &mut window, fetch).unwrap_or_default();
    }
    Ok(())
}

/// Libraries, the file's own name and its search paths.
fn read_names(
    entries: &[(i64, u64)],
    window: &mut Window,
    table: u64,
    fetch: Fetch<'_>,
    found: &mut Elf,
) -> Result<(), &'static str> {
    let entries: Vec<(i64, u64)> = entries
        .iter()
        .copied()
        .filter(|(tag, _)| NAMES.contains(tag))
        .collect();
    if entries.len() > MAX_NAMES {
        return Err("an ELF file that needs more libraries than any honest one");
    }
    let offsets: Vec<u64> = entries
        .iter()
        .map(|&(_, value)| table.saturating_add(value))
        .collect();
    let strings = strings(&offsets, window, fetch).ok_or("an ELF string outside the file")?;
    for (&(tag, _), string) in entries.iter().zip(strings) {
        match tag {
            tag if tag == elf::DT_NEEDED.0 => found.needed.push(string),
            tag if tag == elf::DT_SONAME.0 => found.soname = Some(string),
            tag if tag == elf::DT_RPATH.0 => found.rpath = Some(string),
            _ => found.runpath = Some(string),
        }
    }
    Ok(())
}

fn file_offset(segments: &[Segment], address: u64) -> Option<u64> {
    segments
        .iter()
        .filter(|segment| segment.kind == elf::PT_LOAD.0)
        .find_map(|segment| {
            let within = address.checked_sub(segment.address)?;
            (within < segment.size).then(|| segment.offset.saturating_add(within))
        })
}

/// Bytes of the file and where they begin.
type Window = (u64, Vec<u8>);

/// The strings at these offsets, in as few reads as is sensible; `None` when one is outside the file or has no end, or
/// when they are too long together.
fn strings(offsets: &[u64], window: &mut Window, fetch: Fetch<'_>) -> Option<Vec<Vec<u8>>> {
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|&at| offsets[at]);
    let mut found = vec![Vec::new(); offsets.len()];
    let mut left = MAX_STRINGS;
    for (rank, &at) in order.iter().enumerate() {
        let offset = offsets[at];
        if string_in(window, offset).is_none() {
            let last = order[rank..]
                .iter()
                .map(|&other| offsets[other] - offset)
                .take_while(|&ahead| ahead < SPAN)
                .last()
                .unwrap_or(0);
            *window = (offset, fetch(offset, last as usize + 512));
            if string_in(window, offset).is_none() {
                *window = (offset, fetch(offset, MAX_STRING + 1));
            }
        }
        found[at] = string_in(window, offset)?;
        left = left.checked_sub(found[at].len())?;
    }
    Some(found)
}

/// The string at `offset` of the file, when it lies in the window and ends there.
fn string_in((start, bytes): &Window, offset: u64) -> Option<Vec<u8>> {
    let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
    let rest = bytes.get(from..)?;
    let end = rest.iter().position(|&byte| byte == 0)?;
    (end <= MAX_STRING).then(|| rest[..end].to_vec())
}
