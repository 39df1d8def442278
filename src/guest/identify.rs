//! Identifies the contents of a partition by its superblock: kind, UUID and label, as blkid(8) prints them.

use super::blocks::Blocks;
use crate::model::text::escape;
use std::fmt::Write as _;
use std::io;

/// Kind, UUID and label; all empty when nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Identity {
    /// `ext4`, `vfat`, `swap`, `LVM2_member` ...
    pub kind: &'static str,
    /// As an fstab writes it.
    pub uuid: String,
    /// Escaped.
    pub label: String,
}

/// btrfs has its superblock at 64 KiB, the farthest of those looked at.
const HEAD: usize = (64 << 10) + 4096;

/// Looks at the beginning of a partition.
pub(super) fn identify(part: &mut dyn Blocks) -> io::Result<Identity> {
    let mut head = part.bytes(0, HEAD)?;
    head.resize(HEAD, 0);
    let tests = [ext, xfs, btrfs, swap, luks, lvm, ntfs, fat, rare];
    Ok(tests
        .iter()
        .find_map(|test| test(&head))
        .unwrap_or_default())
}

fn has(head: &[u8], at: usize, magic: &[u8]) -> bool {
    head.get(at..at + magic.len()) == Some(magic)
}

fn found(kind: &'static str, uuid: String, label: &[u8]) -> Identity {
    let label = label.split(|&byte| byte == 0).next().unwrap_or_default();
    Identity {
        kind,
        uuid,
        label: escape(label).into_owned(),
    }
}

fn ext(head: &[u8]) -> Option<Identity> {
    if !has(head, 1080, &[0x53, 0xef]) {
        return None;
    }
    let (compatible, incompatible, read_only) =
        (le32(head, 1116), le32(head, 1120), le32(head, 1124));
    let has_journal = compatible & 0x4 != 0;
    // The features that ext3 knows: filetype, recover, meta_bg; sparse_super, large_file, btree_dir.
    let is_old = incompatible & !0x16 == 0 && read_only & !0x7 == 0;
    let kind = match (is_old, has_journal) {
        (true, false) => "ext2",
        (true, true) => "ext3",
        (false, _) => "ext4",
    };
    Some(found(kind, uuid(&head[1128..1144]), &head[1144..1160]))
}

fn xfs(head: &[u8]) -> Option<Identity> {
    has(head, 0, b"XFSB").then(|| found("xfs", uuid(&head[32..48]), &head[108..120]))
}

fn btrfs(head: &[u8]) -> Option<Identity> {
    let at = 64 << 10;
    has(head, at + 64, b"_BHRfS_M").then(|| {
        found(
            "btrfs",
            uuid(&head[at + 32..at + 48]),
            &head[at + 299..at + 555],
        )
    })
}

fn swap(head: &[u8]) -> Option<Identity> {
    has(head, 4086, b"SWAPSPACE2")
        .then(|| found("swap", uuid(&head[1036..1052]), &head[1052..1068]))
}

fn luks(head: &[u8]) -> Option<Identity> {
    has(head, 0, b"LUKS\xba\xbe").then(|| {
        let text = head[168..208].split(|&byte| byte == 0).next();
        let text = escape(text.unwrap_or_default()).into_owned();
        found("crypto_LUKS", text, b"")
    })
}

fn lvm(head: &[u8]) -> Option<Identity> {
    let sectors = [0, 512, 1024, 1536];
    sectors
        .iter()
        .any(|at| has(head, *at, b"LABELONE") && has(head, at + 24, b"LVM2 001"))
        .then(|| found("LVM2_member", String::new(), b""))
}

fn ntfs(head: &[u8]) -> Option<Identity> {
    has(head, 3, b"NTFS    ").then(|| found("ntfs", format!("{:016X}", le64(head, 72)), b""))
}

/// File systems that only the appliance reads, by kind alone.
fn rare(head: &[u8]) -> Option<Identity> {
    let signs: [(usize, &[u8], &'static str); 4] = [
        (1024, &[0x10, 0x20, 0xf5, 0xf2], "f2fs"),
        (32 << 10, b"JFS1", "jfs"),
        ((64 << 10) + 52, b"ReIsEr2Fs", "reiserfs"),
        ((64 << 10) + 52, b"ReIsEr3Fs", "reiserfs"),
    ];
    let sign = signs.iter().find(|(at, magic, _)| has(head, *at, magic));
    sign.map(|(_, _, kind)| found(kind, String::new(), b""))
}

/// FAT keeps a 32-bit serial number; its label is padded with spaces.
fn fat(head: &[u8]) -> Option<Identity> {
    let at = if has(head, 82, b"FAT32   ") {
        67
    } else if has(head, 54, b"FAT12   ") || has(head, 54, b"FAT16   ") {
        39
    } else {
        return None;
    };
    let serial = le32(head, at);
    let label = head[at + 4..at + 15].trim_ascii_end();
    let label = if label == b"NO NAME" { b"" } else { label };
    Some(found(
        "vfat",
        format!("{:04X}-{:04X}", serial >> 16, serial & 0xffff),
        label,
    ))
}

fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("a String takes every write");
    }
    text
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn le64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_foreign_partitions_are_told_apart() {
        assert_eq!(identify(&mut &b""[..]).expect("reads"), Identity::default());
        let mut fat = vec![0; 512];
        fat[82..90].copy_from_slice(b"FAT32   ");
        fat[67..71].copy_from_slice(&0x1234_abcd_u32.to_le_bytes());
        fat[71..82].copy_from_slice(b"EFI\x1b       ");
        let fat = identify(&mut &fat[..]).expect("reads");
        assert_eq!(
            (fat.kind, &fat.uuid[..], &fat.label[..]),
            ("vfat", "1234-ABCD", "EFI\\x1b")
        );
        let mut rare = vec![0; 70_000];
        rare[1024..1028].copy_from_slice(&[0x10, 0x20, 0xf5, 0xf2]);
        assert_eq!(identify(&mut &rare[..]).expect("reads").kind, "f2fs");
        let mut swap = vec![0; 8192];
        swap[4086..4096].copy_from_slice(b"SWAPSPACE2");
        swap[1036] = 0xab;
        let swap = identify(&mut &swap[..]).expect("reads");
        assert_eq!(swap.uuid, "ab000000-0000-0000-0000-000000000000");
    }
}
