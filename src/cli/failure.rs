//! From errors to sentences and exit codes.

use super::out::{ReaderGone, safe};
use crate::export::ExportError;
use crate::guest::GuestError;
use crate::job::Cancelled;
use crate::load::LoadError;
use crate::profile::ProfileError;
use crate::vm::VmError;
use std::io::Write as _;

/// Exit code of a usage error or failure.
pub const FAILED: u8 = 2;
/// Exit code when this host lacks something.
pub const UNSUPPORTED: u8 = 3;
/// Exit code after a signal.
pub const INTERRUPTED: u8 = 130;

/// A failure that is known where the arguments meet the facts, with what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// One sentence, safe.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Refusal {
    /// A refusal as an error.
    pub fn error(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
        .into()
    }
}

/// What the program returns for an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<ReaderGone>() {
        return 0;
    }
    error.chain().find_map(code_of).unwrap_or(FAILED)
}

/// Prints `error:`, `caused by:` and `hint:` lines to standard error.
pub fn print(error: &anyhow::Error) {
    if error.is::<ReaderGone>() {
        return;
    }
    // Nobody is left to tell when this fails too.
    let _ = std::io::stderr().lock().write_all(text(error).as_bytes());
}

/// The lines that [`print`] prints.
pub fn text(error: &anyhow::Error) -> String {
    if exit_code(error) == INTERRUPTED {
        return "interrupted\n".to_owned();
    }
    let mut last = safe(&error.to_string());
    let mut out = format!("error: {last}\n");
    for cause in error.chain().skip(1) {
        let cause = safe(&cause.to_string());
        // A message that ends in its cause has said it already.
        if !last.ends_with(&cause) {
            out += &format!("caused by: {cause}\n");
        }
        last = cause;
    }
    if let Some(hint) = error.chain().find_map(hint_of) {
        out += &format!("hint: {}\n", safe(&hint));
    }
    out
}

type Cause<'a> = &'a (dyn std::error::Error + 'static);

fn code_of(cause: Cause<'_>) -> Option<u8> {
    if is_cancelled(cause) {
        return Some(INTERRUPTED);
    }
    let is_unsupported = matches!(guest_error(cause), Some(GuestError::Unsupported { .. }))
        || matches!(cause.downcast_ref(), Some(VmError::Unsupported { .. }))
        || cause
            .downcast_ref::<ExportError>()
            .is_some_and(ExportError::is_unsupported);
    is_unsupported.then_some(UNSUPPORTED)
}

fn is_cancelled(cause: Cause<'_>) -> bool {
    cause.is::<Cancelled>()
        || matches!(cause.downcast_ref(), Some(LoadError::Cancelled(_)))
        || matches!(
            cause.downcast_ref(),
            Some(VmError::Cancelled(_) | VmError::Load(LoadError::Cancelled(_)))
        )
        || matches!(guest_error(cause), Some(GuestError::Cancelled(_)))
        || cause
            .downcast_ref::<ExportError>()
            .is_some_and(ExportError::is_cancelled)
}

fn hint_of(cause: Cause<'_>) -> Option<String> {
    if let Some(refusal) = cause.downcast_ref::<Refusal>() {
        return Some(refusal.hint.clone());
    }
    if let Some(GuestError::Unsupported { hint, .. }) = guest_error(cause) {
        return Some(hint.clone());
    }
    if let Some(GuestError::Outside { file, .. }) = guest_error(cause) {
        return Some(format!(
            "if you trust the image, `--allow-backing {}` lets it do so",
            file.display()
        ));
    }
    if let Some(VmError::Unsupported { hint, .. }) = cause.downcast_ref() {
        return Some(hint.clone());
    }
    let hint = match cause.downcast_ref::<ProfileError>() {
        Some(error) => error.hint(),
        None => cause.downcast_ref().and_then(ExportError::hint),
    };
    hint.map(str::to_owned)
}

/// The guest's error, also from inside an error that passes it on unchanged.
fn guest_error(cause: Cause<'_>) -> Option<&GuestError> {
    if let Some(LoadError::Guest(error)) = cause.downcast_ref() {
        return Some(error);
    }
    if let Some(VmError::Guest(error) | VmError::Load(LoadError::Guest(error))) =
        cause.downcast_ref()
    {
        return Some(error);
    }
    cause.downcast_ref()
}
