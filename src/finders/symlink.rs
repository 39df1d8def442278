//! A link needs what it points to.
//!
//! A link to a folder needs all of it where the folder holds one package's files only (or only unowned ones); a folder that
//! many share stays anyway, and its contents have reasons of their own. So do those of a prefix's library folder: a virtual
//! environment's `lib64 -> lib` is another name for it, and who passes it needs one file in there.

use super::Scan;
use super::follow::Places;
use crate::job::Cancelled;
use crate::model::inventory::NO_OWNER;
use crate::model::{Evidence, FileId, FileKind, FileTree, Inventory};
use std::collections::HashMap;

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let inventory = scan.facts.inventory;
    let tree = &inventory.tree;
    let places = Places::new(tree);
    let documents = tree.lookup(b"/usr/share/doc");
    let mut sole = HashMap::new();
    for file in tree
        .ids()
        .filter(|&file| tree.kind(file) == FileKind::Symlink)
    {
        scan.check()?;
        let is_document = documents.is_some_and(|folder| tree.is_within(file, folder));
        let is_follower = inventory.owner(file).is_none() && places.manages(tree, file);
        if is_document || is_follower {
            continue;
        }
        let target = tree.target(file).unwrap_or_default();
        let because = scan.because(file, Evidence::Read);
        let Some(end) = tree.follow(file) else {
            continue;
        };
        let is_other_name = tree.is_within(file, end.file) || is_library_name(tree, file, end.file);
        if tree.is_directory(end.file)
            && (is_other_name || !is_sole(inventory, &mut sole, end.file))
        {
            continue;
        }
        scan.found.chain(because, &end, target);
    }
    Ok(())
}

/// Whether a link gives the library folder beside it another name.
fn is_library_name(tree: &FileTree, link: FileId, folder: FileId) -> bool {
    let is_library = |file| matches!(tree.name(file), b"lib" | b"lib32" | b"lib64" | b"libx32");
    is_library(link) && is_library(folder) && tree.parent(link) == tree.parent(folder)
}

/// Whether all files in a folder have the same owner.
fn is_sole(inventory: &Inventory, known: &mut HashMap<FileId, bool>, folder: FileId) -> bool {
    *known.entry(folder).or_insert_with(|| {
        let tree = &inventory.tree;
        let mut owners = tree
            .subtree(folder)
            .map(FileId)
            .filter(|&file| !tree.is_directory(file))
            .map(|file| inventory.owners[file.index()]);
        let first = owners.next().unwrap_or(NO_OWNER);
        owners.all(|owner| owner == first)
    })
}
