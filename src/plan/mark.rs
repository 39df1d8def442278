//! The scientist's intent: marks with selectors that hold across rebuilds of an image.

use super::Level;

/// What a mark is about, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selector {
    /// Packages by name or glob, `name:arch` for one architecture.
    Package(String),
    /// Paths by glob (`*` within a part, `**` across parts), as [`escape`](crate::model::text::escape)d text; a
    /// folder stands for all that is in it.
    Path(String),
    /// A language's module: `python`, `scipy.linalg`.
    Module {
        /// `python`, `r`, `perl` ...
        language: String,
        /// As the language writes it.
        name: String,
    },
    /// A way in or a service that a person names: `console`, `ssh`, `cloud-init`.
    Feature(String),
}

/// What is wanted of it.
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
    /// What it is about.
    pub selector: Selector,
    /// What is wanted.
    pub wish: Wish,
}
