//! Why a profile could not be read, with the place and a hint.

use super::nearest::nearest;
use crate::fault::Explain;
use crate::model::text::{boundary, short};
use ron::error::{Error as Ron, SpannedError};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Longest sentence, in bytes.
const MAX_LINE: usize = 2000;

/// Why a profile could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
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
    /// A folder, a pipe or a device.
    #[error("{path} is no regular file", path = .0.display())]
    NoFile(PathBuf),
    /// Longer than any profile.
    #[error("{path} is longer than 4 MiB: this is no profile", path = .0.display())]
    TooLong(PathBuf),
    /// A place that is not understood.
    #[error("{place}line {line}, column {column}: {message}", place = .path.as_ref().map(|path| format!("{}, ", path.display())).unwrap_or_default())]
    Syntax {
        /// The file, when it was read from one.
        path: Option<PathBuf>,
        /// 1-based line.
        line: usize,
        /// 1-based column, in characters.
        column: usize,
        /// What is wrong, one phrase.
        message: String,
        /// What to do about it; empty when nothing helpful is known.
        hint: String,
    },
}

impl Explain for ProfileError {
    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Syntax { hint, .. } if !hint.is_empty() => Some(hint.into()),
            Self::NoFile(_) | Self::TooLong(_) => {
                Some("give the path of a .ron file, as `guestslim profile show` prints them".into())
            }
            _ => None,
        }
    }
}

impl ProfileError {
    pub(super) fn in_file(mut self, file: &Path) -> Self {
        if let Self::Syntax { path, .. } = &mut self {
            *path = Some(file.to_owned());
        }
        self
    }

    pub(super) fn at(line: usize, column: usize, message: String, hint: String) -> Self {
        Self::Syntax {
            path: None,
            line,
            column,
            message,
            hint,
        }
    }

    /// The bytes from `good` on are no UTF-8.
    pub(super) fn no_text(bytes: &[u8], good: usize) -> Self {
        let before = String::from_utf8_lossy(&bytes[..good]);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let hint = "a profile is UTF-8 text; other bytes of a path are written as \\\\xNN";
        Self::at(line, column, "not UTF-8 text".into(), hint.into())
    }

    pub(super) fn from_ron(error: &SpannedError) -> Self {
        let start = error.span.start;
        let (message, hint) = explain(&error.code);
        Self::at(start.line, start.col, message, hint)
    }
}

/// A phrase and a hint for what the RON reader met.
fn explain(error: &Ron) -> (String, String) {
    match error {
        Ron::NoSuchStructField {
            expected, found, ..
        } => unknown("field", found, expected),
        Ron::NoSuchEnumVariant {
            expected, found, ..
        } => unknown("word", found, expected),
        Ron::MissingStructField { field, .. } => (
            format!("the field `{field}` is missing"),
            match *field {
                "version" => "add `version: 1,` as the first field".into(),
                field => format!("add `{field}: ...,`"),
            },
        ),
        Ron::DuplicateStructField { field, .. } => (
            format!("the field `{field}` is there twice"),
            "leave one of the two".into(),
        ),
        Ron::ExceededRecursionLimit => (
            "nested too deeply".into(),
            "a profile needs five levels of brackets, not more".into(),
        ),
        Ron::Eof => (
            "the text ends too early".into(),
            "close every `(`, `[`, `{` and `\"`".into(),
        ),
        Ron::ExpectedNamedStructLike(_)
        | Ron::ExpectedStructLike
        | Ron::ExpectedDifferentStructName { .. } => (
            "expected `(`".into(),
            "a profile starts with `(` and ends with `)`".into(),
        ),
        Ron::TrailingCharacters => (
            "there is text after the closing `)`".into(),
            "a file holds one profile".into(),
        ),
        // What our own types refuse: the hint follows a newline.
        Ron::Message(text) => {
            let (message, hint) = text.split_once('\n').unwrap_or((text, ""));
            (short_line(message), short_line(hint))
        }
        other => (
            lower_first(&short(other.to_string().as_bytes())),
            String::new(),
        ),
    }
}

fn unknown(what: &str, found: &str, expected: &[&str]) -> (String, String) {
    let message = format!("unknown {what} `{}`", short(found.as_bytes()));
    let hint = match nearest(found, expected.iter().copied()).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("possible here: {}", expected.join(", ")),
    };
    (message, hint)
}

/// A sentence that may quote the profile, cut where it is too long.
fn short_line(text: &str) -> String {
    let end = boundary(text, MAX_LINE);
    if end < text.len() {
        format!("{}...", &text[..end])
    } else {
        text.to_owned()
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}
