//! What an error tells people besides its sentence: how it ends a command, and what to do about it.
//!
//! Every error type says so itself, also for the errors inside it, so that nobody above has to take it apart.

use std::borrow::Cow;
use std::error::Error;

/// How an error ends a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something failed, or was asked for in a wrong way.
    Failed,
    /// This host or this build lacks something.
    Unsupported,
    /// Somebody asked to stop.
    Cancelled,
}

/// An error that a person can act on.
pub trait Explain: Error {
    /// How it ends a command.
    fn kind(&self) -> Kind {
        Kind::Failed
    }

    /// What a person can do about it, one sentence; `None` when the message says it all.
    fn hint(&self) -> Option<Cow<'_, str>> {
        None
    }
}

/// A refusal where wishes meet facts, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl Explain for Refusal {
    fn hint(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(&self.hint))
    }
}
