//! The chain of reasons from a package or file to the mark, the boot set or the rule that decides about it.

use super::{Intent, Level, Plan, Reason};
use crate::graph::Graph;
use crate::model::text::escape;
use crate::model::{Inventory, Node, PackageId};

/// The thing that a thing's reason points to; `None` at the end of a chain.
pub fn next(graph: &Graph, reason: Reason) -> Option<Node> {
    match reason {
        Reason::Need(edge) => Some(graph.need(edge).from),
        Reason::Owner(package) | Reason::OwnerGoes(package) | Reason::Cut(package) => {
            Some(Node::Package(package))
        }
        Reason::Follows(file) | Reason::FollowsGone(file) => Some(Node::File(file)),
        Reason::Mark(_)
        | Reason::Boot(_)
        | Reason::Essential
        | Reason::Trace
        | Reason::Unowned
        | Reason::Directory
        | Reason::Rule(_)
        | Reason::NotNeeded
        | Reason::Leavings
        | Reason::Idle => None,
    }
}

/// The things from `node` to the end of its chain, each with its reason.
pub fn chain(graph: &Graph, plan: &Plan, node: Node) -> Vec<(Node, Reason)> {
    let mut links = Vec::new();
    let mut at = Some(node);
    while let Some(node) = at {
        let reason = match node {
            Node::Package(id) => plan.packages[id.index()].reason,
            Node::File(file) => plan.reasons[file.index()],
        };
        links.push((node, reason));
        at = next(graph, reason);
    }
    links
}

/// Why something goes, as a safe phrase that follows "it goes"; `None` for the reason of something that stays.
pub fn why_gone(
    inventory: &Inventory,
    intent: &Intent,
    plan: &Plan,
    reason: Reason,
) -> Option<String> {
    let label = |package| escape(inventory.package_label(package).as_bytes()).into_owned();
    Some(match reason {
        Reason::Mark(mark) => dropped_by(intent, plan, mark),
        Reason::Rule(rule) => format!("rule {}, {}", rule.rule().id, rule.rule().heading),
        Reason::NotNeeded => "nothing that stays needs it".to_owned(),
        Reason::OwnerGoes(package) => format!("with its package {}", label(package)),
        Reason::Cut(package) => {
            format!("{} stays {}", label(package), level_word(plan, package))
        }
        Reason::FollowsGone(file) => format!("with {}", escape(&inventory.tree.path(file))),
        Reason::Leavings => "a leftover in a folder of packages that go".to_owned(),
        Reason::Idle => "a driver for hardware that is not declared".to_owned(),
        _ => return None,
    })
}

/// Groups dropped things by their kind of reason, as a safe phrase for summaries.
pub fn class_gone(intent: &Intent, plan: &Plan, reason: Reason) -> String {
    match reason {
        Reason::Rule(rule) => format!("rule {}: {}", rule.rule().id, rule.rule().heading),
        Reason::Mark(mark) => dropped_by(intent, plan, mark),
        Reason::OwnerGoes(_) => "files of packages that go".to_owned(),
        Reason::Cut(_) => "files of packages that are hollowed or kept as far as needed".to_owned(),
        Reason::FollowsGone(_) => "made from or pointing to files that go".to_owned(),
        Reason::Leavings => "left in folders of packages that go".to_owned(),
        Reason::Idle => "drivers for hardware that is not declared".to_owned(),
        _ => "nothing that stays needs it".to_owned(),
    }
}

fn dropped_by(intent: &Intent, plan: &Plan, mark: u32) -> String {
    let subject = mark_subject(intent, plan, mark);
    match intent.marks.get(mark as usize) {
        Some(_) => format!("{subject} is marked drop"),
        None => format!("{subject} is accepted"),
    }
}

/// What the mark at this position of the plan's marks is about, as a safe phrase: a selector, or a suggestion that is
/// accepted.
pub fn mark_subject(intent: &Intent, plan: &Plan, mark: u32) -> String {
    let beyond = (mark as usize).checked_sub(intent.marks.len());
    match intent.marks.get(mark as usize) {
        Some(mark) => printable(&mark.selector.to_string()),
        None => beyond
            .and_then(|at| plan.accepted.get(at))
            .map_or_else(String::new, |taken| format!("suggestion {}", taken.subject)),
    }
}

/// A selector holds escaped text already, but may hold a profile's own odd characters.
pub(super) fn printable(selector: &str) -> String {
    let parts = selector.split('\\').map(|part| escape(part.as_bytes()));
    parts.collect::<Vec<_>>().join("\\")
}

fn level_word(plan: &Plan, package: PackageId) -> &'static str {
    plan.packages[package.index()]
        .level
        .map_or("gone", Level::word)
}
