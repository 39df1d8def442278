//! Firmware that kernel modules want: `firmware=` tags in their section `.modinfo`, compressed modules too.
//!
//! Only guests that have firmware are looked at. Of a plain module only the section is read; of a compressed one all has to
//! be taken apart, so that there is a limit for all of them together.

use crate::finders::{Scan, elf, pattern};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileKind};
use std::collections::BTreeSet;
use std::io::Read;

/// Most tags of one module.
const MAX_TAGS: usize = 256;
/// Longest `.modinfo` section that is read.
const MAX_INFO: usize = 64 << 10;
/// Longest compressed module, and longest module taken out of it.
const MAX_PACKED: usize = 16 << 20;
const MAX_UNPACKED: u64 = 64 << 20;
/// Most memory that taking one apart may use, in KiB: the kernel itself allows no more.
const MAX_MEMORY: u32 = 64 << 10;
/// Most bytes that are taken out of all modules together: twice the modules of a distribution's full kernel.
const MAX_ALL: u64 = 1 << 30;

/// Adds what the modules want of the guest's firmware.
pub fn find(scan: &mut Scan<'_>, modules: &[FileId]) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let folder = tree.resolve(b"/lib/firmware");
    let Some(folder) = folder.filter(|end| !tree.children(end.file).is_empty()) else {
        return Ok(());
    };
    let mut left = MAX_ALL;
    for (done, &module) in modules.iter().enumerate() {
        scan.report("reading kernel modules", done, modules.len());
        let because = scan.because(module, Evidence::Wanted);
        let info = info(scan, module, &mut left)?;
        let tags = info
            .split(|&byte| byte == 0)
            .filter_map(|tag| tag.strip_prefix(b"firmware="))
            .filter(|name| name.first() != Some(&b'/'));
        let names: BTreeSet<&[u8]> = tags.take(MAX_TAGS).collect();
        for name in names {
            for ending in [&b""[..], b".xz", b".zst"] {
                let path = [name, ending].concat();
                let budget = &mut scan.found.patterns;
                for end in pattern::expand_from(tree, folder.file, &path, budget) {
                    if tree.kind(end.file) == FileKind::Regular {
                        scan.found.chain(because, &end, name);
                    }
                }
            }
        }
    }
    Ok(())
}

/// A module's `.modinfo`, empty where there is none.
fn info(scan: &mut Scan<'_>, module: FileId, left: &mut u64) -> Result<Vec<u8>, Cancelled> {
    let tree = scan.tree();
    let name = tree.name(module);
    if !name.ends_with(b".xz") && !name.ends_with(b".zst") {
        scan.check()?;
        let mut fetch = |offset, len| scan.source.read(tree, module, offset, len);
        return Ok(elf::section(&mut fetch, b".modinfo", MAX_INFO).unwrap_or_default());
    }
    let bytes = unpack(&scan.read(module, MAX_PACKED)?, MAX_UNPACKED.min(*left));
    *left -= bytes.len() as u64;
    let mut fetch = |offset, len: usize| {
        let start = usize::try_from(offset).map_or(bytes.len(), |at| at.min(bytes.len()));
        bytes[start..start.saturating_add(len).min(bytes.len())].to_vec()
    };
    Ok(elf::section(&mut fetch, b".modinfo", MAX_INFO).unwrap_or_default())
}

/// The first `most` bytes of what is compressed; what is damaged ends there.
fn unpack(packed: &[u8], most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let done = if packed.starts_with(b"\xfd7zXZ\0") {
        let reader = lzma_rust2::XzReader::new_mem_limit(packed, false, MAX_MEMORY);
        reader.take(most).read_to_end(&mut bytes)
    } else {
        let reader = zstd::stream::read::Decoder::new(packed);
        reader.and_then(|reader| reader.take(most).read_to_end(&mut bytes))
    };
    // The section table stands at the end: a damaged module names nothing.
    if done.is_err() {
        bytes.clear();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).expect("it starts");
        writer.write_all(bytes).expect("it packs");
        writer.finish().expect("it ends")
    }

    #[test]
    fn both_compressions_are_taken_apart_and_bounded() {
        let bytes = b"firmware=a.bin\0".repeat(10_000);
        let zst = zstd::encode_all(bytes.as_slice(), 1).expect("it packs");
        for packed in [xz(&bytes), zst] {
            assert!(packed.len() < 10_000);
            assert_eq!(unpack(&packed, u64::MAX), bytes);
            assert_eq!(unpack(&packed, 100), bytes[..100]);
            assert_eq!(unpack(&packed[..packed.len() / 2], u64::MAX), b"");
        }
        assert_eq!(unpack(b"something else", 100), b"");
    }
}
