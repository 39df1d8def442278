//! Packages that stay only because other packages declare them: no kept file outside needs a file of them.
//!
//! Their record can stay, so that the package manager is content, without their files.

use super::super::{Level, Reason, Wish, rules};
use super::scene::Scene;
use super::{Change, Risk, Suggestion, files};
use crate::model::text::escape;
use crate::model::{Node, PackageId};

pub(super) fn find(scene: &Scene<'_>) -> Vec<Suggestion> {
    let has_compiler = has_compiler(scene);
    scene
        .inputs
        .inventory
        .package_ids()
        .filter_map(|package| candidate(scene, package, has_compiler))
        .collect()
}

fn candidate(scene: &Scene<'_>, package: PackageId, has_compiler: bool) -> Option<Suggestion> {
    let (inventory, plan) = (scene.inputs.inventory, scene.plan);
    let verdict = plan.packages[package.index()];
    let Reason::Need(edge) = verdict.reason else {
        return None;
    };
    let need = scene.inputs.graph.need(edge);
    let facts = inventory.package(package);
    let is_candidate = verdict.level > Some(Level::Hollowed)
        && matches!(need.from, Node::Package(_))
        && !scene.read.contains(package.index())
        && (!scene.inputs.trace.is_empty() || !scene.booting.contains(package.index()))
        && !facts.essential
        && !facts.protected
        // Scripts of other packages call what is required without declaring it.
        && !facts.is_required
        && !scene.is_marked_package(package);
    if !is_candidate {
        return None;
    }
    let (count, room) = scene.weight(facts.files.iter().copied());
    let label = escape(inventory.package_label(package).as_bytes()).into_owned();
    let is_development = facts.is_development && !has_compiler;
    let by = match need.from {
        Node::Package(by) => escape(inventory.package_label(by).as_bytes()).into_owned(),
        Node::File(_) => return None,
    };
    let known = if is_development {
        "development files, and no compiler stays"
    } else if scene.inputs.trace.is_empty() {
        "no kept file needs a file of it"
    } else {
        "the trace read nothing of it and no kept file needs a file of it"
    };
    let is_low = is_development || !scene.inputs.trace.is_empty();
    // A person or a script may call it by name, which nobody declares.
    if !is_low && owns_program(scene, package) {
        return None;
    }
    Some(Suggestion {
        kind: "hollow",
        subject: format!("hollow {label}"),
        risk: if is_low { Risk::Low } else { Risk::Ask },
        evidence: format!("{by} declares it; {known} ({})", files(count)),
        change: Change::Mark(vec![Node::Package(package)], Wish::Keep(Level::Hollowed)),
        room: room.max(plan.retained[package.index()]),
    })
}

/// Whether something that is called by its name stays of this package.
fn owns_program(scene: &Scene<'_>, package: PackageId) -> bool {
    let programs = &scene.inputs.facets.programs;
    let files = scene.inputs.inventory.package(package).files.iter();
    files
        .filter(|file| programs.contains(file.index()))
        .any(|&file| scene.plan.keeps_file(file))
}

/// Whether a package stays that suspends the rule about development files.
fn has_compiler(scene: &Scene<'_>) -> bool {
    let stays =
        |package: &PackageId| scene.plan.packages[package.index()].level > Some(Level::Hollowed);
    let guards = rules::RuleId::find("development")
        .map(|rule| &scene.inputs.facets.guards[usize::from(rule.0)]);
    guards.is_some_and(|guards| guards.iter().any(stays))
}
