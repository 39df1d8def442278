//! What of a superblock a writer must know, and which file systems it may write to.

use super::Fault;
use crate::export::disk::ext::{SUPERBLOCK, SUPERBLOCK_AT};
use crate::guest::Blocks;
use crate::guest::ext4::{Superblock, Unread, le16, le32};

/// Features whose records stay true when a file goes as here: `dir_prealloc`, `has_journal`, `ext_attr`, `resize_inode`,
/// `dir_index`, `sparse_super2`, `fast_commit`, `stable_inodes`, `orphan_file`.
const COMPATIBLE: u32 = 0x1 | 0x4 | 0x8 | 0x10 | 0x20 | 0x200 | 0x400 | 0x800 | 0x1000;
/// `filetype`, `extents`, `64bit`, `flex_bg`, `csum_seed`, `large_dir`.
const INCOMPATIBLE: u32 = 0x2 | 0x40 | 0x80 | 0x200 | 0x2000 | 0x4000;
/// `sparse_super`, `large_file`, `huge_file`, `dir_nlink`, `extra_isize`, `metadata_csum`. Not among them: quotas, and the
/// older checksums of groups alone.
const READ_ONLY: u32 = 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x400;

/// Larger blocks need other lengths in folders.
const LARGEST_BLOCK: u64 = 32 << 10;

/// The state of a file system that was unmounted and has no known error.
const CLEAN: u16 = 1;

/// A file system that may be written to.
#[derive(Debug)]
pub(super) struct Shape {
    /// Sizes and places.
    pub geometry: Superblock,
}

impl Shape {
    /// Reads it; `None` for one that only a kernel should write to.
    pub fn read(part: &mut dyn Blocks) -> Result<Option<Self>, Fault> {
        let geometry = match Superblock::read(part) {
            Ok(geometry) => geometry,
            Err(Unread::Disk(error)) => return Err(error.into()),
            Err(_) => return Ok(None),
        };
        let raw = part.bytes(SUPERBLOCK_AT, SUPERBLOCK)?;
        if raw.len() < SUPERBLOCK || !is_known(&raw) || geometry.block_size > LARGEST_BLOCK {
            return Ok(None);
        }
        let shape = Self { geometry };
        Ok(shape.is_sound().then_some(shape))
    }

    fn is_sound(&self) -> bool {
        let bits = self.geometry.block_size * 8;
        !self.geometry.is_mismatched
            && self.geometry.blocks_per_group.is_multiple_of(8)
            && u64::from(self.geometry.inodes_per_group) <= bits
            && self.geometry.inodes_per_group.is_multiple_of(8)
    }
}

fn is_known(raw: &[u8]) -> bool {
    let has_only = |at: usize, known: u32| le32(raw, at) & !known == 0;
    let (state, last_orphan, is_dynamic) = (le16(raw, 58), le32(raw, 232), le32(raw, 76) > 0);
    is_dynamic
        && has_only(92, COMPATIBLE)
        && has_only(96, INCOMPATIBLE)
        && has_only(100, READ_ONLY)
        && state == CLEAN
        && last_orphan == 0
}
