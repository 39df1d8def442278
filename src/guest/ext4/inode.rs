//! Inodes: what a file is and where its blocks are written down.

use super::{Ext, Unread, checksum, le16, le32};
use crate::guest::blocks::Blocks;
use crate::guest::mode::kind_of;
use crate::model::{Entry, FileKind};

/// Flags of `i_flags`.
const EXTENTS: u32 = 0x8_0000;
const HUGE_FILE: u32 = 0x4_0000;
const INLINE_DATA: u32 = 0x1000_0000;
const ENCRYPTED: u32 = 0x800;

/// Fields up to here are looked at; behind them are extended attributes.
const FIELDS: usize = 160;

/// What is wrong with an inode of inline data.
pub(super) const INLINE: &str =
    "its inode is marked as inline data on a file system without inline data";

/// One inode, decoded.
#[derive(Debug, Clone)]
pub(in crate::guest) struct Inode {
    /// Its number.
    pub number: u32,
    /// Type and permissions.
    pub mode: u32,
    /// Length of the contents in bytes.
    pub size: u64,
    /// How many names it has.
    pub links: u16,
    /// Whether its checksum is another one than it should be.
    is_mismatched: bool,
    uid: u32,
    gid: u32,
    allocated: u64,
    modified: i64,
    flags: u32,
    generation: u32,
    /// The block map's root, or a short symlink's target.
    pub(super) map: [u8; 60],
}

impl Ext {
    /// Reads an inode by number.
    pub fn inode(&self, part: &mut dyn Blocks, number: u32) -> Result<Inode, Unread> {
        let start = self.inode_start(number)?;
        let mut raw = vec![0; self.superblock.inode_size as usize];
        part.read_at(start, &mut raw)?;
        let len = raw.len().min(FIELDS);
        let mut fields = [0; FIELDS];
        fields[..len].copy_from_slice(&raw[..len]);
        let mut inode = Inode::parse(&fields, len, self.superblock.block_size);
        inode.number = number;
        let seed = self.own_seed(&inode);
        inode.is_mismatched = seed.is_some_and(|seed| !checksum::inode_holds(seed, &raw));
        Ok(inode)
    }

    /// Where the checksums of an inode's own records start, where there are any.
    pub(super) fn own_seed(&self, inode: &Inode) -> Option<u32> {
        let seed = self.superblock.seed?;
        Some(checksum::of_inode(seed, inode.number, inode.generation))
    }

    /// Where an inode's bytes begin.
    pub(super) fn inode_start(&self, number: u32) -> Result<u64, Unread> {
        let superblock = &self.superblock;
        if number == 0 || number > superblock.inodes {
            return Err(Unread::broken(format!("inode {number} does not exist")));
        }
        let (group, place) = (
            u64::from((number - 1) / superblock.inodes_per_group),
            u64::from((number - 1) % superblock.inodes_per_group),
        );
        let Some(table) = self.groups.table(group) else {
            return Err(Unread::broken(format!(
                "inode {number} is in block group {group}, whose descriptor is damaged"
            )));
        };
        Ok(table * superblock.block_size + place * superblock.inode_size)
    }
}

impl Inode {
    fn parse(raw: &[u8; FIELDS], len: usize, block_size: u64) -> Self {
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
            number: 0,
            is_mismatched: false,
            generation: le32(raw, 100),
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

    /// What is wrong with it, although it can be read. Where a file system has encryption or inline data, this reader
    /// does not read it; where it has neither, an inode's flag for them is damage.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if self.is_mismatched {
            return Some("its inode has a wrong checksum");
        }
        if self.is_inline() {
            return Some(INLINE);
        }
        (self.flags & ENCRYPTED != 0).then_some(
            "its inode is marked as encrypted on a file system without encryption; it is read as it is",
        )
    }

    /// Whether its contents are marked to be in the inode itself, which this reader does not know.
    pub(super) fn is_inline(&self) -> bool {
        self.flags & INLINE_DATA != 0
    }

    /// What it is; `None` for one that is not in use.
    pub fn kind(&self) -> Option<FileKind> {
        kind_of(self.mode)
    }

    /// Whether its blocks are listed as extents.
    pub(super) fn has_extents(&self) -> bool {
        self.flags & EXTENTS != 0
    }

    /// Whether its extents fill blocks of their own.
    pub(super) fn has_tree(&self) -> bool {
        self.has_extents() && le16(&self.map, 6) > 0
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
fn modified(raw: &[u8; FIELDS], len: usize) -> i64 {
    let seconds = i64::from(le32(raw, 16).cast_signed());
    let has_extra = len >= 140 && le16(raw, 128) >= 12;
    let epoch = if has_extra {
        i64::from(le32(raw, 136) & 3)
    } else {
        0
    };
    seconds + (epoch << 32)
}
