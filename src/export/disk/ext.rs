//! The command that makes an ext2/3/4 file system like another one: same identifiers, features and settings, so that a
//! boot loader that could read the old one can read the new one. Layout of the superblock: the kernel's `ext4.h`.

use crate::guest::libguestfs::quoted;
use std::fmt::Write as _;

/// Where the superblock begins in its partition.
pub(in crate::export) const SUPERBLOCK_AT: u64 = 1024;
/// The length of the superblock.
pub(in crate::export) const SUPERBLOCK: usize = 1024;

/// A feature's bit, and mke2fs(8)'s name for it.
type Feature = (u32, &'static str);

/// Features by the word that holds them: its offset, those that are taken over with mke2fs(8)'s names for them, and those that the
/// next mount makes or that mean nothing for a new file system.
const FEATURES: [(usize, &[Feature], u32); 3] = [
    (
        92,
        &[
            (0x4, "has_journal"),
            (0x8, "ext_attr"),
            (0x10, "resize_inode"),
            (0x20, "dir_index"),
            (0x400, "fast_commit"),
            (0x800, "stable_inodes"),
            (0x1000, "orphan_file"),
        ],
        0x1,
    ),
    (
        96,
        &[
            (0x2, "filetype"),
            (0x10, "meta_bg"),
            (0x40, "extent"),
            (0x80, "64bit"),
            (0x200, "flex_bg"),
            (0x400, "ea_inode"),
            (0x2000, "metadata_csum_seed"),
            (0x4000, "large_dir"),
            (0x8000, "inline_data"),
        ],
        0x4,
    ),
    (
        100,
        &[
            (0x1, "sparse_super"),
            (0x2, "large_file"),
            (0x8, "huge_file"),
            (0x10, "uninit_bg"),
            (0x20, "dir_nlink"),
            (0x40, "extra_isize"),
            (0x400, "metadata_csum"),
        ],
        0x1_0000,
    ),
];

/// Why file systems with other features are not made anew.
const REFUSED: [(usize, u32, &str); 6] = [
    (96, 0x100, "protection against two mounts"),
    (96, 0x1_0000, "encrypted files"),
    (96, 0x2_0000, "case folding"),
    (100, 0x200, "clusters of blocks"),
    (100, 0x2000 | 0x100, "quotas"),
    (100, 0x8000, "sealed files"),
];

/// Default mount options: bit, tune2fs(8)'s name, whether a new file system has it.
const MOUNT_OPTIONS: [(u32, &str, bool); 9] = [
    (0x1, "debug", false),
    (0x2, "bsdgroups", false),
    (0x4, "user_xattr", true),
    (0x8, "acl", true),
    (0x10, "uid16", false),
    (0x100, "nobarrier", false),
    (0x200, "block_validity", false),
    (0x400, "discard", false),
    (0x800, "nodelalloc", false),
];
const JOURNAL_MODES: [&str; 3] = [
    "journal_data",
    "journal_data_ordered",
    "journal_data_writeback",
];

/// The shell's line that makes, on `device`, a file system of `size` bytes with at least `inodes` inodes, like the one of this
/// superblock; or why that cannot be.
pub(in crate::export) fn make(
    raw: &[u8],
    device: &str,
    size: u64,
    inodes: u64,
) -> Result<Vec<u8>, String> {
    if raw.len() < SUPERBLOCK || raw[56..58] != [0x53, 0xef] {
        return Err("it has no ext superblock".to_owned());
    }
    let features = features(raw)?;
    let block = block_size(raw);
    let blocks = size / block;
    let is_wide = le32(raw, 96) & 0x80 != 0;
    let wide = |low: usize, high: usize| {
        u64::from(le32(raw, low))
            | if is_wide {
                u64::from(le32(raw, high)) << 32
            } else {
                0
            }
    };
    let old_blocks = wide(4, 0x150).max(1);
    let per_inode = (old_blocks.saturating_mul(block) / u64::from(le32(raw, 0)).max(1)).max(1024);
    let inodes = inodes.max(size / per_inode);
    #[expect(clippy::cast_precision_loss, reason = "a share, in per cent")]
    let reserved = (wide(8, 0x154) as f64 * 100.0 / old_blocks as f64).clamp(0.0, 50.0);
    let inode_size = le16(raw, 88).clamp(128, 4096);
    let mut line = format!(
        "mke2fs -q -F -t ext4 -b {block} -I {inode_size} -N {inodes} -m {reserved:.3} -U {uuid} \
         -O none,{features} -E nodiscard,lazy_itable_init=0,lazy_journal_init=0,hash_seed={seed}{resize}",
        features = features.join(","),
        uuid = uuid(raw, 104),
        seed = uuid(raw, 236),
        resize = growth(raw, block, blocks),
    )
    .into_bytes();
    let label = raw[120..136]
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default();
    if !label.is_empty() {
        line.extend_from_slice(b" -L ");
        line.extend(quoted(label));
    }
    line.extend(format!(" {device} {blocks} && {}", settings(raw, device)).into_bytes());
    Ok(line)
}

/// Bytes in a block.
pub(in crate::export) fn block_size(raw: &[u8]) -> u64 {
    1024 << le32(raw, 24).min(6)
}

fn features(raw: &[u8]) -> Result<Vec<&'static str>, String> {
    for (word, bits, what) in REFUSED {
        if le32(raw, word) & bits != 0 {
            return Err(format!("it has {what}"));
        }
    }
    let mut names = Vec::new();
    for (word, known, passing) in FEATURES {
        let mut rest = le32(raw, word) & !passing;
        for (bit, name) in known {
            if rest & bit != 0 {
                names.push(*name);
                rest &= !bit;
            }
        }
        if rest != 0 {
            return Err(format!(
                "it has a feature that is not known here ({word}: {rest:#x})"
            ));
        }
    }
    Ok(names)
}

