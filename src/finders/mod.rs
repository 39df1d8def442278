//! Finders: each reads one kind of fact out of a guest's files and yields needs.
//!
//! A finder is a row of [`FINDERS`]. It sees the file tree, the packages and bytes on request; never a guest handle,
//! a screen or the host's disk. What it cannot parse is a warning, never a failure.

pub mod boot;
mod control;
pub mod dbus;
pub mod depends;
pub mod dlopen;
pub mod elf;
pub mod family;
#[cfg(test)]
mod fixture;
pub mod follow;
pub mod jar;
pub mod library;
pub mod modules;
pub mod octave;
pub mod pattern;
pub mod perl;
mod plugin;
mod programs;
pub mod python;
pub mod r;
mod scan;
pub mod shebang;
pub mod shell;
pub mod symbol_version;
pub mod symlink;
mod table;
pub mod tcl;
pub mod tree;
pub mod udev;
pub mod unit;

use crate::job::Cancelled;
use crate::model::{
    Components, Evidence, FileId, FileKind, FileTree, FinderId, Inventory, Need, Node, Resolved,
    Unmet, Warnings,
};
pub use scan::{Scan, is_spent};
pub use table::FINDERS;

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

impl Head {
    /// How many bytes tell.
    pub const LEN: usize = 256;

    /// Reads the first bytes of a file.
    pub fn parse(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"\x7fELF") {
            return Self::Elf;
        }
        let Some(rest) = bytes.strip_prefix(b"#!") else {
            return Self::Other;
        };
        let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
        Self::Script(line.trim_ascii().into())
    }
}

/// Longest text file that a finder reads whole.
const MAX_TEXT: usize = 1 << 20;

/// Reads a regular file's text at a path of the guest, links followed; `None` when there is none.
pub(crate) fn text(tree: &FileTree, source: &mut dyn Source, path: &[u8]) -> Option<Vec<u8>> {
    let file = tree.resolve(path)?.file;
    (tree.kind(file) == FileKind::Regular).then(|| read_text(tree, source, file))
}

/// Reads a regular file's text. What is longer than a configuration file may be is cut off.
pub(crate) fn read_text(tree: &FileTree, source: &mut dyn Source, file: FileId) -> Vec<u8> {
    source.read(tree, file, 0, MAX_TEXT)
}

/// The regular files at and below some paths, links followed, in tree order.
pub(crate) fn files_at(tree: &FileTree, paths: &[&[u8]]) -> Vec<FileId> {
    let mut files: Vec<FileId> = paths
        .iter()
        .filter_map(|path| tree.resolve(path))
        .flat_map(|end| tree.subtree(end.file).map(FileId))
        .filter(|&file| tree.kind(file) == FileKind::Regular)
        .collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// What a finder may look at.
pub struct Facts<'a> {
    /// Tree, packages, owners, boot chain.
    pub inventory: &'a Inventory,
    /// One element a file: read for executables and for names with `.so` in them.
    pub heads: &'a [Head],
    /// The loader's view of every ELF file.
    pub elves: &'a elf::Elves,
}

/// What finders yield.
#[derive(Debug, Default)]
pub struct Found {
    /// Edges.
    pub needs: Vec<Need>,
    /// Needs that nothing satisfies.
    pub unmet: Vec<Unmet>,
    /// What could not be parsed.
    pub warnings: Warnings,
    /// Units and the modules that can be named.
    pub components: Components,
    /// What patterns of paths may still cost.
    pub patterns: pattern::Budget,
    /// Bytes of the texts of edges.
    whats: usize,
    is_full: bool,
}

/// Who needs, how that is known and by which finder: what the edges of one file have in common.
#[derive(Debug, Clone, Copy)]
pub struct Because {
    /// The finder.
    pub finder: FinderId,
    /// Who needs.
    pub from: Node,
    /// How it is known.
    pub evidence: Evidence,
}

/// Most edges of one guest, some ten times those of a big one: what a hostile guest claims beyond them is left out.
const MAX_NEEDS: usize = 5_000_000;
/// Most needs without an answer.
const MAX_UNMET: usize = 500_000;
/// Longest text of an edge, and most bytes of the texts of all edges.
const MAX_WHAT: usize = 1024;
const MAX_WHATS: usize = 160 << 20;

