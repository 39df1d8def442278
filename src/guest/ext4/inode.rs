//! Inodes: what a file is and where its blocks are written down.

use super::{Ext, Unread, le16, le32};
use crate::guest::blocks::Blocks;
use crate::guest::mode::kind_of;
use crate::model::{Entry, FileKind};

/// Flags of `i_flags`.
const EXTENTS: u32 = 0x8_0000;
const HUGE_FILE: u32 = 0x4_0000;
const INLINE_DATA: u32 = 0x1000_0000;
const ENCRYPTED: u32 = 0x800;

/// One inode, decoded.
#[derive(Debug, Clone)]
pub(in crate::guest) struct Inode {
    /// Type and permissions.
    pub mode: u32,
    /// Length of the contents in bytes.
    pub size: u64,
    /// How many names it has.
    pub links: u16,
    uid: u32,
    gid: u32,
    allocated: u64,
    modified: i64,
    flags: u32,
    /// The block map's root, or a short symlink's target.
    pub(super) map: [u8; 60],
}

impl Ext {
    /// Reads an inode by number.
    pub fn inode(&self, part: &mut dyn Blocks, number: u32) -> Result<Inode, Unread> {
        let start = self.inode_start(part, number)?;
        // 160 bytes hold all that is looked at; the rest are extended attributes.
        let mut raw = [0; 160];
        let len = self.superblock.inode_size.min(160) as usize;
        part.read_at(start, &mut raw[..len])?;
        let inode = Inode::parse(&raw, len, self.superblock.block_size);
        inode.check()?;
        Ok(inode)
    }

    /// Where an inode's bytes begin.
    pub(super) fn inode_start(&self, part: &mut dyn Blocks, number: u32) -> Result<u64, Unread> {
        let superblock = &self.superblock;
        if number == 0 || number > superblock.inodes {
            return Err(Unread::broken(format!("inode {number} does not exist")));
        }
        let (group, place) = (
            u64::from((number - 1) / superblock.inodes_per_group),
            u64::from((number - 1) % superblock.inodes_per_group),
        );
        let table = self.inode_table(part, group)?;
        let start = table
            .checked_mul(superblock.block_size)
            .and_then(|start| start.checked_add(place * superblock.inode_size));
        start.ok_or_else(|| Unread::broken("an inode table beyond the disk"))
    }

    fn inode_table(&self, part: &mut dyn Blocks, group: u64) -> Result<u64, Unread> {
        let width = self.superblock.descriptor_size;
        let mut raw = [0; 64];
        let len = width.min(64) as usize;
        part.read_at(self.superblock.descriptors + group * width, &mut raw[..len])?;
        // A descriptor of 32 bytes leaves the upper half zero.
        Ok(u64::from(le32(&raw, 40)) << 32 | u64::from(le32(&raw, 8)))
    }
}

impl Inode {
    fn parse(raw: &[u8; 160], len: usize, block_size: u64) -> Self {
        let half =
            |low: usize, high: usize| u32::from(le16(raw, high)) << 16 | u32::from(le16(raw, low));
        let flags = le32(raw, 32);
        let blocks = u64::from(le16(raw, 116)) << 32 | u64::from(le32(raw, 28));
        let unit = if flags & HUGE_FILE == 0 {
            512
        } else {
            block_size
        };
        let mode = u32::from(le16(raw, 0));
        let has_long_size = matches!(kind_of(mode), Some(FileKind::Regular | FileKind::Directory));
        let size_high = if has_long_size {
            u64::from(le32(raw, 108))
        } else {
            0
        };
        Self {
            mode,
            size: size_high << 32 | u64::from(le32(raw, 4)),
            links: le16(raw, 26),
            uid: half(2, 120),
            gid: half(24, 122),
            allocated: blocks.saturating_mul(unit),
            modified: modified(raw, len),
            flags,
            map: raw[40..100].try_into().expect("sixty bytes"),
        }
    }

    fn check(&self) -> Result<(), Unread> {
        if self.flags & INLINE_DATA != 0 || self.flags & ENCRYPTED != 0 {
            return Err(Unread::Unsupported(
                "a file with inline or encrypted data".to_owned(),
            ));
        }
        Ok(())
    }

    /// What it is; `None` for one that is not in use.
    pub fn kind(&self) -> Option<FileKind> {
        kind_of(self.mode)
    }

    /// Whether its blocks are listed as extents.
    pub(super) fn has_extents(&self) -> bool {
        self.flags & EXTENTS != 0
    }

    /// The target of a symlink that is kept in the inode itself.
    pub(super) fn short_link(&self) -> Option<&[u8]> {
        let len = usize::try_from(self.size).ok()?;
        (len < self.map.len() && !self.has_extents()).then(|| &self.map[..len])
    }

    /// The tree's entry, but for a symlink's target.
    pub(super) fn entry(&self, kind: FileKind) -> Entry {
        let has_size = matches!(
            kind,
            FileKind::Regular | FileKind::Directory | FileKind::Symlink
        );
        Entry {
            mode: self.mode & 0o7777,
            uid: self.uid,
            gid: self.gid,
            size: if has_size { self.size } else { 0 },
            allocated: self.allocated,
            modified: self.modified,
            ..Entry::new(kind)
        }
    }
}

/// `i_mtime` with the two bits of `i_mtime_extra` that carry it beyond 2038, where the inode is long enough.
fn modified(raw: &[u8; 160], len: usize) -> i64 {
    let seconds = i64::from(le32(raw, 16).cast_signed());
    let has_extra = len >= 140 && le16(raw, 128) >= 12;
    let epoch = if has_extra {
        i64::from(le32(raw, 136) & 3)
    } else {
        0
    };
    seconds + (epoch << 32)
}
