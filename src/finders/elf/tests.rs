//! ELF files made by hand, whole and damaged.

use super::*;
use proptest::prelude::*;

fn read_bytes(bytes: &[u8]) -> Result<Elf, &'static str> {
    let mut reads = 0;
    read(&mut |offset, len| {
        reads += 1;
        assert!(reads < 5000 && len <= 1 << 20, "bounded reads");
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        bytes[start..start.saturating_add(len).min(bytes.len())].to_vec()
    })
}

/// A 64-bit little-endian file: header, one loaded segment over everything, interpreter, dynamic section.
fn sample(needed: &[&str]) -> Vec<u8> {
    let mut strings = b"\0".to_vec();
    let mut entries: Vec<(u64, u64)> = Vec::new();
    for name in needed {
        entries.push((1, strings.len() as u64));
        strings.extend_from_slice(name.as_bytes());
        strings.push(0);
    }
    entries.push((29, strings.len() as u64));
    strings.extend_from_slice(b"$ORIGIN/../lib\0");
    let (interp, dynamic) = (400u64, 500u64);
    let table = dynamic + (entries.len() as u64 + 2) * 16;
    entries.extend([(5, 0x1000 + table), (0, 0)]);
    let mut bytes = vec![0; table as usize];
    let put = |bytes: &mut Vec<u8>, at: usize, value: u64, len: usize| {
        bytes[at..at + len].copy_from_slice(&value.to_le_bytes()[..len]);
    };
    bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    put(&mut bytes, 18, 62, 2);
    put(&mut bytes, 32, 64, 8);
    put(&mut bytes, 54, 56, 2);
    put(&mut bytes, 56, 3, 2);
    let len = table + strings.len() as u64;
    for (at, kind, offset, size) in [
        (64, 1, 0, len),
        (120, 3, interp, 20),
        (176, 2, dynamic, table - dynamic),
    ] {
        put(&mut bytes, at, kind, 4);
        put(&mut bytes, at + 8, offset, 8);
        put(&mut bytes, at + 16, 0x1000 + offset, 8);
        put(&mut bytes, at + 32, size, 8);
    }
    bytes[400..411].copy_from_slice(b"/lib/ld.so\0");
    for (row, (tag, value)) in entries.iter().enumerate() {
        put(&mut bytes, 500 + row * 16, *tag, 8);
        put(&mut bytes, 508 + row * 16, *value, 8);
    }
    bytes.extend(strings);
    bytes
}

#[test]
fn the_loaders_view_is_read() {
    let elf = read_bytes(&sample(&["libm.so.6", "libc.so.6"])).expect("a proper file");
    assert_eq!(elf.abi.machine, 62);
    assert_eq!(elf.interpreter.as_deref(), Some(&b"/lib/ld.so"[..]));
    assert_eq!(elf.needed, [&b"libm.so.6"[..], b"libc.so.6"]);
    assert_eq!(elf.runpath.as_deref(), Some(&b"$ORIGIN/../lib"[..]));
}

#[test]
fn a_file_that_needs_everything_is_refused() {
    let names: Vec<String> = (0..3000).map(|n| format!("lib{n}.so")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(read_bytes(&sample(&names)).is_err());
}

#[test]
fn a_file_whose_strings_are_longer_than_any_honest_ones_is_refused() {
    let names: Vec<String> = (0..200).map(|n| format!("{n:08000}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(read_bytes(&sample(&names[..100])).is_ok());
    assert!(read_bytes(&sample(&names)).is_err());
}

#[test]
fn versions_that_may_be_missing_count_among_those_that_are_looked_at() {
    let view = View::new(&sample(&[])).expect("a proper header");
    // Three libraries whose versions are one chain: 3000 weak ones, then one that is needed.
    let (libraries, chain) = (3u32, 3001u32);
    let mut bytes = Vec::new();
    for library in 0..libraries {
        bytes.extend([1, 0]);
        bytes.extend((chain as u16).to_le_bytes());
        bytes.extend(7u32.to_le_bytes());
        bytes.extend(((libraries - library) * 16).to_le_bytes());
        bytes.extend(16u32.to_le_bytes());
    }
    for version in 1..=chain {
        let flags = if version == chain { 0u32 } else { 2 };
        bytes.extend([0; 4]);
        bytes.extend(flags.to_le_bytes());
        bytes.extend(9u32.to_le_bytes());
        bytes.extend(if version == chain { 0u32 } else { 16 }.to_le_bytes());
    }
    assert_eq!(version::needed(&view, &bytes, 3), [[7, 9]]);
}

proptest! {
    #[test]
    fn a_damaged_file_is_read_without_a_panic(
        edits in proptest::collection::vec((0..700usize, any::<u8>()), 0..6), cut in 0..900usize) {
        let mut bytes = sample(&["libm.so.6", "libc.so.6"]);
        for (at, byte) in edits {
            let len = bytes.len();
            bytes[at % len] = byte;
        }
        bytes.truncate(cut.max(1));
        let _ = read_bytes(&bytes);
    }
}

/// Reads this test's own program, a real file with every table, with one byte of it changed.
fn with_own_program<T>(damage: Option<u64>, look: impl FnOnce(Fetch<'_>) -> T) -> T {
    use std::os::unix::fs::FileExt;
    let path = std::env::current_exe().expect("a test runs from a file");
    let file = std::fs::File::open(path).expect("it is readable");
    look(&mut |offset, len| {
        assert!(len <= 1 << 20, "bounded reads");
        let mut bytes = vec![0; len];
        let read = file.read_at(&mut bytes, offset).unwrap_or(0);
        bytes.truncate(read);
        if let Some(at) = damage.and_then(|at| at.checked_sub(offset))
            && let Some(byte) = bytes.get_mut(at as usize)
        {
            *byte = !*byte;
        }
        bytes
    })
}

#[test]
fn a_real_program_has_sections_and_asks_for_versions_of_the_c_library() {
    let section = |name: &[u8]| with_own_program(None, |fetch| section(fetch, name, 64));
    assert!(section(b".rodata").is_some_and(|found| found.len() == 64));
    assert_eq!(section(b".none"), None);
    assert_eq!(section(b".bss"), None);
    let elf = with_own_program(None, |fetch| read(fetch)).expect("an ELF file");
    let is_old = |(library, version): &(Vec<u8>, Vec<u8>)| {
        library == b"libc.so.6" && version.starts_with(b"GLIBC_2.")
    };
    assert!(elf.versions_needed.iter().any(is_old));
}

#[test]
fn damaged_tables_of_a_real_program_do_no_harm() {
    let whole = with_own_program(None, |fetch| read(fetch)).expect("an ELF file");
    let mut changed = 0;
    for at in 0..1024 {
        let elf = with_own_program(Some(at), |fetch| read(fetch));
        changed += usize::from(elf != Ok(whole.clone()));
        with_own_program(Some(at), |fetch| section(fetch, b".rodata", 64));
    }
    assert!(changed > 20, "bytes of the header matter");
}
