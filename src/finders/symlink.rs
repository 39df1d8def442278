//! A link needs what it points to.
//!
//! A link to a folder needs all of it where the folder holds one package's files only (or only unowned ones); a folder that
//! many share stays anyway, and its contents have reasons of their own.

use super::Scan;
use super::follow::Places;
use crate::job::Cancelled;
use crate::model::inventory::NO_OWNER;
use crate::model::{Evidence, FileId, FileKind, Inventory};
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
        let is_up = tree.is_within(file, end.file);
        if tree.is_directory(end.file) && (is_up || !is_sole(inventory, &mut sole, end.file)) {
            continue;
        }
        scan.found.chain(because, &end, target);
    }
    Ok(())
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
