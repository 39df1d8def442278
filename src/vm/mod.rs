//! Throw-away machines: a guest's image booted under QEMU, on an overlay that vanishes with the process.
//!
//! A machine starts in one of two ways. Through the image's own boot loader, where only the serial console can be watched; and
//! directly, with the guest's own kernel, initramfs and command line, where one more archive behind the initramfs carries the *tracer*:
//! a small static program that needs no agent, no account and no file in the guest, runs commands in the booted system and
//! reports over a second serial port. Neither way writes to the image, gives it a network unless asked, or shares a folder with it.
//!
//! All that comes back is the guest's word and is treated so: bounded in time and bytes, parsed with care, escaped when shown.

mod accel;
mod boot;
mod console;
mod direct;
mod firmware;
mod initramfs;
mod machine;
mod record;
mod subject;
pub mod wire;

pub use accel::{Working, tied_to_us};
pub use boot::{LoaderBoot, boot_by_loader};
pub use console::Console;
pub use direct::{Direct, Session, choose_accel, run_commands};
pub use machine::{Caps, SPARE_SERIAL};
pub use record::{Outcome, Record};
pub use subject::Subject;

use crate::fault::{Explain, Kind};
use crate::guest::GuestError;
use crate::job::Cancelled;
use std::borrow::Cow;
use std::path::PathBuf;

/// Why a machine could not be run. What the guest does wrong is no error but a verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VmError {
    /// The host's file cannot be used.
    #[error("cannot {operation} {path}: {source}", path = .path.display())]
    Host {
        /// What was tried: `write`.
        operation: &'static str,
        /// The host's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// This host or this build lacks something.
    #[error("{what}")]
    Unsupported {
        /// What is missing.
        what: String,
        /// The one command that installs it, or the way that works.
        hint: String,
    },
    /// QEMU itself failed.
    #[error("QEMU failed: {0}")]
    Qemu(String),
    /// The guest cannot be started this way, and why.
    #[error("the guest cannot be started directly: {0}")]
    NotDirect(String),
    /// What was to be done in the machine failed there, and how.
    #[error("in the throw-away machine: {0}")]
    Inside(String),
    /// The guest's kernel or initramfs could not be read.
    #[error(transparent)]
    Guest(GuestError),
    /// The guest could not be loaded.
    #[error(transparent)]
    Load(#[from] crate::load::LoadError),
    /// Somebody asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Explain for VmError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unsupported { .. } => Kind::Unsupported,
            Self::Guest(error) => error.kind(),
            Self::Load(error) => error.kind(),
            Self::Cancelled(cancelled) => cancelled.kind(),
            Self::Host { .. } | Self::Qemu(_) | Self::NotDirect(_) | Self::Inside(_) => {
                Kind::Failed
            }
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Unsupported { hint, .. } => Some(Cow::Borrowed(hint)),
            Self::Guest(error) => error.hint(),
            Self::Load(error) => error.hint(),
            _ => None,
        }
    }
}

impl From<GuestError> for VmError {
    /// A cancel is a cancel wherever it came.
    fn from(error: GuestError) -> Self {
        match error {
            GuestError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            error => Self::Guest(error),
        }
    }
}

impl VmError {
    pub(crate) fn host(
        operation: &'static str,
        path: &std::path::Path,
        source: std::io::Error,
    ) -> Self {
        Self::Host {
            operation,
            path: path.to_path_buf(),
            source,
        }
    }
}
