//! From the closure to a plan: a verdict and a reason for everything, sizes, findings.

use super::closure::Closure;
use super::hardware::HypervisorId;
use super::{Facets, Level, PackageVerdict, Plan, Reason, ResolvedMark, RuleSet, Sizes, findings};
use crate::graph::{Graph, dominators};
use crate::model::{Bytes, FileId, Inventory, Unmet};
use fixedbitset::FixedBitSet;

/// All that a plan depends on.
pub struct Inputs<'a> {
    /// The facts.
    pub inventory: &'a Inventory,
    /// The needs.
    pub graph: &'a Graph,
    /// What planning wants to know of every file.
    pub facets: &'a Facets,
    /// Needs that nothing in the guest satisfies.
    pub unmet: &'a [Unmet],
    /// The marks, a later one wins.
    pub marks: &'a [ResolvedMark],
    /// Rules that are on.
    pub rules: RuleSet,
    /// The level of what stays only because something needs it.
    pub needed_level: Level,
    /// Files that a workload really read.
    pub trace: &'a [FileId],
    /// What the output will run on; empty when nothing is declared, and then every driver stays.
    pub hypervisors: &'a [HypervisorId],
}

/// Decides what stays: the same inputs give the same plan.
pub fn decide(inputs: &Inputs<'_>) -> Plan {
    let mut closure = Closure::run(inputs);
    keep_folders(inputs, &mut closure);
    explain_drops(inputs, &mut closure);
    let (weights, after) = weigh(inputs, &closure.kept);
    let mut retained = dominators::retained(
        inputs.inventory.packages.len() as u32,
        &weights,
        &closure.influences,
    );
    retained.pop();
    let findings = findings::collect(inputs, &closure);
    let packages = closure
        .levels
        .iter()
        .zip(&closure.package_reasons)
        .map(|(&level, &reason)| PackageVerdict { level, reason })
        .collect();
    Plan {
        packages,
        kept: closure.kept,
        reasons: closure.reasons,
        retained: retained.into_iter().map(Bytes).collect(),
        findings,
        accepted: Vec::new(),
        before: inputs.facets.before,
        after,
    }
}

/// Folders stay, but for those that a mark drops with all that is in them.
fn keep_folders(inputs: &Inputs<'_>, closure: &mut Closure<'_>) {
    let tree = &inputs.inventory.tree;
    let mut holds_kept = FixedBitSet::with_capacity(tree.len());
    for file in tree.ids().rev() {
        if inputs.facets.folders.contains(file.index()) {
            let is_marked = closure.is_marked_drop(file) && file != FileId::ROOT;
            if is_marked && !holds_kept.contains(file.index()) {
                continue;
            }
            closure.kept.insert(file.index());
            closure.reasons[file.index()] = Reason::Directory;
        }
        if closure.kept.contains(file.index()) {
            holds_kept.insert(tree.parent(file).index());
        }
    }
}

fn explain_drops(inputs: &Inputs<'_>, closure: &mut Closure<'_>) {
    let inventory = inputs.inventory;
    for at in 0..inventory.tree.len() {
        if closure.kept.contains(at) {
            continue;
        }
        let file = FileId(at as u32);
        closure.reasons[at] = if let Some(mark) = closure
            .mark_about(file)
            .filter(|_| closure.is_marked_drop(file))
        {
            Reason::Mark(mark)
        } else if closure.is_idle(file) && !closure.is_cut_by_mark(file) {
            Reason::Idle
        } else if let Some(owner) = inventory.owner(file) {
            match closure.levels[owner.index()] {
                None => Reason::OwnerGoes(owner),
                Some(Level::Hollowed | Level::NeededOnly) => Reason::Cut(owner),
                Some(_) => closure
                    .rule_about(file)
                    .map_or(Reason::Cut(owner), Reason::Rule),
            }
        } else if let Some(rule) = closure.rule_about(file) {
            Reason::Rule(rule)
        } else {
            inventory.follows[at].map_or(Reason::Leavings, Reason::FollowsGone)
        };
    }
}

/// Bytes on disk by package (a last element stands for the root) and the whole projection.
fn weigh(inputs: &Inputs<'_>, kept: &FixedBitSet) -> (Vec<u64>, Sizes) {
    let inventory = inputs.inventory;
    let mut weights = vec![0; inventory.packages.len() + 1];
    let sum = inputs
        .facets
        .weigh(&inventory.tree, kept, |file, allocated| {
            if let Some(owner) = inventory.owner(file) {
                weights[owner.index()] += allocated.0;
            }
        });
    (weights, sum)
}
