//! Why a stage of the workflow was not reached.

use crate::export::ExportError;
use crate::fault::{Explain, Kind, Refusal};
use crate::load::LoadError;
use crate::vm::VmError;
use std::borrow::Cow;
use std::path::PathBuf;

/// Why a stage was not reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Two wishes do not go together, or a wish and what is there.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The source could not be opened.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There is no output.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A throw-away machine could not be run.
    #[error(transparent)]
    Vm(#[from] VmError),
    /// There is an output, and nothing is known of it.
    #[error("the output is written, but could not be verified")]
    NotVerified(#[source] VmError),
    /// There is an output that was verified, and its report does not say so.
    #[error("the output is written, but not the last word of its report")]
    NotReported(#[source] ExportError),
    /// The healed profile could not be written.
    #[error("cannot write {path}", path = .path.display())]
    Profile {
        /// The host's file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ReplayError {
    /// The error that this one passes on unchanged; those that have a sentence of their own name theirs as their source.
    fn inner(&self) -> Option<&dyn Explain> {
        Some(match self {
            Self::Refused(error) => error,
            Self::Load(error) => error,
            Self::Export(error) => error,
            Self::Vm(error) => error,
            Self::NotVerified(_) | Self::NotReported(_) | Self::Profile { .. } => return None,
        })
    }
}

impl Explain for ReplayError {
    fn kind(&self) -> Kind {
        self.inner().map_or(Kind::Failed, Explain::kind)
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        self.inner().and_then(Explain::hint)
    }
}
