//! What Python sources name in strings: modules of their own distribution that they import by a name they work out
//! (`importlib.import_module(table[format])`), and paths of data that a distributor moved out of the package.

use super::{Place, environment, imports::Import, place, search};
use crate::finders::{Because, Scan, depends};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FinderId, Inventory, PackageId};
use std::collections::{HashMap, HashSet};

/// Adds what `python-name` finds in the strings of sources that are read for their imports: each string with its file.
pub fn names(scan: &mut Scan<'_>, named: Vec<(FileId, String)>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let environments = environment::environments(tree, scan.source);
    let folders = environment::by_folder(&environments);
    let mut packages = Packages {
        inventory: scan.facts.inventory,
        declared: depends::declared(scan.facts.inventory),
        holders: HashMap::new(),
    };
    let finder = FinderId::find("python-name").expect("a row of the table");
    for (file, name) in named {
        scan.check()?;
        let Some(place) = place(scan.facts, &folders, &environments, file) else {
            continue;
        };
        let because = Because {
            finder,
            ..scan.because(file, Evidence::Convention)
        };
        if name.starts_with('/') {
            path(scan, &mut packages, &place, because, file, &name);
        } else {
            module(scan, &place, because, file, name);
        }
    }
    Ok(())
}

fn path(
    scan: &mut Scan<'_>,
    packages: &mut Packages<'_>,
    place: &Place<'_>,
    because: Because,
    file: FileId,
    name: &str,
) {
    let tree = scan.tree();
    let Some(end) = tree.resolve(name.as_bytes()) else {
        return;
    };
    let is_meant = match packages.inventory.owner(file) {
        Some(from) => packages.has(from, end.file),
        // A script of the scientist's own means each file that it names.
        None => place.unit.is_none() && !tree.is_directory(end.file),
    };
    if is_meant && end.file != file {
        scan.found.chain(because, &end, name.as_bytes());
    }
}

/// Whose the files are.
struct Packages<'a> {
    inventory: &'a Inventory,
    /// Who depends on whom.
    declared: HashSet<(PackageId, PackageId)>,
    /// The package that all files at and below a path belong to.
    holders: HashMap<FileId, Option<PackageId>>,
}

impl Packages<'_> {
    /// Whether a package has or declares all that lies at and below a path.
    fn has(&mut self, from: PackageId, path: FileId) -> bool {
        let inventory = self.inventory;
        let holder = self.holders.entry(path);
        let holder = *holder.or_insert_with(|| holder_of(inventory, path));
        holder.is_some_and(|to| from == to || self.declared.contains(&(from, to)))
    }
}

fn holder_of(inventory: &Inventory, path: FileId) -> Option<PackageId> {
    let tree = &inventory.tree;
    let below = tree.subtree(path).map(FileId);
    let mut owners = below
        .filter(|&file| !tree.is_directory(file))
        .map(|file| inventory.owner(file));
    let first = owners.next()??;
    owners.all(|owner| owner == Some(first)).then_some(first)
}

/// A module counts where all of the name is one.
fn module(scan: &mut Scan<'_>, place: &Place<'_>, because: Because, file: FileId, name: String) {
    let tree = scan.tree();
    let import = Import {
        dots: 0,
        module: name,
        names: Vec::new(),
        is_inner: false,
    };
    let found = search::find(tree, place, file, &import);
    let is_whole = found.len() == import.module.split('.').count();
    let is_own = found.iter().all(|&target| place.is_same_unit(tree, target));
    for target in found {
        if is_whole && is_own && target != file {
            scan.found.need(because, target, import.module.as_bytes());
        }
    }
}
