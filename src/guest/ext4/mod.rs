//! A read-only reader of ext2, ext3 and ext4, for what a tree and its files' contents take.
//!
//! The crates for this give neither inode numbers nor link counts, without which hard links would count twice. The
//! format is that of the kernel's Documentation/filesystems/ext4. The disk is hostile: each offset is checked where it
//! is read, nothing recurses, [`Seen`] bounds every loop by the disk's own size, and one damaged piece is a warning. What a
//! disk needs beyond this (an unclean journal, encryption, inline data) is refused as unsupported, and libguestfs can
//! still read it.

mod attributes;
pub(crate) mod checksum;
mod folder;
mod groups;
mod growth;
mod inode;
mod map;
mod seen;
mod superblock;
mod walk;

pub(crate) use folder::entries;
use groups::Groups;
pub(super) use growth::{Fault, Growth};
pub(super) use inode::Inode;
pub(super) use seen::Seen;
pub(crate) use superblock::{Superblock, is_copy};
pub(super) use walk::{Covered, Place, walk};

use super::MAX_FILES;
use super::blocks::Blocks;
use crate::job::{Cancelled, Job};
use crate::model::text::escape;
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
    /// More names than a tree holds.
    #[error("more than {MAX_FILES} files")]
    TooMany,
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

    /// What is wrong with one piece of a file system, of which the rest can be read all the same; or the error that ends
    /// the whole.
    pub(super) fn of_piece(self) -> Result<String, Self> {
        match self {
            Self::Broken(why) | Self::Unsupported(why) => Ok(why),
            Self::Disk(error) if !is_gone(&error) => Ok(error.to_string()),
            fatal => Err(fatal),
        }
    }
}

/// Whether nothing of the disk can be read any more, since who serves it has gone.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::BrokenPipe
            | Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::NotConnected
            | Kind::TimedOut
            | Kind::UnexpectedEof
            | Kind::WouldBlock
    )
}

/// One file system; its bytes come with each call.
#[derive(Debug)]
pub(super) struct Ext {
    superblock: Superblock,
    groups: Groups,
}

/// What came of looking for a path.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// The inode at the path, if there is one.
    pub inode: Option<Inode>,
    /// What is damaged on the way, so that the path may be there although it was not found.
    pub fault: Option<String>,
}

impl Ext {
    /// The root folder's inode number.
    const ROOT: u32 = 2;

    /// Reads superblock and descriptors, and checks that all that the file system needs is known here.
    pub fn open(part: &mut dyn Blocks, job: &Job) -> Result<Self, Unread> {
        let superblock = Superblock::read(part)?;
        let groups = Groups::read(part, &superblock, job)?;
        Ok(Self { superblock, groups })
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.superblock.used()
    }

    /// Where to remember what one look sees.
    pub fn seen<'a>(&self, job: &'a Job) -> Seen<'a> {
        Seen::new(&self.superblock, job)
    }

    /// What is damaged in the file system as a whole.
    pub fn faults(&self) -> Vec<String> {
        let superblock = &self.superblock;
        let marked = superblock
            .has_errors
            .then(|| "the file system is marked as having errors".to_owned());
        let sum = superblock
            .is_mismatched
            .then(|| "the superblock has a wrong checksum".to_owned());
        let faults = marked.into_iter().chain(sum);
        faults.chain(self.groups.faults.iter().cloned()).collect()
    }

    /// The root folder's own facts and inode number.
    pub fn root_entry(&self, part: &mut dyn Blocks) -> Result<(Entry, u32), Unread> {
        let inode = self.inode(part, Self::ROOT)?;
        Ok((inode.entry(FileKind::Directory), Self::ROOT))
    }

    /// The inode at a path of plain names; no symlink is followed.
    pub fn lookup(&self, part: &mut dyn Blocks, path: &[u8], job: &Job) -> Result<Looked, Unread> {
        let mut looked = Looked::default();
        let mut seen = self.seen(job);
        let mut at = self.inode(part, Self::ROOT)?;
        if at.kind() != Some(FileKind::Directory) {
            return Err(Unread::broken("its root is no folder"));
        }
        for name in path
            .split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
        {
            if at.kind() != Some(FileKind::Directory) {
                return Ok(looked);
            }
            let mut number = None;
            let found = self.folder(part, &at, &mut seen, &mut |other, inode| {
                if other == name {
                    number = Some(inode);
                }
            });
            let on_the_way = |why| format!("{why} (on the way to {})", escape(path));
            match found.map_err(Unread::of_piece) {
                Ok(fault) => looked.fault = looked.fault.or(fault.map(on_the_way)),
                Err(why) => looked.fault = Some(on_the_way(why?)),
            }
            let Some(number) = number else {
                return Ok(looked);
            };
            match self.inode(part, number).map_err(Unread::of_piece) {
                Ok(inode) => at = inode,
                Err(why) => {
                    looked.fault = Some(on_the_way(why?));
                    return Ok(looked);
                }
            }
        }
        looked.inode = Some(at);
        Ok(looked)
    }

    /// Up to `len` bytes of a file from `offset` on; holes are zeros.
    pub fn read(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        offset: u64,
        len: usize,
        seen: &mut Seen<'_>,
    ) -> Result<Vec<u8>, Unread> {
        let rest = inode.size.saturating_sub(offset);
        let len = usize::try_from(rest).map_or(len, |rest| rest.min(len));
        if len == 0 {
            return Ok(Vec::new());
        }
        let width = self.superblock.block_size;
        let (first, last) = (offset / width, (offset + (len as u64 - 1)) / width);
        let mut bytes = vec![0; len];
        for run in self.runs(part, inode, first, last - first + 1, seen)? {
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
    pub fn link(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        seen: &mut Seen<'_>,
    ) -> Result<Vec<u8>, Unread> {
        if let Some(target) = inode.short_link() {
            return Ok(target.to_vec());
        }
        if inode.size > self.superblock.block_size {
            return Err(Unread::broken("a symlink longer than a block"));
        }
        self.read(part, inode, 0, inode.size as usize, seen)
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
