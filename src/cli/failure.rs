//! From errors to sentences and exit codes.

use super::out::ReaderGone;
use crate::fault::{Kind, Refusal};
use crate::replay::told;
use std::io::Write as _;

/// Exit code of a usage error or failure.
pub const FAILED: u8 = 2;
/// Exit code when this host lacks something.
pub const UNSUPPORTED: u8 = 3;
/// Exit code after a signal.
pub const INTERRUPTED: u8 = 130;

/// A refusal as an error.
pub fn refuse(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
    Refusal::new(message, hint).into()
}

/// What the program returns for an error.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<ReaderGone>() {
        return 0;
    }
    match told(error.as_ref()).kind {
        Kind::Failed => FAILED,
        Kind::Unsupported => UNSUPPORTED,
        Kind::Cancelled => INTERRUPTED,
    }
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
    let told = told(error.as_ref());
    if told.kind == Kind::Cancelled {
        return "interrupted\n".to_owned();
    }
    let mut out = format!("error: {}\n", told.sentence);
    for cause in told.causes {
        out += &format!("caused by: {cause}\n");
    }
    if let Some(hint) = told.hint {
        out += &format!("hint: {hint}\n");
    }
    out
}
