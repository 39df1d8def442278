//! What commands print: whole texts on standard output, safe for a terminal.

pub use crate::model::text::safe;
use serde::Serialize;
use std::io::{self, Write as _};

/// The reader of our standard output is gone: nothing is wrong, and nobody is left to tell.
#[derive(Debug, thiserror::Error)]
#[error("the reader of the output is gone")]
pub struct ReaderGone;

/// Prints a text to standard output.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        Err(error) => Err(anyhow::Error::new(error).context("cannot write to standard output")),
    }
}

/// Prints a value as JSON: fields in the order of their declaration, two blanks a level, a newline at the end.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}