/// How far it can grow without features that a boot loader may not know: as far as the old one could.
fn growth(raw: &[u8], block: u64, blocks: u64) -> String {
    let has_reserve = le32(raw, 92) & 0x10 != 0;
    let descriptor = if le32(raw, 96) & 0x80 != 0 { 64 } else { 32 };
    let per_group = u64::from(le32(raw, 32));
    let old_groups = u64::from(le32(raw, 4)).div_ceil(per_group.max(1));
    let in_block = block / descriptor;
    let descriptors = old_groups.div_ceil(in_block) + u64::from(le16(raw, 206));
    let most = (descriptors * in_block).saturating_mul(per_group);
    if has_reserve && most > blocks && u32::try_from(most).is_ok() {
        format!(",resize={most}")
    } else {
        String::new()
    }
}

/// The line that sets what mke2fs(8) has no option for.
fn settings(raw: &[u8], device: &str) -> String {
    let errors = match le16(raw, 60) {
        2 => "remount-ro",
        3 => "panic",
        _ => "continue",
    };
    let most_mounts = le16(raw, 54).cast_signed();
    let days = le32(raw, 68) / 86_400;
    let mut line = format!("tune2fs -e {errors} -c {most_mounts} -i {days}d");
    let options = le32(raw, 256);
    let mut words: Vec<String> = MOUNT_OPTIONS
        .iter()
        .filter(|(bit, _, is_there)| (options & bit != 0) != *is_there)
        .map(|(_, name, is_there)| format!("{}{name}", if *is_there { "^" } else { "" }))
        .collect();
    let mode = (options >> 5) & 3;
    words.extend(
        mode.checked_sub(1)
            .map(|mode| JOURNAL_MODES[mode as usize].to_owned()),
    );
    if !words.is_empty() {
        write!(line, " -o {}", words.join(",")).expect("a String takes every write");
    }
    write!(line, " {device} >/dev/null").expect("a String takes every write");
    line
}

