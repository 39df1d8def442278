//! Finders: each reads one kind of fact out of a guest's files and yields needs.
//!
//! A finder is a row of [`FINDERS`]. It sees the file tree, the packages and bytes on request; never a guest handle,
//! a screen or the host's disk. What it cannot parse is a warning, never a failure.

use crate::job::{Cancelled, Job};
use crate::model::{FileId, FileTree, Inventory, Need, Unmet, Warning};

/// A file's bytes on request. Failures are already warnings by the time that a finder sees an empty answer.
pub trait Source {
    /// Up to `len` bytes of a regular file from `offset` on; empty at the end, for other kinds, and on failure.
    fn read(&mut self, tree: &FileTree, file: FileId, offset: u64, len: usize) -> Vec<u8>;
}

/// What the first bytes of a file say that it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Head {
    /// Not looked at, or nothing special.
    #[default]
    Other,
    /// An ELF file.
    Elf,
    /// A script: the rest of its `#!` line, trimmed, without a newline.
    Script(Box<[u8]>),
}

/// What a finder may look at.
pub struct Facts<'a> {
    /// Tree, packages, owners, boot chain.
    pub inventory: &'a Inventory,
    /// One element a file: read for executables and for names with `.so` in them.
    pub heads: &'a [Head],
}

/// What finders yield.
#[derive(Debug, Default)]
pub struct Found {
    /// Edges.
    pub needs: Vec<Need>,
    /// Needs that nothing satisfies.
    pub unmet: Vec<Unmet>,
    /// What could not be parsed.
    pub warnings: Vec<Warning>,
}

/// One finder.
pub struct Finder {
    /// Short name in the code, in profiles and on the screen: `library`.
    pub id: &'static str,
    /// The verb phrase of the "why" chain: `A loads B`, here `loads`.
    pub verb: &'static str,
    /// What it reads, for the help and the README.
    pub reads: &'static str,
    /// Adds what it finds; its own row number comes first.
    pub find: fn(u8, &Facts<'_>, &mut dyn Source, &mut Found, &Job) -> Result<(), Cancelled>,
}

/// All finders. A row's position is its number in [`Need::finder`].
pub static FINDERS: &[Finder] = &[];
