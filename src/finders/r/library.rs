//! R's homes and libraries: where packages lie, and what each says of itself.

use crate::finders::{Source, control};
use crate::model::{FileId, FileKind, FileTree, Warning, Warnings};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Longest `DESCRIPTION` that is read.
const MAX_DESCRIPTION: usize = 64 << 10;

/// Most installations whose packages are told apart.
const MAX_HOMES: usize = 64;

/// One installation of R.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The folder that holds `library/base`.
    pub folder: FileId,
}

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its folder's name, which is the one that R looks for.
    pub name: String,
    /// `Version`.
    pub version: String,
    /// The folder.
    pub folder: FileId,
    /// The file that makes the folder a package.
    pub description: FileId,
    /// The installation that finds it, by position.
    pub home: usize,
    /// `Priority: base`: a part of R.
    pub is_base: bool,
    /// `Depends`, `Imports` and `LinkingTo` without R itself.
    pub needs: Vec<String>,
}

impl Home {
    /// The shell script that starts R.
    pub fn script(&self, tree: &FileTree) -> Option<FileId> {
        tree.child(tree.child(self.folder, b"bin")?, b"R")
    }

    /// The program that the script starts.
    pub fn inner(&self, tree: &FileTree) -> Option<FileId> {
        let bin = tree.child(self.folder, b"bin")?;
        tree.child(tree.child(bin, b"exec")?, b"R")
    }

    /// What makes R start: its programs and its library, those in the folder of all programs too.
    pub fn programs(&self, tree: &FileTree) -> Vec<FileId> {
        let library = tree
            .child(self.folder, b"lib")
            .and_then(|lib| tree.child(lib, b"libR.so"));
        let rscript = tree
            .child(self.folder, b"bin")
            .and_then(|bin| tree.child(bin, b"Rscript"));
        let bin = tree.child(tree.parent(tree.parent(self.folder)), b"bin");
        let outer = bin.and_then(|bin| tree.child(bin, b"Rscript"));
        [self.script(tree), self.inner(tree), library, rscript, outer]
            .into_iter()
            .flatten()
            .filter(|&file| tree.kind(file) == FileKind::Regular)
            .collect()
    }
}

impl Package {
    /// Files that are read only when the package is in use.
    pub fn code(&self, tree: &FileTree) -> Vec<FileId> {
        ["R", "libs", "Meta"]
            .iter()
            .filter_map(|name| tree.child(self.folder, name.as_bytes()))
            .flat_map(|folder| tree.children(folder).iter().copied())
            .chain(tree.child(self.folder, b"NAMESPACE"))
            .filter(|&file| tree.kind(file) == FileKind::Regular)
            .collect()
    }
}

/// All installations; the one in `/usr/lib/R` comes first.
pub fn homes(tree: &FileTree) -> Vec<Home> {
    let system = tree.lookup(b"/usr/lib/R");
    let mut homes: Vec<Home> = tree
        .ids()
        .filter(|&file| tree.name(file) == b"base" && tree.child(file, b"DESCRIPTION").is_some())
        .map(|base| tree.parent(base))
        .filter(|&library| tree.name(library) == b"library")
        .map(|library| Home {
            folder: tree.parent(library),
        })
        .collect();
    homes.sort_by_key(|home| (Some(home.folder) != system, home.folder));
    homes
}

/// All installed packages in tree order. Those outside every home belong to the first one: its site and user libraries.
pub fn packages(
    tree: &FileTree,
    source: &mut dyn Source,
    homes: &[Home],
    warnings: &mut Warnings,
) -> Vec<Package> {
    let is_package = |&description: &FileId| {
        tree.name(description) == b"DESCRIPTION"
            && tree.kind(description) == FileKind::Regular
            && tree
                .child(tree.parent(description), b"Meta")
                .and_then(|meta| tree.child(meta, b"package.rds"))
                .is_some()
    };
    let descriptions: Vec<FileId> = tree.ids().filter(is_package).collect();
    descriptions
        .into_iter()
        .map(|description| {
            if tree.size(description) > MAX_DESCRIPTION as u64 {
                warnings.push(Warning::new(
                    &tree.path(description),
                    "only its beginning was read",
                ));
            }
            let text = source.read(tree, description, 0, MAX_DESCRIPTION);
            let folder = tree.parent(description);
            let home = homes
                .iter()
                .take(MAX_HOMES)
                .position(|home| tree.is_within(folder, home.folder));
            Package {
                name: String::from_utf8_lossy(tree.name(folder)).into_owned(),
                version: control::field(&text, b"Version"),
                folder,
                description,
                home: home.unwrap_or(0),
                is_base: control::field(&text, b"Priority") == "base",
                needs: needs(&text),
            }
        })
        .collect()
}

/// Packages by installation and name.
pub struct Index<'a>(HashMap<(usize, &'a str), Twins<'a>>);

/// Packages of one name.
struct Twins<'a> {
    first: &'a Package,
    /// The first one behind it that is not a part of R.
    other: Option<&'a Package>,
}

impl<'a> Index<'a> {
    /// One of another library of an installation counts before one of its own, as R looks through site and user libraries
    /// first.
    pub fn new(packages: &'a [Package]) -> Self {
        let mut found: HashMap<(usize, &str), Twins<'_>> = HashMap::new();
        for package in packages {
            match found.entry((package.home, &package.name)) {
                Entry::Occupied(mut twins) => {
                    let other = &mut twins.get_mut().other;
                    *other = other.or(Some(package).filter(|package| !package.is_base));
                }
                Entry::Vacant(place) => {
                    place.insert(Twins {
                        first: package,
                        other: None,
                    });
                }
            }
        }
        Self(found)
    }

    /// The package of this name that an installation finds.
    pub fn find(&self, home: usize, name: &str) -> Option<&'a Package> {
        let twins = self.0.get(&(home, name))?;
        Some(twins.other.unwrap_or(twins.first))
    }
}

fn needs(text: &[u8]) -> Vec<String> {
    let fields = [&b"Depends"[..], b"Imports", b"LinkingTo"];
    let mut names: Vec<String> = fields
        .iter()
        .flat_map(|name| control::names(&control::field(text, name)))
        .filter(|name| name != "R")
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
