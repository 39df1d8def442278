//! The superblock: geometry and features.

use super::{Unread, checksum, le16, le32};
use crate::guest::blocks::Blocks;

/// Incompatible features.
const RECOVER: u32 = 0x4;
const EXTENTS: u32 = 0x40;
const WIDE: u32 = 0x80;
/// `filetype`, `mmp`, `flex_bg`, `ea_inode`, `csum_seed`, `large_dir`: nothing that a reader of names and contents must heed.
const HARMLESS: u32 = 0x2 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000;
const FILETYPE: u32 = 0x2;

const CSUM_SEED: u32 = 0x2000;

/// Features that keep from writing only: one changes what numbers mean, one gives most records a checksum.
const BIGALLOC: u32 = 0x200;
const METADATA_CSUM: u32 = 0x400;

/// The only kind of checksums that there is, CRC-32C.
const CRC32C: u8 = 1;

/// Linux has room for more groups; a disk of 128 TiB has this many.
const MOST_GROUPS: u64 = 1 << 20;

/// What each unsupported feature is called.
const NAMES: [(u32, &str); 6] = [
    (RECOVER, "an unclean journal"),
    (0x8, "an external journal"),
    (0x10, "the meta_bg layout"),
    (0x8000, "inline data"),
    (0x1_0000, "encryption"),
    (0x2_0000, "case folding"),
];

/// Geometry in bytes and blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Superblock {
    /// Bytes in a block.
    pub block_size: u64,
    /// Blocks of the whole file system.
    pub blocks: u64,
    /// Free blocks.
    pub free: u64,
    /// Number of inodes; they count from 1.
    pub inodes: u32,
    /// Inodes in a group.
    pub inodes_per_group: u32,
    /// Bytes of an inode on disk.
    pub inode_size: u64,
    /// Offset of the group descriptors.
    pub descriptors: u64,
    /// Bytes of a group descriptor.
    pub descriptor_size: u64,
    /// Whether folder entries carry the file's type, in what is else the upper half of the name's length.
    pub has_types: bool,
    /// Whether the kernel found errors in it.
    pub has_errors: bool,
    /// The first block of the first group.
    pub first_block: u64,
    /// Blocks in a group.
    pub blocks_per_group: u64,
    /// Where all checksums start, where there are any.
    pub seed: Option<u32>,
    /// Whether the superblock itself has another checksum than it should.
    pub is_mismatched: bool,
}

impl Superblock {
    /// Reads and checks it.
    pub fn read(part: &mut dyn Blocks) -> Result<Self, Unread> {
        let raw = part.bytes(1024, 1024)?;
        if raw.len() < 1024 || le16(&raw, 56) != 0xef53 {
            return Err(Unread::broken("no ext superblock"));
        }
        let superblock = Self::parse(&raw)?;
        let end = superblock.blocks.saturating_mul(superblock.block_size);
        if end > part.size() {
            if superblock.is_mismatched {
                return Err(Unread::broken("its superblock has a wrong checksum"));
            }
            if superblock.differs_from_copy(part) {
                return Err(Unread::broken(
                    "its superblock and the copy of it differ in the number of blocks",
                ));
            }
            return Err(Unread::CutOff {
                end,
                size: part.size(),
            });
        }
        Ok(superblock)
    }

