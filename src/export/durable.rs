//! What goes and what must not come back, as the package format is told.

use crate::model::inventory::NO_OWNER;
use crate::model::{FileId, Inventory};
use crate::pkgdb::{self, Change, Edits, Exclusions, NewText};
use crate::plan::{Level, Plan, Reason, RuleId};
use fixedbitset::FixedBitSet;

/// Works out what changes in the package manager's own files; files that must go as a consequence are added to `gone`.
pub(super) fn edits(inventory: &Inventory, plan: &Plan, gone: &mut FixedBitSet) -> Edits {
    let mut packages = FixedBitSet::with_capacity(inventory.packages.len());
    let mut cut = packages.clone();
    for id in inventory.package_ids() {
        let is_cut = plan.packages[id.index()].level < Some(Level::Trimmed);
        packages.set(id.index(), !plan.keeps_package(id));
        cut.set(id.index(), plan.keeps_package(id) && is_cut);
    }
    let change = Change {
        inventory,
        files: &gone.clone(),
        packages: &packages,
        cut: &cut,
    };
    pkgdb::of(inventory).edits(&change, gone)
}

/// The package manager's own rules that keep upgrades from bringing back what was cut; `None` where nothing was.
pub(super) fn exclusions(inventory: &Inventory, plan: &Plan) -> Option<NewText> {
    let mut cut = FixedBitSet::with_capacity(inventory.tree.len());
    for file in inventory.tree.ids() {
        cut.set(file.index(), is_cut_for_good(inventory, plan, file));
    }
    pkgdb::of(inventory).exclusions(&Exclusions {
        inventory,
        rules: &rules(inventory, plan),
        kept: &plan.kept,
        cut: &cut,
    })
}

/// Whether a file that goes must not come back with the next version of its package. Scripts of a package fail without its
/// files, so that a package with scripts of which files were cut comes back whole with its next version, and nothing
/// triggers it until then.
fn is_cut_for_good(inventory: &Inventory, plan: &Plan, file: FileId) -> bool {
    let Some(owner) = inventory.owner(file) else {
        return false;
    };
    match plan.reasons[file.index()] {
        Reason::Rule(_) => true,
        Reason::Cut(_) => !pkgdb::of(inventory).has_scripts(inventory, owner),
        Reason::Mark(_) => plan.keeps_package(owner),
        _ => false,
    }
}

/// The rules that took files of packages that stay.
fn rules(inventory: &Inventory, plan: &Plan) -> Vec<&'static str> {
    let mut used = [false; 256];
    for (at, reason) in plan.reasons.iter().enumerate() {
        if let Reason::Rule(RuleId(row)) = reason {
            used[usize::from(*row)] |= inventory.owners[at] != NO_OWNER && !plan.kept.contains(at);
        }
    }
    RuleId::all()
        .filter(|rule| used[usize::from(rule.0)])
        .map(|rule| rule.rule().id)
        .collect()
}
