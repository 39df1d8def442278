//! A guest's bytes, read-only: one trait, and behind it a folder, an ext4 disk, or anything that libguestfs mounts.
//!
//! Nothing here writes to an image and nothing from the guest is executed. Paths never leave the guest.

mod blocks;
mod cache;
mod chunks;
mod damage;
mod direct;
mod directory;
pub(crate) mod ext4;
mod firmware;
mod fstab;
mod gpt;
mod heads;
mod identify;
pub mod image;
mod layout;
pub mod libguestfs;
mod mode;
mod nbd;
mod open;
mod partition;
#[cfg(test)]
pub(crate) mod tools;

pub(crate) use blocks::{Blocks, BlocksMut, Part};
pub use chunks::{CHUNK, each_chunk};
pub(crate) use direct::{ExtPlace, ext_places};
pub use firmware::boots_only_by_uefi;
pub use libguestfs::Accel;
pub(crate) use nbd::NbdDisk;
pub use open::{Backend, OpenOptions, open};

use crate::fault::{Explain, Kind};
use crate::job::{Cancelled, Job};
use crate::model::inventory::Origin;
use crate::model::{FileId, FileTree, Mount, Warning};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// More files than this are refused: the tree counts in 32 bits, and a guest must not exhaust the host's memory.
const MAX_FILES: usize = 10_000_000;

/// More bytes than this are not read at once: a sparse file may claim any size.
const MAX_READ: u64 = 1 << 30;

/// Why a guest could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// The host's file cannot be used.
    #[error("cannot {operation} {path}: {source}", path = .path.display())]
    Host {
        /// What was tried: `read`.
        operation: &'static str,
        /// The host's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not an image that can be used, and why.
    #[error("{path} is no usable disk image: {why}", path = .path.display())]
    Image {
        /// The host's file.
        path: PathBuf,
        /// One phrase.
        why: String,
    },
    /// The image takes contents from a file that lies elsewhere and that the user did not name.
    #[error("{image} takes contents from {file}, which lies outside of its folder", image = .image.display(), file = .file.display())]
    Outside {
        /// The image that the user named.
        image: PathBuf,
        /// The other file, all links followed.
        file: PathBuf,
    },
    /// The disk holds no operating system, or several.
    #[error("{0}")]
    System(String),
    /// What the disk holds is damaged, so that no system can be read.
    #[error("{what}")]
    Damaged {
        /// One sentence.
        what: String,
        /// The command that tells more.
        hint: String,
    },
    /// A part of the disk failed.
    #[error("cannot {operation} {path} in the guest: {why}")]
    Inside {
        /// What was tried.
        operation: &'static str,
        /// The guest's path, escaped.
        path: String,
        /// What the backend said, escaped.
        why: String,
    },
    /// libguestfs, its appliance or QEMU failed.
    #[error("libguestfs: cannot {operation}: {why}")]
    Appliance {
        /// What was tried.
        operation: String,
        /// What the library said, escaped.
        why: String,
    },
    /// This host or this build lacks something.
    #[error("{what}")]
    Unsupported {
        /// What is missing or cannot be read this way.
        what: String,
        /// The one command that installs it, or the way that works.
        hint: String,
    },
    /// Somebody asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Explain for GuestError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unsupported { .. } => Kind::Unsupported,
            Self::Cancelled(cancelled) => cancelled.kind(),
            _ => Kind::Failed,
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Unsupported { hint, .. } | Self::Damaged { hint, .. } => {
                Some(Cow::Borrowed(hint))
            }
            Self::Outside { file, .. } => Some(Cow::Owned(format!(
                "if you trust the image, `--allow-backing {}` lets it do so",
                file.display()
            ))),
            _ => None,
        }
    }
}

/// What a guest's disk looks like from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disk {
    /// Image, format, sizes, backend, partitions.
    pub origin: Origin,
    /// File systems in their places, the root first.
    pub mounts: Vec<Mount>,
}

/// Extended attributes of one file, ACLs too: values by full names (`security.capability`), as the file system holds them.
pub type Attributes = BTreeMap<Vec<u8>, Vec<u8>>;

/// One guest, open for reading.
pub trait Guest {
    /// The disk and what is mounted where.
    fn disk(&self) -> &Disk;

    /// Reads the whole tree. Every [`FileId`] used below is one of this tree.
    fn walk(&mut self, job: &Job) -> Result<(FileTree, Vec<Warning>), GuestError>;

    /// Reads up to `len` bytes of a regular file from `offset` on; fewer at its end, none beyond. No link is followed.
    fn read(
        &mut self,
        tree: &FileTree,
        file: FileId,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, GuestError>;

    /// A file's extended attributes; `None` where this reader cannot tell them.
    fn attributes(
        &mut self,
        _tree: &FileTree,
        _file: FileId,
    ) -> Result<Option<Attributes>, GuestError> {
        Ok(None)
    }
}
