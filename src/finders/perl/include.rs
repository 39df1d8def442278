//! `@INC`: the folders in which Perl looks for modules, and what lies in them.

use crate::finders::pattern;
use crate::model::{FileId, FileKind, FileTree};
use std::collections::BTreeMap;

/// The folders of Debian's `@INC` in its order, then those of other systems. `5.*` stands for a version, a star for an
/// architecture.
const PATTERNS: [&str; 14] = [
    "/etc/perl",
    "/usr/local/lib/*/perl/5.*",
    "/usr/local/share/perl/5.*",
    "/usr/lib/*/perl5/5.*",
    "/usr/share/perl5",
    "/usr/lib/*/perl-base",
    "/usr/lib/*/perl/5.*",
    "/usr/share/perl/5.*",
    "/usr/local/lib/site_perl",
    "/usr/local/lib*/perl5",
    "/usr/local/share/perl5",
    "/usr/lib*/perl5/vendor_perl",
    "/usr/share/perl5/vendor_perl",
    "/usr/lib*/perl5",
];
/// Most folders: each module is looked for in all of them.
const MAX_ROOTS: usize = 64;
/// The folders of perl's own big standard library.
const STANDARD: [&str; 2] = ["/usr/lib/*/perl/5.*", "/usr/share/perl/5.*"];

/// All folders of `@INC` that exist, in order, links followed.
pub struct Include {
    pub roots: Vec<FileId>,
    standard: Vec<FileId>,
    /// Perl's whole Unicode tables.
    pub tables: Option<FileId>,
}

/// Where a module lies.
pub struct Place {
    /// The folder of `@INC`.
    pub root: FileId,
    /// `JSON/XS.pm`.
    pub path: String,
}

impl Include {
    /// Looks for the folders.
    pub fn new(tree: &FileTree, budget: &mut pattern::Budget) -> Self {
        let mut expand = |patterns: &[&str]| {
            let mut roots: Vec<FileId> = Vec::new();
            for pattern in patterns {
                for end in pattern::expand_from(tree, FileId::ROOT, pattern.as_bytes(), budget) {
                    let is_room = roots.len() < MAX_ROOTS;
                    if is_room && tree.is_directory(end.file) && !roots.contains(&end.file) {
                        roots.push(end.file);
                    }
                }
            }
            roots
        };
        let standard = expand(&STANDARD);
        let tables = standard
            .iter()
            .find_map(|&root| tree.child(root, b"unicore"));
        Self {
            roots: expand(&PATTERNS),
            standard,
            tables,
        }
    }

    /// Whether a folder is one of perl's own big standard library.
    pub fn is_standard(&self, root: FileId) -> bool {
        self.standard.contains(&root)
    }

    /// The place of a module's source below a folder of `@INC`, the innermost one.
    pub fn module(&self, tree: &FileTree, file: FileId) -> Option<Place> {
        if !tree.name(file).ends_with(b".pm") || tree.kind(file) != FileKind::Regular {
            return None;
        }
        let roots = self.roots.iter().copied();
        let root = roots.filter(|&root| tree.is_within(file, root)).max()?;
        let path = tree.path(file).split_off(tree.path(root).len() + 1);
        let path = String::from_utf8(path).ok()?;
        Some(Place { root, path })
    }

    /// The source that Perl opens for a path like `JSON/XS.pm`, and the links on the way. Folders that the script adds itself
    /// come first, then `@INC`, then the script's own folder and `lib` beside it.
    pub fn find(&self, tree: &FileTree, here: FileId, own: &[FileId], path: &str) -> Vec<FileId> {
        let beside = tree.child(tree.parent(here), b"lib");
        let places = own.iter().copied().chain(self.roots.iter().copied());
        places
            .chain([here])
            .chain(beside)
            .find_map(|root| {
                let end = tree.resolve_from(root, path.as_bytes(), true)?;
                let is_source = tree.kind(end.file) == FileKind::Regular;
                is_source.then(|| end.links.into_iter().chain([end.file]).collect())
            })
            .unwrap_or_default()
    }

    /// The files of `auto/JSON/XS` for `JSON/XS.pm`: the shared object and pieces for the autoloader.
    pub fn halves(&self, tree: &FileTree, path: &str) -> Vec<FileId> {
        let folder = format!("auto/{}", path.strip_suffix(".pm").unwrap_or(path));
        let roots = self.roots.iter();
        roots
            .filter_map(|&root| Some(tree.resolve_from(root, folder.as_bytes(), true)?.file))
            .flat_map(|folder| tree.children(folder).iter().copied())
            .filter(|&file| !tree.is_directory(file))
            .collect()
    }

    /// Every module by name; a folder earlier in `@INC` hides those behind it.
    pub fn modules(&self, tree: &FileTree) -> BTreeMap<String, FileId> {
        let mut found = BTreeMap::new();
        for &root in &self.roots {
            for file in tree.subtree(root).map(FileId) {
                if let Some(place) = self.module(tree, file).filter(|place| place.root == root) {
                    let name = place.path.trim_end_matches(".pm").replace('/', "::");
                    found.entry(name).or_insert(file);
                }
            }
        }
        found
    }
}

/// `JSON/XS.pm` of `JSON::XS`.
pub fn path(name: &str) -> String {
    name.replace("::", "/") + ".pm"
}
