//! The qcow2 header and tables (docs/interop/qcow2.txt of QEMU), as far as it takes to know what the file refers to.

use super::chain::Below;
use super::magic::bytes;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;

/// Incompatible features.
const DIRTY: u64 = 1;
const CORRUPT: u64 = 1 << 1;
const EXTERNAL_DATA: u64 = 1 << 2;
const COMPRESSION_TYPE: u64 = 1 << 3;
const EXTENDED_L2: u64 = 1 << 4;

/// The header extension that names the backing file's format.
const BACKING_FORMAT: u32 = 0xe279_2aca;

/// Offsets in table entries.
const OFFSET_MASK: u64 = 0x00ff_ffff_ffff_fe00;
const COMPRESSED: u64 = 1 << 62;

/// QEMU's own limit for the first-level table.
const LONGEST_L1: u64 = 32 << 20;

/// Bytes of second-level tables that are read: those of 8 TiB in clusters of 64 KiB.
const MOST_TABLES: u64 = 1 << 30;

/// What is asked of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    cluster_bits: u32,
    l1_entries: u32,
    l1_offset: u64,
    features: u64,
    /// The backing file.
    pub below: Option<Below>,
}

impl Header {
    /// Reads the header; the inner error is what makes the image unusable.
    pub fn read(file: &File) -> io::Result<Result<Self, String>> {
        Ok(Self::parse(&bytes(file, 0, 64 << 10)?))
    }

    fn parse(head: &[u8]) -> Result<Self, String> {
        let version = be32(head, 4).ok_or("its header is cut off")?;
        if !head.starts_with(b"QFI\xfb") {
            return Err("it has no qcow2 header".to_owned());
        }
        if !matches!(version, 2 | 3) {
            return Err(format!(
                "it is qcow version {version}; `qemu-img convert -O qcow2` makes one that can be read"
            ));
        }
        let short = "its header is cut off";
        let features = if version == 3 {
            be64(head, 72).ok_or(short)?
        } else {
            0
        };
        check_features(features)?;
        if be32(head, 32).ok_or(short)? != 0 {
            return Err("it is encrypted".to_owned());
        }
        let cluster_bits = be32(head, 20).ok_or(short)?;
        if !(9..=21).contains(&cluster_bits) {
            return Err(format!(
                "its cluster size is 2^{cluster_bits}, which no qcow2 has"
            ));
        }
        Ok(Self {
            cluster_bits,
            l1_entries: be32(head, 36).ok_or(short)?,
            l1_offset: be64(head, 40).ok_or(short)?,
            features,
            below: below(head, version)?,
        })
    }