fn uuid(raw: &[u8], at: usize) -> String {
    let mut text = String::with_capacity(36);
    for (place, byte) in raw[at..at + 16].iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("a String takes every write");
    }
    text
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn superblock(set: &[(usize, &[u8])]) -> Vec<u8> {
        let mut raw = vec![0; SUPERBLOCK];
        let plain: [(usize, &[u8]); 12] = [
            (0, &131_072u32.to_le_bytes()),
            (4, &524_032u32.to_le_bytes()),
            (8, &26_201u32.to_le_bytes()),
            (24, &2u32.to_le_bytes()),
            (32, &32_768u32.to_le_bytes()),
            (54, &(-1i16).to_le_bytes()),
            (56, &[0x53, 0xef]),
            (88, &256u16.to_le_bytes()),
            (92, &0x3cu32.to_le_bytes()),
            (96, &0x2c6u32.to_le_bytes()),
            (100, &0x46bu32.to_le_bytes()),
            (206, &255u16.to_le_bytes()),
        ];
        for (at, bytes) in plain
            .iter()
            .chain(&[(256, &0xcu32.to_le_bytes()[..])])
            .chain(set)
        {
            raw[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        raw
    }

    #[test]
    fn a_file_system_is_made_as_the_old_one_was() {
        let raw = superblock(&[(104, &[0xab; 16]), (120, b"it's; reboot")]);
        let line = make(&raw, "/dev/new1", 1 << 30, 5).expect("nothing unusual");
        insta::assert_snapshot!(String::from_utf8(line).expect("text"), @r"mke2fs -q -F -t ext4 -b 4096 -I 256 -N 65568 -m 5.000 -U abababab-abab-abab-abab-abababababab -O none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize,metadata_csum -E nodiscard,lazy_itable_init=0,lazy_journal_init=0,hash_seed=00000000-0000-0000-0000-000000000000,resize=536870912 -L 'it'\''s; reboot' /dev/new1 262144 && tune2fs -e continue -c -1 -i 0d /dev/new1 >/dev/null");
    }

    #[test]
    fn settings_that_differ_from_the_usual_are_set() {
        let raw = superblock(&[
            (54, &30i16.to_le_bytes()),
            (60, &2u16.to_le_bytes()),
            (68, &(86_400u32 * 180).to_le_bytes()),
            (256, &0x468u32.to_le_bytes()),
        ]);
        insta::assert_snapshot!(settings(&raw, "/dev/new1"), @"tune2fs -e remount-ro -c 30 -i 180d -o ^user_xattr,discard,journal_data_writeback /dev/new1 >/dev/null");
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        let refused = |at: usize, bits: u32| {
            let raw = superblock(&[(at, &bits.to_le_bytes())]);
            make(&raw, "/dev/new1", 1 << 30, 5).expect_err("it must not be made anew")
        };
        assert_eq!(refused(96, 0x1_0000), "it has encrypted files");
        assert_eq!(refused(100, 0x200), "it has clusters of blocks");
        assert!(refused(96, 0x4000_0000).contains("not known"));
        assert!(make(&[0; SUPERBLOCK], "/dev/new1", 1 << 30, 5).is_err());
    }

    #[test]
    fn any_superblock_is_survived() {
        let mut raw = vec![0xff; SUPERBLOCK];
        raw[56..58].copy_from_slice(&[0x53, 0xef]);
        assert!(make(&raw, "/dev/new1", 1 << 30, 5).is_err());
        for (at, bits) in [(92, 0x10u32), (96, 0), (100, 0)] {
            raw[at..at + 4].copy_from_slice(&bits.to_le_bytes());
        }
        make(&raw, "/dev/new1", 1 << 30, 5).expect("odd, but known");
        let empty = superblock(&[(0, &[0; 24]), (32, &[0; 4])]);
        make(&empty, "/dev/new1", 0, 0).expect("odd, but known");
    }
}
