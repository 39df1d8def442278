//! What packages require, and who satisfies it: each package format knows its own rules.

use super::Scan;
use crate::job::Cancelled;
use crate::model::inventory::NO_OWNER;
use crate::model::{Evidence, Inventory, Node, PackageId, Warning};
use crate::pkgdb;
use std::collections::HashSet;

/// The finder's row function. A file that several packages share is needed by each of them but its owner, who has it
/// anyway.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let inventory = scan.facts.inventory;
    let resolver = pkgdb::of(inventory).resolver(inventory);
    for id in inventory.package_ids() {
        scan.check()?;
        let because = scan.because(id, Evidence::Declared);
        for requirement in resolver.requirements(id) {
            let what = requirement.what.as_bytes();
            match requirement.by {
                Some(to) if to == Node::Package(id) => {}
                Some(to) => scan.found.need(because, to, what),
                None => scan.found.miss(because, what),
            }
        }
        for &file in &inventory.package(id).files {
            let owner = inventory.owners[file.index()];
            if owner != NO_OWNER && owner != id.0 && !inventory.tree.is_directory(file) {
                scan.found.need(because, file, b"its own list");
            }
        }
    }
    if resolver.is_spent() {
        let text = "more relations between packages than any system has: not all were followed";
        scan.found.warnings.push(Warning::new(b"", text));
    }
    Ok(())
}

/// Which package depends on which, directly: `(who, on what)`.
pub fn declared(inventory: &Inventory) -> HashSet<(PackageId, PackageId)> {
    let resolver = pkgdb::of(inventory).resolver(inventory);
    let mut found = HashSet::new();
    for id in inventory.package_ids() {
        for requirement in resolver.requirements(id) {
            let to = match requirement.by {
                Some(Node::Package(to)) => Some(to),
                Some(Node::File(file)) => inventory.owner(file),
                None => None,
            };
            found.extend(to.map(|to| (id, to)));
        }
    }
    found
}
