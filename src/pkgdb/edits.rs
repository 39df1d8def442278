//! What an export changes in the package manager's own files: what goes comes in, new contents and links come out.

use crate::model::{FileId, FileTree, Inventory, PackageId};
use fixedbitset::FixedBitSet;

/// What goes, as plain facts.
pub struct Change<'a> {
    /// The guest before the export.
    pub inventory: &'a Inventory,
    /// Files that go, one bit a file; no folder among them.
    pub files: &'a FixedBitSet,
    /// Packages that go with their records, one bit a package.
    pub packages: &'a FixedBitSet,
    /// Packages that stay and are cut deeper than by rules, one bit a package.
    pub cut: &'a FixedBitSet,
}

impl<'a> Change<'a> {
    /// The packages that stay or that go.
    pub fn packages(&self, stay: bool) -> impl Iterator<Item = PackageId> + use<'a> {
        let gone = self.packages;
        let all = self.inventory.package_ids();
        all.filter(move |id| gone.contains(id.index()) != stay)
    }

    /// Whether a file goes.
    pub fn goes(&self, file: FileId) -> bool {
        self.files.contains(file.index())
    }

    /// Whether the file at this path, its own links not followed, was there and goes.
    pub fn loses(&self, path: &[u8]) -> bool {
        let found = self.inventory.tree.resolve_parent(path);
        found.is_some_and(|found| self.goes(found.file))
    }

    /// Whether there is a file at this path, and it stays.
    pub fn keeps(&self, path: &[u8]) -> bool {
        let found = self.inventory.tree.resolve_parent(path);
        found.is_some_and(|found| !self.goes(found.file))
    }
}

/// What was cut out of packages that stay and must not come back.
pub struct Exclusions<'a> {
    /// The guest before the export.
    pub inventory: &'a Inventory,
    /// The ids of the rules that took files of packages, in their order.
    pub rules: &'a [&'static str],
    /// Files that stay, one bit a file.
    pub kept: &'a FixedBitSet,
    /// Files that must not come back with the next version of their package, one bit a file.
    pub cut: &'a FixedBitSet,
}

/// Everything that changes in the package manager's own files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Edits {
    /// Files with new contents. A binary database is one too.
    pub texts: Vec<NewText>,
    /// Symlinks with new targets.
    pub links: Vec<NewLink>,
    /// Files that take other names: from, to, where nothing is any more.
    pub moves: Vec<(Vec<u8>, Vec<u8>)>,
}

/// A file's new contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewText {
    /// The guest's path: no symlink on the way.
    pub path: Vec<u8>,
    /// All of its contents from now on.
    pub content: Vec<u8>,
    /// Whether there is no such file yet.
    pub is_new: bool,
    /// Why, one phrase.
    pub why: String,
}

/// A symlink's new target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    /// The guest's path of the link: no symlink on the way.
    pub path: Vec<u8>,
    /// What it says from now on.
    pub target: Vec<u8>,
    /// Why, one phrase.
    pub why: String,
}

/// The path, with a number where an earlier export has left a file of this name.
pub fn free_name(tree: &FileTree, stem: &[u8], ending: &[u8]) -> Vec<u8> {
    let first = [stem, ending].concat();
    let numbered =
        (2..).map(|number: u32| [stem, format!("-{number}").as_bytes(), ending].concat());
    std::iter::once(first)
        .chain(numbered)
        .find(|path| tree.resolve_parent(path).is_none())
        .expect("a tree has fewer files than there are numbers")
}