    fn parse(raw: &[u8]) -> Result<Self, Unread> {
        let shift = le32(raw, 24);
        if shift > 6 {
            return Err(Unread::broken(
                "its superblock has an impossible block size",
            ));
        }
        let block_size = 1024u64 << shift;
        let is_dynamic = le32(raw, 76) > 0;
        let (incompatible, read_only) = if is_dynamic {
            (le32(raw, 96), le32(raw, 100))
        } else {
            (0, 0)
        };
        let has_sums = read_only & METADATA_CSUM != 0;
        let is_mismatched = has_sums && le32(raw, 1020) != checksum::superblock(raw);
        if has_sums && raw[373] != CRC32C && !is_mismatched {
            return Err(Unread::Unsupported(
                "an ext file system with checksums of an unknown kind".to_owned(),
            ));
        }
        match check_features(incompatible, read_only) {
            Err(_) if is_mismatched => {
                return Err(Unread::broken("its superblock has a wrong checksum"));
            }
            checked => checked?,
        }
        let is_wide = incompatible & WIDE != 0;
        let superblock = Self {
            block_size,
            blocks: wide(raw, 4, 0x150, is_wide),
            free: wide(raw, 12, 0x158, is_wide),
            inodes: le32(raw, 0),
            inodes_per_group: le32(raw, 40),
            inode_size: if is_dynamic {
                u64::from(le16(raw, 88))
            } else {
                128
            },
            descriptors: (u64::from(le32(raw, 20)) + 1) * block_size,
            descriptor_size: if is_wide {
                u64::from(le16(raw, 254)).max(32)
            } else {
                32
            },
            has_types: incompatible & FILETYPE != 0,
            has_errors: le16(raw, 58) & 2 != 0,
            first_block: u64::from(le32(raw, 20)),
            blocks_per_group: u64::from(le32(raw, 32)),
            seed: has_sums.then(|| seed(raw, incompatible)),
            is_mismatched,
        };
        superblock.check()?;
        Ok(superblock)
    }

    fn check(&self) -> Result<(), Unread> {
        let is_sound = self.inodes_per_group > 0
            && self.inodes >= 2
            && self.first_block < self.blocks
            && (1..=self.block_size * 8).contains(&self.blocks_per_group)
            && self.inode_size.is_power_of_two()
            && (128..=self.block_size).contains(&self.inode_size)
            && self.descriptor_size.is_power_of_two()
            && self.descriptor_size <= 1024;
        if !is_sound {
            return Err(Unread::broken("its superblock contradicts itself"));
        }
        if self.groups() > MOST_GROUPS {
            return Err(Unread::Unsupported(format!(
                "an ext file system with more than {MOST_GROUPS} groups"
            )));
        }
        Ok(())
    }

    /// Whether the second group has a copy of the superblock that has another number of blocks.
    fn differs_from_copy(&self, part: &mut dyn Blocks) -> bool {
        let start = (self.first_block + self.blocks_per_group) * self.block_size;
        let Ok(raw) = part.bytes(start, 1024) else {
            return false;
        };
        is_copy(&raw) && self.blocks != wide(&raw, 4, 0x150, le32(&raw, 96) & WIDE != 0)
    }

    /// How many groups of blocks there are.
    pub fn groups(&self) -> u64 {
        (self.blocks - self.first_block).div_ceil(self.blocks_per_group)
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.blocks
            .saturating_sub(self.free)
            .saturating_mul(self.block_size)
    }
}

/// Whether this is the second group's copy of a superblock.
pub(crate) fn is_copy(raw: &[u8]) -> bool {
    raw.len() == 1024 && le16(raw, 56) == 0xef53 && le16(raw, 90) == 1
}

/// Where all checksums start: written down, or made of the file system's UUID.
fn seed(raw: &[u8], incompatible: u32) -> u32 {
    if incompatible & CSUM_SEED != 0 {
        return le32(raw, 624);
    }
    checksum::crc(u32::MAX, &raw[104..120])
}

fn wide(raw: &[u8], low: usize, high: usize, is_wide: bool) -> u64 {
    let high = if is_wide { le32(raw, high) } else { 0 };
    u64::from(high) << 32 | u64::from(le32(raw, low))
}

fn check_features(incompatible: u32, read_only: u32) -> Result<(), Unread> {
    let beyond = incompatible & !(HARMLESS | EXTENTS | WIDE);
    let name = NAMES
        .iter()
        .find(|(bit, _)| beyond & bit != 0)
        .map(|(_, name)| (*name).to_owned());
    let name = match name {
        None if beyond != 0 => Some(format!("the feature {beyond:#x}")),
        None if read_only & BIGALLOC != 0 => Some("clusters of blocks (bigalloc)".to_owned()),
        name => name,
    };
    match name {
        Some(name) => Err(Unread::Unsupported(format!(
            "an ext file system with {name}"
        ))),
        None => Ok(()),
    }
}
