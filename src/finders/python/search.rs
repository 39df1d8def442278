//! Resolves an import to the files that Python would open for it.

use super::Place;
use super::imports::Import;
use crate::model::{FileId, FileTree};

/// The files of a module and of the packages around it, outermost first; nothing when it is not found.
pub fn find(tree: &FileTree, place: &Place<'_>, importer: FileId, import: &Import) -> Vec<FileId> {
    let parts: Vec<&[u8]> = import
        .module
        .split('.')
        .filter(|part| !part.is_empty())
        .map(str::as_bytes)
        .collect();
    let here = tree.parent(importer);
    let roots: Vec<FileId> = if import.dots > 0 {
        let mut folder = here;
        for _ in 1..import.dots {
            folder = tree.parent(folder);
        }
        vec![folder]
    } else {
        let library = place.environment.library;
        let own = place.unit.is_none().then(|| package_root(tree, here));
        // The standard library is whole anyway; it only hides modules of its name.
        own.into_iter()
            .chain(library)
            .chain(place.environment.sites.iter().copied())
            .collect()
    };
    let hit = |root: &FileId| walk(tree, *root, &parts, &import.names).map(|files| (*root, files));
    // A folder without `__init__.py` counts only when no place has a proper module of that name.
    let is_proper = |root: &&FileId| {
        parts.first().is_none_or(|part| {
            !matches!(member(tree, **root, part), Some(Member::Package(_, None)))
        })
    };
    let found = roots
        .iter()
        .filter(is_proper)
        .find_map(hit)
        .or_else(|| roots.iter().find_map(hit));
    match found {
        Some((root, files)) if place.environment.library != Some(root) => files,
        _ => Vec::new(),
    }
}

/// The folder that a script's own modules are found in: the first one that is no package.
fn package_root(tree: &FileTree, mut folder: FileId) -> FileId {
    while folder != FileId::ROOT && tree.child(folder, b"__init__.py").is_some() {
        folder = tree.parent(folder);
    }
    folder
}

fn walk(tree: &FileTree, root: FileId, parts: &[&[u8]], names: &[String]) -> Option<Vec<FileId>> {
    let mut files = Vec::new();
    let mut folder = root;
    let mut is_package = true;
    for (depth, part) in parts.iter().enumerate() {
        match member(tree, folder, part) {
            Some(Member::Package(inner, first)) => {
                files.extend(first);
                folder = inner;
            }
            Some(Member::Module(file)) => {
                files.push(file);
                is_package = false;
                break;
            }
            // `import a.b` of something that `a` makes itself still needs `a`.
            None if depth > 0 => break,
            None => return None,
        }
    }
    if is_package {
        for name in names {
            match member(tree, folder, name.as_bytes()) {
                Some(Member::Package(_, first)) => files.extend(first),
                Some(Member::Module(file)) => files.push(file),
                None => {}
            }
        }
    }
    Some(files)
}

enum Member {
    /// A folder and its `__init__`, which namespace packages lack.
    Package(FileId, Option<FileId>),
    /// A source or an extension.
    Module(FileId),
}

fn member(tree: &FileTree, folder: FileId, name: &[u8]) -> Option<Member> {
    let inner = tree
        .child(folder, name)
        .filter(|&file| tree.is_directory(file));
    let first = inner.and_then(|inner| {
        tree.child(inner, b"__init__.py")
            .or_else(|| extension(tree, inner, b"__init__"))
    });
    if let (Some(inner), Some(first)) = (inner, first) {
        return Some(Member::Package(inner, Some(first)));
    }
    tree.child(folder, &[name, b".py"].concat())
        .or_else(|| extension(tree, folder, name))
        .map(Member::Module)
        .or_else(|| inner.map(|inner| Member::Package(inner, None)))
}

/// `NAME.cpython-311-x86_64-linux-gnu.so` and the like.
fn extension(tree: &FileTree, folder: FileId, name: &[u8]) -> Option<FileId> {
    let start = [name, b"."].concat();
    let children = tree.children(folder);
    let first = children.partition_point(|&child| tree.name(child) < start.as_slice());
    children[first..]
        .iter()
        .take_while(|&&child| tree.name(child).starts_with(&start))
        .find(|&&child| tree.name(child).ends_with(b".so"))
        .copied()
}
