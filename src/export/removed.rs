//! The list that the guest keeps of what went and why.

use crate::model::{FileId, Inventory, text};
use crate::pkgdb::{self, NewText, edits::free_name};
use crate::plan::{Level, Plan, Reason, RuleId};
use fixedbitset::FixedBitSet;
use serde::Serialize;
use std::collections::BTreeMap;

const LIST_FILE: &[u8] = b"/var/lib/guestslim/removed";

/// The list of what went, as JSON.
#[derive(Debug, Serialize)]
struct List {
    guestslim: &'static str,
    packages: Vec<GonePackage>,
    rules: Vec<GoneClass>,
    files: Vec<GoneFile>,
}

#[derive(Debug, Serialize)]
struct GonePackage {
    package: String,
    version: String,
    /// `gone`, `hollowed`, `needed only`.
    state: &'static str,
}

#[derive(Debug, Serialize)]
struct GoneClass {
    rule: &'static str,
    /// The class in the package manager's own words; `+` before what stays. Empty where it has none.
    paths: &'static [&'static str],
    files: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct GoneFile {
    path: String,
    why: &'static str,
}

/// The guest's own list: packages that went, what the rules took, and every other file by name.
pub(super) fn removed_list(
    inventory: &Inventory,
    plan: &Plan,
    gone: &FixedBitSet,
) -> Option<NewText> {
    inventory.tree.resolve(b"/var/lib")?;
    let list = List {
        guestslim: env!("CARGO_PKG_VERSION"),
        packages: gone_packages(inventory, plan),
        rules: gone_classes(inventory, plan),
        files: gone_files(inventory, plan, gone),
    };
    if list.packages.is_empty() && list.rules.is_empty() && list.files.is_empty() {
        return None;
    }
    let mut content = serde_json::to_vec_pretty(&list).expect("strings and numbers become JSON");
    content.push(b'\n');
    Some(NewText {
        path: free_name(&inventory.tree, LIST_FILE, b".json"),
        content,
        is_new: true,
        why: "the guest knows what went and why".to_owned(),
    })
}

fn gone_packages(inventory: &Inventory, plan: &Plan) -> Vec<GonePackage> {
    let state = |level: Option<Level>| match level {
        None => Some("gone"),
        Some(level @ (Level::Hollowed | Level::NeededOnly)) => Some(level.word()),
        Some(Level::Trimmed | Level::Whole) => None,
    };
    inventory
        .package_ids()
        .filter_map(|id| Some((id, state(plan.packages[id.index()].level)?)))
        .map(|(id, state)| GonePackage {
            package: text::escape(inventory.package_label(id).as_bytes()).into_owned(),
            version: text::escape(inventory.package(id).version.as_bytes()).into_owned(),
            state,
        })
        .collect()
}

fn gone_classes(inventory: &Inventory, plan: &Plan) -> Vec<GoneClass> {
    let format = pkgdb::of(inventory);
    let mut classes: BTreeMap<RuleId, (u64, u64)> = BTreeMap::new();
    for file in inventory.tree.ids().filter(|&file| !plan.keeps_file(file)) {
        if let Reason::Rule(rule) = plan.reasons[file.index()] {
            let class = classes.entry(rule).or_default();
            class.0 += 1;
            class.1 += inventory.tree.allocated(file);
        }
    }
    classes
        .into_iter()
        .map(|(rule, (files, bytes))| GoneClass {
            rule: rule.rule().id,
            paths: format
                .class(rule.rule().id)
                .map_or(&[], |class| class.exclusions),
            files,
            bytes,
        })
        .collect()
}

fn gone_files(inventory: &Inventory, plan: &Plan, gone: &FixedBitSet) -> Vec<GoneFile> {
    let tree = &inventory.tree;
    let folders: Vec<FileId> = pkgdb::of(inventory)
        .record_folders()
        .iter()
        .filter_map(|path| tree.lookup(path))
        .collect();
    let is_record = |file: FileId| folders.iter().any(|&folder| tree.is_within(file, folder));
    let records = |file: FileId| plan.keeps_file(file) && is_record(file);
    gone.ones()
        .map(|at| FileId(at as u32))
        .filter(|&file| !records(file))
        .filter_map(|file| {
            let why = match plan.reasons[file.index()] {
                Reason::Rule(_) | Reason::OwnerGoes(_) | Reason::Cut(_) => return None,
                Reason::Mark(_) => "a mark drops it",
                Reason::FollowsGone(_) => "what it leads to is gone",
                Reason::Leavings => "its folder belongs to packages that are gone",
                Reason::Idle => "it drives hardware that is not declared",
                _ if plan.keeps_file(file) => "what it leads to is gone",
                _ => "nothing needs it",
            };
            Some(GoneFile {
                path: text::escape(&tree.path(file)).into_owned(),
                why,
            })
        })
        .collect()
}
