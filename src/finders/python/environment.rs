//! Python environments of a guest: where a module is looked for.

use crate::finders::{Source, text};
use crate::model::{FileId, FileKind, FileTree};
use std::collections::BTreeMap;

/// Most standard libraries, and most virtual environments, of one guest.
const MAX_LIBRARIES: usize = 256;
const MAX_VIRTUALS: usize = 2000;
/// Most home folders with packages of their own, and most entries of an environment's folder `lib`: each module is looked
/// for in all of them.
const MAX_HOMES: usize = 64;
const MAX_VERSIONS: usize = 64;

/// One place where Python looks for modules, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The folder with `os.py`, where there is one.
    pub library: Option<FileId>,
    /// Folders of installed distributions.
    pub sites: Vec<FileId>,
    /// The interpreter as the environment names it (`bin/python3`), links not followed.
    pub interpreter: Option<FileId>,
}

/// All environments; the first one is the system's.
pub fn environments(tree: &FileTree, source: &mut dyn Source) -> Vec<Environment> {
    let mut found: Vec<Environment> = tree
        .ids()
        .filter(|&folder| is_library(tree, folder))
        .take(MAX_LIBRARIES)
        .map(|folder| base(tree, folder))
        .collect();
    let system = tree
        .resolve(b"/usr/bin/python3")
        .map(|end| tree.name(end.file).to_vec());
    found.sort_by_key(|environment| {
        let library = environment.library.unwrap_or(FileId::ROOT);
        let is_system = Some(tree.name(library)) == system.as_deref()
            && tree.path(library).starts_with(b"/usr/lib/");
        (!is_system, library)
    });
    let virtuals: Vec<Environment> = tree
        .ids()
        .filter(|&file| tree.name(file) == b"pyvenv.cfg" && tree.kind(file) == FileKind::Regular)
        .take(MAX_VIRTUALS)
        .map(|file| virtual_environment(tree, source, &found, file))
        .collect();
    found.extend(virtuals);
    found
}

/// A folder `python3.N` with the standard library in it.
fn is_library(tree: &FileTree, folder: FileId) -> bool {
    tree.is_directory(folder)
        && (tree.name(folder).starts_with(b"python3.")
            || tree.name(folder).starts_with(b"python2."))
        && tree.child(folder, b"os.py").is_some()
}

fn base(tree: &FileTree, library: FileId) -> Environment {
    let lib = tree.parent(library);
    let prefix = tree.parent(lib);
    let version = tree.name(library);
    let is_system = tree.path(lib) == b"/usr/lib";
    let mut sites: Vec<FileId> = ["site-packages", "dist-packages"]
        .iter()
        .filter_map(|name| tree.child(library, name.as_bytes()))
        .collect();
    if is_system {
        let local = [b"/usr/local/lib/", version, b"/dist-packages"].concat();
        sites.extend(tree.lookup(&local));
        sites.extend(tree.lookup(b"/usr/lib/python3/dist-packages"));
        sites.extend(user_sites(tree, version));
    }
    let interpreter = tree.child(prefix, b"bin").and_then(|bin| {
        tree.child(bin, version)
            .or_else(|| tree.child(bin, b"python3"))
    });
    Environment {
        library: Some(library),
        sites,
        interpreter,
    }
}

/// `~/.local/lib/python3.N/site-packages` of every account's folder.
fn user_sites(tree: &FileTree, version: &[u8]) -> Vec<FileId> {
    let homes = tree
        .lookup(b"/home")
        .map_or(&[][..], |home| tree.children(home));
    homes
        .iter()
        .copied()
        .chain(tree.lookup(b"/root"))
        .take(MAX_HOMES)
        .filter_map(|home| {
            let path = [b".local/lib/", version, b"/site-packages"].concat();
            tree.resolve_from(home, &path, true).map(|end| end.file)
        })
        .collect()
}

fn virtual_environment(
    tree: &FileTree,
    source: &mut dyn Source,
    bases: &[Environment],
    configuration: FileId,
) -> Environment {
    let bytes = source.read(tree, configuration, 0, 64 << 10);
    let value = |key: &[u8]| {
        bytes.split(|&byte| byte == b'\n').find_map(|line| {
            let (name, value) = line.split_at(line.iter().position(|&byte| byte == b'=')?);
            (name.trim_ascii() == key).then(|| value[1..].trim_ascii().to_vec())
        })
    };
    let prefix = tree.parent(configuration);
    let home = value(b"home").unwrap_or_default();
    let interpreter = ["bin/python3", "bin/python"]
        .iter()
        .find_map(|path| tree.resolve_from(prefix, path.as_bytes(), false))
        .map(|end| end.file);
    let real = interpreter
        .and_then(|file| tree.follow(file))
        .map(|end| end.file);
    let base = bases.iter().find(|base| {
        let own = base.interpreter.and_then(|file| {
            if tree.target(file).is_some() {
                tree.follow(file).map(|end| end.file)
            } else {
                Some(file)
            }
        });
        let bin = base.interpreter.map(|file| tree.path(tree.parent(file)));
        (own.is_some() && own == real) || (real.is_none() && bin.as_deref() == Some(&home[..]))
    });
    let sees_system = value(b"include-system-site-packages").as_deref() == Some(b"true");
    let mut sites: Vec<FileId> = tree
        .child(prefix, b"lib")
        .map_or(&[][..], |lib| tree.children(lib))
        .iter()
        .take(MAX_VERSIONS)
        .filter_map(|&version| tree.child(version, b"site-packages"))
        .collect();
    if sees_system {
        sites.extend(base.iter().flat_map(|base| &base.sites));
    }
    Environment {
        library: base.and_then(|base| base.library),
        sites,
        interpreter,
    }
}

/// Which environment a folder belongs to: that of each site and library, by folder.
pub fn by_folder(environments: &[Environment]) -> BTreeMap<FileId, usize> {
    let mut found = BTreeMap::new();
    for (at, environment) in environments.iter().enumerate() {
        for &folder in environment.sites.iter().chain(&environment.library) {
            found.entry(folder).or_insert(at);
        }
    }
    found
}

/// A module's lines of the text at a path inside a folder.
pub fn text_in(
    tree: &FileTree,
    source: &mut dyn Source,
    folder: FileId,
    name: &[u8],
) -> Option<Vec<u8>> {
    let file = tree.child(folder, name)?;
    text(tree, source, &tree.path(file))
}
