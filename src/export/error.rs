//! Why an export did not happen. Whatever is said here, the source is untouched and there is no output.

use super::options::Way;
use crate::fault::{Explain, Kind};
use crate::guest::GuestError;
use crate::job::Cancelled;
use crate::model::Bytes;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Why an export was refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// Something is at the output's path already.
    #[error("{path} exists already", path = .0.display())]
    Exists(PathBuf),
    /// The output's path cannot be that of a file.
    #[error("{path} cannot be the output: {why}", path = .path.display())]
    Output {
        /// As given.
        path: PathBuf,
        /// One phrase.
        why: &'static str,
    },
    /// The output would be the source itself.
    #[error("{path} is the source image itself", path = .0.display())]
    IsSource(PathBuf),
    /// The source is a folder.
    #[error("{path} is a folder: it has no disk to export", path = .0.display())]
    IsFolder(PathBuf),
    /// The source was written to by somebody while it was read.
    #[error("{path} changed while it was exported", path = .0.display())]
    SourceChanged(PathBuf),
    /// The output's file system is too full.
    #[error("no room for the output at {path}: it needs about {needed}, {free} are free", path = .path.display())]
    NoRoom {
        /// The output's folder.
        path: PathBuf,
        /// The overlay and the output together.
        needed: Bytes,
        /// What an ordinary user may still fill.
        free: Bytes,
    },
    /// The output's file system filled up meanwhile.
    #[error("{path} filled up while the output was written", path = .0.display())]
    Full(PathBuf),
    /// A file of the host failed.
    #[error("cannot {operation} {path}: {source}", path = .path.display())]
    Host {
        /// What was tried: `create`.
        operation: &'static str,
        /// The host's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A program of the host is missing.
    #[error("{0} is not installed")]
    Missing(&'static str),
    /// A program of the host failed.
    #[error("{program} cannot {operation}: {why}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it was asked for.
        operation: &'static str,
        /// The end of what it said, escaped.
        why: String,
    },
    /// The appliance could not do its part.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// A file system was read but cannot be mounted for writing; its mount point, escaped.
    #[error("the file system at {0} cannot be mounted for writing")]
    NotMounted(String),
    /// A file system is not in order after the changes.
    #[error("the check of {device} found errors: {why}")]
    Check {
        /// The appliance's name of it.
        device: String,
        /// The end of what the checker said, escaped.
        why: String,
    },
    /// This image cannot be written in this way.
    #[error("the way `{}` does not work for this image: {why}", way.name())]
    Way {
        /// The way.
        way: Way,
        /// One phrase about the image.
        why: String,
    },
    /// The initramfs is to be replaced, and there is none, or nothing that takes its place.
    #[error("the default boot entry has no initramfs that could be made anew")]
    NoInitramfs,
    /// The host's own tools cannot make this output; the appliance may.
    #[error("it cannot be made without the appliance: {0}")]
    NeedsAppliance(String),
    /// Somebody asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Explain for ExportError {
    fn kind(&self) -> Kind {
        if self.is_cancelled() {
            Kind::Cancelled
        } else if self.is_unsupported() {
            Kind::Unsupported
        } else {
            Kind::Failed
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Guest(error) => error.hint(),
            _ => self.hint().map(Cow::Borrowed),
        }
    }
}

impl ExportError {
    /// What a person can do about it, one sentence; `None` when the message says it all.
    pub fn hint(&self) -> Option<&str> {
        Some(match self {
            Self::Exists(_) => "choose another name, or replace it with --force",
            Self::IsSource(_) => "the source is never written; choose another name",
            Self::IsFolder(_) => "export works on disk images: qcow2, raw, vmdk, vdi",
            Self::SourceChanged(_) => "shut the virtual machine down first",
            Self::NoRoom { .. } | Self::Full(_) => {
                "free some space, or put the output on another file system"
            }
            Self::Missing(_) => "apt-get install qemu-utils",
            Self::Check { .. } => {
                "repair the source's file system first (e2fsck), then export again"
            }
            Self::NotMounted(_) => {
                "guestslim inspect --backend libguestfs shows what can be mounted"
            }
            Self::Way { .. } => "`--way in-place` writes any image",
            Self::Guest(GuestError::Unsupported { hint, .. }) => hint,
            _ => return None,
        })
    }

    /// Whether this host lacks something rather than that something failed.
    pub fn is_unsupported(&self) -> bool {
        matches!(
            self,
            Self::Missing(_)
                | Self::IsFolder(_)
                | Self::Way { .. }
                | Self::NoInitramfs
                | Self::Guest(GuestError::Unsupported { .. })
        )
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Cancelled(_) | Self::Guest(GuestError::Cancelled(_))
        )
    }

    /// Wraps a failure of one of the host's files.
    pub(super) fn host(
        operation: &'static str,
        path: &Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Host {
            operation,
            path,
            source,
        }
    }
}
