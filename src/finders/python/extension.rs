//! The modules that an extension module names: strings of its read-only data that are whole module names.
//!
//! Code that Cython compiles imports by such strings, and no header names them. Only the section table and the section
//! `.rodata` are read, both bounded.

use super::imports::Import;

/// Most bytes of read-only data that are looked at.
const MAX_DATA: usize = 4 << 20;
/// Most sections of a file.
const MAX_SECTIONS: usize = 256;
/// Size of a section's row in the table of a 64-bit file.
const ROW: usize = 64;

/// The modules that a 64-bit little-endian ELF file may import: dotted names, and names of modules beside it.
pub fn imports(fetch: &mut dyn FnMut(u64, usize) -> Vec<u8>) -> Vec<Import> {
    let data = read_only_data(fetch).unwrap_or_default();
    let mut names: Vec<&str> = data
        .split(|&byte| byte == 0)
        .filter(|text| (2..=120).contains(&text.len()))
        .filter_map(|text| std::str::from_utf8(text).ok())
        .filter(|text| is_module_name(text))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| Import {
            dots: usize::from(!name.contains('.')),
            module: name.to_owned(),
            names: Vec::new(),
            is_inner: true,
        })
        .collect()
}

fn is_module_name(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut chars = part.chars();
        chars
            .next()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn read_only_data(fetch: &mut dyn FnMut(u64, usize) -> Vec<u8>) -> Option<Vec<u8>> {
    let head = fetch(0, 64);
    if !head.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let count = usize::from(short(&head, 0x3c)?).min(MAX_SECTIONS);
    let table = fetch(long(&head, 0x28)?, count * ROW);
    let row = |at: usize| table.get(at * ROW..(at + 1) * ROW);
    let place = |row: &[u8]| {
        let size = usize::try_from(long(row, 32)?).unwrap_or(usize::MAX);
        Some((long(row, 24)?, size.min(MAX_DATA)))
    };
    let (offset, size) = place(row(usize::from(short(&head, 0x3e)?))?)?;
    let names = fetch(offset, size.min(MAX_SECTIONS * 64));
    let is_data = |row: &[u8]| {
        let at = row
            .first_chunk()
            .map_or(usize::MAX, |&name| u32::from_le_bytes(name) as usize);
        names
            .get(at..)
            .is_some_and(|rest| rest.starts_with(b".rodata\0"))
    };
    let (offset, size) = place((0..count).filter_map(row).find(|row| is_data(row))?)?;
    Some(fetch(offset, size))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with two sections: the names of sections, and read-only data.
    fn file(data: &[u8]) -> Vec<u8> {
        let names = b"\0.rodata\0";
        let mut bytes = b"\x7fELF\x02\x01".to_vec();
        bytes.resize(0x40, 0);
        bytes[0x28] = 0x40;
        bytes[0x3c] = 2;
        bytes.resize(0x40 + 2 * ROW, 0);
        let end = bytes.len();
        bytes[0x40 + 24] = end as u8;
        bytes[0x40 + 32] = names.len() as u8;
        bytes[0x40 + ROW] = 1;
        bytes[0x40 + ROW + 24] = (end + names.len()) as u8;
        bytes[0x40 + ROW + 32] = data.len() as u8;
        bytes.extend_from_slice(names);
        bytes.extend_from_slice(data);
        bytes
    }

    fn read(bytes: &[u8]) -> Vec<String> {
        let mut fetch = |offset: u64, len: usize| {
            let start = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            bytes[start..start.saturating_add(len).min(bytes.len())].to_vec()
        };
        imports(&mut fetch)
            .into_iter()
            .map(|import| ".".repeat(import.dots) + &import.module)
            .collect()
    }

    #[test]
    fn whole_strings_that_are_names_of_modules_are_imports() {
        let bytes = file(b"scipy.linalg.cython_blas\0a sentence.\0_beside\0x..y\0.z\0");
        assert_eq!(read(&bytes), ["._beside", "scipy.linalg.cython_blas"]);
    }

    proptest! {
        #[test]
        fn damaged_files_are_read_without_a_panic(at in 0usize..250, byte in any::<u8>(), cut in 0usize..300) {
            let mut bytes = file(b"a.b\0");
            let len = bytes.len();
            bytes[at % len] = byte;
            bytes.truncate(cut);
            let _ = read(&bytes);
        }
    }
}
