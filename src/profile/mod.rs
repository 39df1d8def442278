//! What the user meant, as a file: marks, rules, evidence and checks by name, never by id, so that it holds across
//! rebuilds of an image.
//!
//! The file is RON, made to be read and edited by hand; its grammar is [`form`]. Reading is strict: anything unknown
//! is an error with its line and column, because a mark that is silently ignored would cost a file.
//! A profile never names a path of the host and never runs anything on it.

mod drift;
mod error;
mod form;
mod made_on;
mod nearest;
mod selector;
#[cfg(test)]
mod tests;
mod wishes;
mod write;

pub use drift::{Drift, DriftKind, drift};
pub use error::ProfileError;

pub use made_on::MadeOn;
pub use nearest::nearest;
pub use wishes::{Check, Compression, Expect, ImageFormat, Output, Way};

use crate::model::Inventory;
use crate::plan::{Intent, Mark};
use std::io::{Read as _, Write as _};
use std::path::Path;

/// The version of the file format that is written; older ones still load.
pub const VERSION: u32 = 1;

/// The longest profile that is read, in bytes.
pub const MAX_LEN: u64 = 4 << 20;

/// A mark as a profile's file writes it: `keep(package("python3-numpy"), trimmed)`.
pub fn mark_text(mark: &Mark) -> String {
    write::ron(&form::MarkForm::from(mark))
}

/// An intent with a name, what it was made on, and what must still work afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile {
    /// The comment at the head of the file, kept when the profile is written again; other comments are not.
    pub comment: String,
    /// A short name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The guest that it was made on, for the drift report.
    pub made_on: Option<MadeOn>,
    /// Marks, rules, level and trace.
    pub intent: Intent,
    /// Commands that must still work in the exported guest.
    pub checks: Vec<Check>,
    /// The exported image's format and way.
    pub output: Output,
}

impl Profile {
    /// Reads a profile's text.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let (form, comment) = form::read(text)?;
        Ok(form.into_profile(comment))
    }

    /// Reads a profile's file.
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let host = |source| ProfileError::Host {
            operation: "read",
            path: path.to_owned(),
            source,
        };
        // A pipe or a device could block for ever or never end.
        if !std::fs::metadata(path).map_err(host)?.is_file() {
            return Err(ProfileError::NoFile(path.to_owned()));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(MAX_LEN + 1).read_to_end(&mut bytes))
            .map_err(host)?;
        if bytes.len() as u64 > MAX_LEN {
            return Err(ProfileError::TooLong(path.to_owned()));
        }
        let in_file = |error: ProfileError| error.in_file(path);
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| in_file(ProfileError::no_text(&bytes, error.valid_up_to())))?;
        Self::parse(text).map_err(in_file)
    }

    /// Records an intent together with the guest that it was made on.
    pub fn from_intent(name: &str, intent: &Intent, inventory: &Inventory) -> Self {
        Self {
            name: name.to_owned(),
            made_on: Some(MadeOn::of(inventory)),
            intent: intent.clone(),
            ..Self::default()
        }
    }

    /// What is wanted.
    pub fn intent(&self) -> Intent {
        self.intent.clone()
    }

    /// Writes a file that appears whole or not at all.
    pub fn write(&self, path: &Path, may_replace: bool) -> std::io::Result<()> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::Builder::new()
            .prefix(".guestslim-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
            .tempfile_in(folder)?;
        file.write_all(self.to_ron().as_bytes())?;
        file.as_file().sync_all()?;
        if may_replace {
            file.persist(path)?;
        } else {
            file.persist_noclobber(path)?;
        }
        Ok(())
    }

    /// The file's text; the same profile gives the same bytes.
    pub fn to_ron(&self) -> String {
        write::text(self)
    }
}
