//! A read-only reader of ext2, ext3 and ext4, for what a tree and its files' contents take.
//!
//! The crates for this give neither inode numbers nor link counts, without which hard links would count twice. The
//! format is that of the kernel's Documentation/filesystems/ext4. The disk is hostile: each offset is checked where it
//! is read, nothing recurses, and every loop is bounded by the file system's own size. What a disk needs beyond this
//! (an unclean journal, encryption, inline data) is refused as unsupported, and libguestfs can still read it.

mod attributes;
mod folder;
mod inode;
mod map;
mod superblock;
mod walk;

pub(crate) use folder::entries;
pub(super) use inode::Inode;
pub(crate) use superblock::Superblock;
pub(super) use walk::{Covered, Growth, walk};

use super::blocks::Blocks;
use crate::job::Cancelled;
use crate::model::{Entry, FileKind};
use std::io;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// Sound, but beyond this reader.
    #[error("{0}")]
    Unsupported(String),
    /// Not as an ext file system must be.
    #[error("{0}")]
    Broken(String),
    /// The file system does not fit in its disk.
    #[error("it ends at byte {end} of a partition of {size} bytes")]
    CutOff {
        /// Its own size in bytes.
        end: u64,
        /// What is there.
        size: u64,
    },
    /// The disk below failed.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// Somebody asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Unread {
    fn broken(what: impl Into<String>) -> Self {
        Self::Broken(what.into())
    }
}

/// One file system; its bytes come with each call.
#[derive(Debug)]
pub(super) struct Ext {
    superblock: Superblock,
}

impl Ext {
    /// The root folder's inode number.
    const ROOT: u32 = 2;

    /// Reads the superblock and checks that all it needs is known here.
    pub fn open(part: &mut dyn Blocks) -> Result<Self, Unread> {
        let superblock = Superblock::read(part)?;
        Ok(Self { superblock })
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.superblock.used()
    }

    /// Whether the kernel marked it as having errors.
    pub fn has_errors(&self) -> bool {
        self.superblock.has_errors
    }

    /// The root folder's own facts and inode number.
    pub fn root_entry(&self, part: &mut dyn Blocks) -> Result<(Entry, u32), Unread> {
        let inode = self.inode(part, Self::ROOT)?;
        Ok((inode.entry(FileKind::Directory), Self::ROOT))
    }

    /// The inode at a path of plain names; no symlink is followed. `None` when there is none.
    pub fn lookup(&self, part: &mut dyn Blocks, path: &[u8]) -> Result<Option<Inode>, Unread> {
        let mut at = self.inode(part, Self::ROOT)?;
        for name in path
            .split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
        {
            if at.kind() != Some(FileKind::Directory) {
                return Ok(None);
            }
            let names = self.folder(part, &at)?;
            let found = names.into_iter().find(|entry| *entry.name == *name);
            match found {
                Some(entry) => at = self.inode(part, entry.inode)?,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// Up to `len` bytes of a file from `offset` on; holes are zeros.
    pub fn read(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, Unread> {
        let rest = inode.size.saturating_sub(offset);
        let len = usize::try_from(rest).map_or(len, |rest| rest.min(len));
        if len == 0 {
            return Ok(Vec::new());
        }
        let width = self.superblock.block_size;
        let (first, last) = (offset / width, (offset + (len as u64 - 1)) / width);
        let mut bytes = vec![0; len];
        for run in self.runs(part, inode, first, last - first + 1)? {
            // The run's own bytes, cut to what was asked for.
            let from = (run.logical * width).max(offset);
            let to = ((run.logical + run.count) * width).min(offset + len as u64);
            let start = run.physical * width + (from - run.logical * width);
            let target = &mut bytes[(from - offset) as usize..(to - offset) as usize];
            part.read_at(start, target)?;
        }
        Ok(bytes)
    }

    /// A symlink's target.
    pub fn link(&self, part: &mut dyn Blocks, inode: &Inode) -> Result<Vec<u8>, Unread> {
        if let Some(target) = inode.short_link() {
            return Ok(target.to_vec());
        }
        if inode.size > self.superblock.block_size {
            return Err(Unread::broken("a symlink longer than a block"));
        }
        self.read(part, inode, 0, inode.size as usize)
    }
}

/// Two bytes as a number.
pub(crate) fn le16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

/// Four bytes as a number.
pub(crate) fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