    /// Bytes in a cluster. QEMU may leave the last one of a file unfinished, and so does its own check.
    pub fn cluster_size(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// One past the last byte that the header and the active tables refer to, in a file of `len` bytes. Each second-level
    /// table is read once, and no more of them than [`MOST_TABLES`]; QEMU finds out about the rest.
    pub fn end(&self, file: &File, len: u64) -> io::Result<u64> {
        let l1_len = u64::from(self.l1_entries) * 8;
        let mut end = self.l1_offset.saturating_add(l1_len);
        if l1_len > LONGEST_L1 || end > len {
            return Ok(end.max(LONGEST_L1));
        }
        let cluster = self.cluster_size();
        let l1 = bytes(file, self.l1_offset, l1_len as usize)?;
        let entries = l1.chunks_exact(8).map(|entry| be64(entry, 0).unwrap_or(0));
        let tables: BTreeSet<u64> = entries.map(|entry| entry & OFFSET_MASK).collect();
        let mut left = MOST_TABLES;
        for table in tables.into_iter().filter(|&table| table != 0) {
            end = end.max(table.saturating_add(cluster));
            if end >= len.saturating_add(cluster) || left < cluster {
                break;
            }
            left -= cluster;
            let l2 = bytes(file, table, cluster as usize)?;
            end = end.max(self.end_of_l2(&l2));
        }
        Ok(end)
    }

    fn end_of_l2(&self, l2: &[u8]) -> u64 {
        let width = if self.features & EXTENDED_L2 == 0 {
            8
        } else {
            16
        };
        let ends = l2.chunks_exact(width).map(|entry| {
            let entry = be64(entry, 0).unwrap_or(0);
            if entry & COMPRESSED != 0 {
                self.end_of_compressed(entry)
            } else if entry & OFFSET_MASK != 0 {
                (entry & OFFSET_MASK).saturating_add(1 << self.cluster_bits)
            } else {
                0
            }
        });
        ends.max().unwrap_or(0)
    }

    /// A compressed cluster: x low bits of offset, then the number of further 512-byte sectors. The last sector may be cut.
    fn end_of_compressed(&self, entry: u64) -> u64 {
        let split = 62 - (self.cluster_bits - 8);
        let offset = entry & ((1 << split) - 1);
        let sectors = (entry & !COMPRESSED & !(1 << 63)) >> split;
        (offset & !511)
            .saturating_add(sectors * 512)
            .saturating_add(offset & 511 | 1)
    }
}

fn check_features(features: u64) -> Result<(), String> {
    let known = DIRTY | CORRUPT | EXTERNAL_DATA | COMPRESSION_TYPE | EXTENDED_L2;
    let why = if features & CORRUPT != 0 {
        "it is marked corrupt; `qemu-img check -r all` on a copy may repair it"
    } else if features & DIRTY != 0 {
        "it was not closed cleanly (dirty bit); `qemu-img check -r all` repairs that"
    } else if features & EXTERNAL_DATA != 0 {
        "it keeps its data in another file (data-file); `qemu-img convert` makes one file of both"
    } else if features & !known != 0 {
        "it uses a feature of qcow2 that is not known here"
    } else {
        return Ok(());
    };
    Err(why.to_owned())
}

fn below(head: &[u8], version: u32) -> Result<Option<Below>, String> {
    let short = "its header is cut off";
    let offset = be64(head, 8).ok_or(short)?;
    let len = be32(head, 16).ok_or(short)? as usize;
    if offset == 0 || len == 0 {
        return Ok(None);
    }
    let name = usize::try_from(offset)
        .ok()
        .filter(|_| len <= 1023)
        .and_then(|offset| head.get(offset..offset + len))
        .ok_or("its backing file's name is cut off")?;
    Ok(Some(Below {
        name: name.to_vec(),
        format: backing_format(head, version)?.map(<[u8]>::to_vec),
    }))
}

/// Header extensions: type, length, bytes padded to 8; type 0 ends them. Two formats are refused: readers differ in which
/// of them counts.
fn backing_format(head: &[u8], version: u32) -> Result<Option<&[u8]>, String> {
    let start = if version == 2 {
        Some(72)
    } else {
        be32(head, 100)
    };
    let mut at = start.unwrap_or(u32::MAX) as usize;
    let mut found = None;
    while let (Some(kind), Some(len)) = (be32(head, at), be32(head, at + 4)) {
        let len = len as usize;
        match kind {
            0 => break,
            BACKING_FORMAT if found.is_some() => {
                return Err("it names its backing file's format twice".to_owned());
            }
            BACKING_FORMAT => found = head.get(at + 8..at + 8 + len),
            _ => {}
        }
        at = at + 8 + len.next_multiple_of(8);
    }
    Ok(found)
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(field.try_into().expect("four bytes")))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_be_bytes(field.try_into().expect("eight bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(features: u64) -> Vec<u8> {
        let mut head = vec![0; 512];
        head[..4].copy_from_slice(b"QFI\xfb");
        head[7] = 3;
        head[23] = 16;
        head[72..80].copy_from_slice(&features.to_be_bytes());
        head[103] = 104;
        head
    }

    #[test]
    fn what_makes_an_image_unusable_is_named() {
        for (features, word) in [
            (1, "dirty"),
            (2, "corrupt"),
            (4, "data-file"),
            (1 << 9, "feature"),
        ] {
            let why = Header::parse(&header(features)).expect_err("refused");
            assert!(why.contains(word), "{why}");
        }
        let mut encrypted = header(0);
        encrypted[35] = 2;
        assert_eq!(Header::parse(&encrypted), Err("it is encrypted".to_owned()));
        assert!(Header::parse(&header(8)).is_ok());
        assert!(Header::parse(b"QFI\xfb").is_err());
    }

    #[test]
    fn the_backing_file_and_its_format_are_read() {
        let mut head = header(0);
        head[104..108].copy_from_slice(&BACKING_FORMAT.to_be_bytes());
        head[111] = 3;
        head[112..115].copy_from_slice(b"raw");
        head[15] = 200;
        head[19] = 11;
        head[200..211].copy_from_slice(b"/etc/passwd");
        let below = Header::parse(&head).expect("a header").below;
        assert_eq!(
            below,
            Some(Below {
                name: b"/etc/passwd".to_vec(),
                format: Some(b"raw".to_vec())
            })
        );
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(mut head in proptest::collection::vec(any::<u8>(), 0..600)) {
            for (at, byte) in b"QFI\xfb\0\0\0\x03".iter().enumerate() {
                if let Some(slot) = head.get_mut(at) { *slot = *byte; }
            }
            for at in 72..80 { if let Some(slot) = head.get_mut(at) { *slot = 0; } }
            for at in 32..36 { if let Some(slot) = head.get_mut(at) { *slot = 0; } }
            let _ = Header::parse(&head);
        }
    }
}