impl Found {
    /// Adds an edge.
    pub fn need(&mut self, because: Because, to: impl Into<Node>, what: &[u8]) {
        if let Some(what) = self.room(self.needs.len() < MAX_NEEDS, what) {
            self.needs.push(Need {
                from: because.from,
                to: to.into(),
                finder: because.finder,
                evidence: because.evidence,
                what,
            });
        }
    }

    /// The text of one more edge, where there is room for it.
    fn room(&mut self, is_room: bool, what: &[u8]) -> Option<Box<[u8]>> {
        let what = &what[..what.len().min(MAX_WHAT)];
        self.is_full |= !is_room || self.whats + what.len() > MAX_WHATS;
        self.whats += what.len();
        (!self.is_full).then(|| what.into())
    }

    /// Adds an edge to the file at the end of a path and one to each link on the way.
    pub fn chain(&mut self, because: Because, end: &Resolved, what: &[u8]) {
        for &link in &end.links {
            self.need(because, link, what);
        }
        self.need(because, end.file, what);
    }

    /// Whether edges were left out.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Notes a need that nothing satisfies.
    pub fn miss(&mut self, because: Because, what: &[u8]) {
        if let Some(what) = self.room(self.unmet.len() < MAX_UNMET, what) {
            self.unmet.push(Unmet {
                from: because.from,
                finder: because.finder,
                what,
            });
        }
    }
}

/// A finder's function.
pub type Find = fn(&mut Scan<'_>) -> Result<(), Cancelled>;

/// One finder.
pub struct Finder {
    /// Short name in the code, in profiles and on the screen: `library`.
    pub id: &'static str,
    /// The verb phrase of the "why" chain: `A loads B`, here `loads`.
    pub verb: &'static str,
    /// What it reads, for the help and the README.
    pub reads: &'static str,
    /// What proves that an image still has what it finds.
    pub proof: Proof,
    /// How it runs.
    pub run: Run,
}

/// How a finder runs.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// This function adds what it finds.
    Find(Find),
    /// The finder of this id reads the same bytes and adds what this one finds too.
    With(&'static str),
}

/// The rung of `verify` that proves an image, before any machine is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A rung of this name: nothing is missing on the image that the source has. The second text says what can be missing.
    Unmet(&'static str, &'static str),
    /// The same for links that lead nowhere.
    Links(&'static str, &'static str),
    /// The rung of languages, under this language: what the source's modules need is on the image too.
    Language(&'static str),
    /// None: it shows when the image boots, in its units and in the checks.
    Running,
}

impl FinderId {
    /// The finder of this name.
    pub fn find(id: &str) -> Option<Self> {
        Self::all().find(|finder| finder.row().id == id)
    }

    /// All finders in the table's order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FINDERS.len() as u8).map(Self)
    }

    /// The row itself.
    pub fn row(self) -> &'static Finder {
        &FINDERS[usize::from(self.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_finder_is_found_by_its_id_and_nothing_else() {
        assert!(u8::try_from(FINDERS.len()).is_ok());
        let ids: HashSet<&str> = FINDERS.iter().map(|finder| finder.id).collect();
        assert_eq!(ids.len(), FINDERS.len());
        for finder in FinderId::all() {
            assert_eq!(FinderId::find(finder.row().id), Some(finder));
            if let Run::With(other) = finder.row().run {
                let other = FinderId::find(other).map(|other| other.row().run);
                assert!(matches!(other, Some(Run::Find(_))), "{}", finder.row().id);
            }
        }
        assert_eq!(FinderId::find("no-such-finder"), None);
    }

    #[test]
    fn every_language_of_the_table_has_its_proof() {
        let language = |id: &str| FinderId::find(id).map(|finder| finder.row().proof);
        for (id, expected) in [
            ("python-name", "Python"),
            ("java-archive", "Java"),
            ("java-runtime", "Java"),
            ("octave-package", "Octave"),
            ("tcl-package", "Tcl"),
        ] {
            assert_eq!(language(id), Some(Proof::Language(expected)), "{id}");
        }
    }
}
