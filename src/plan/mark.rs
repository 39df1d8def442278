//! The user's intent: marks with selectors that hold across rebuilds of an image.

use super::Level;
use crate::model::{FileId, Node};

/// Selects packages and files by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Packages by name or glob, `name:arch` for one architecture.
    Package(String),
    /// Paths by glob (`*` within a part, `**` across parts), as [`escape`](crate::model::text::escape)d text; a
    /// folder stands for everything in it.
    Path(String),
    /// A language's module: `python`, `scipy.linalg`.
    Module {
        /// `python`, `r`, `perl`, with `@/opt/science` behind it for one environment only.
        language: String,
        /// As the language writes it, or a glob.
        name: String,
    },
    /// A way in or a service that a person names: `console`, `ssh`, `cloud-init`.
    Feature(String),
}

/// The user's wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// It stays, at this level.
    Keep(Level),
    /// It goes, unless something that stays needs it.
    Drop,
}

/// One mark.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mark {
    /// What the mark selects.
    pub selector: Selector,
    /// What is wanted.
    pub wish: Wish,
}

/// A mark and what it selects in one guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedMark {
    /// What is wanted.
    pub wish: Wish,
    /// Packages and files; a folder stands for everything in it.
    pub nodes: Vec<Node>,
    /// The parts of the components of the modules that it is about; a keep mark below trimmed cuts them to what something
    /// names.
    pub parts: Vec<FileId>,
    /// The selector as a person reads it, for findings.
    pub label: String,
}

impl std::fmt::Display for Selector {
    /// The selector as profiles and the screen name it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Package(pattern) => write!(f, "package {pattern}"),
            Self::Path(pattern) => write!(f, "path {pattern}"),
            Self::Module { language, name } => write!(f, "module {language}:{name}"),
            Self::Feature(name) => write!(f, "feature {name}"),
        }
    }
}
