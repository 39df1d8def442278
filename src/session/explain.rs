//! Reasons as sentences.

use super::{Intent, Loaded};
use crate::finders::FINDERS;
use crate::model::text::escape;
use crate::model::{Evidence, Inventory, Need, Node};
use crate::plan::{self, Level, Plan, Reason, Wish};

/// One link of a chain of reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyLink {
    /// What it is about.
    pub node: Node,
    /// Its reason.
    pub reason: Reason,
    /// The whole link as a safe sentence without a full stop.
    pub text: String,
}

/// The chain for a node, from itself to a mark, the boot set or a rule.
pub fn why(loaded: &Loaded, intent: &Intent, plan: &Plan, node: Node) -> Vec<WhyLink> {
    plan::chain(&loaded.graph, plan, node)
        .into_iter()
        .map(|(node, reason)| WhyLink {
            node,
            reason,
            text: sentence(loaded, intent, plan, node, reason),
        })
        .collect()
}

fn name(inventory: &Inventory, node: Node) -> String {
    match node {
        Node::Package(id) => inventory.package_label(id),
        Node::File(file) => escape(&inventory.tree.path(file)).into_owned(),
    }
}

fn sentence(loaded: &Loaded, intent: &Intent, plan: &Plan, node: Node, reason: Reason) -> String {
    let inventory = &loaded.inventory;
    let this = name(inventory, node);
    let stays = stays_as(plan, node);
    match reason {
        Reason::Mark(mark) => match intent.marks.get(mark as usize) {
            Some(mark) if matches!(mark.wish, Wish::Drop) => {
                goes(loaded, intent, plan, &this, reason)
            }
            Some(mark) => format!("{this} {stays}: {} is marked keep", mark.selector),
            None => format!("{this} {stays}: marked"),
        },
        Reason::Boot(root) => {
            let why = inventory
                .boot
                .roots
                .get(root as usize)
                .map_or("", |root| root.why.as_str());
            format!("{this} {stays}: boot set, {}", escape(why.as_bytes()))
        }
        Reason::Essential => format!("{this} {stays}: the package manager calls it essential"),
        Reason::Need(edge) => format!(
            "{this} {stays}: {}",
            need(inventory, loaded.graph.need(edge))
        ),
        Reason::Owner(package) => {
            format!("{this} stays: part of {}", inventory.package_label(package))
        }
        Reason::Trace => format!("{this} stays: a traced workload read it"),
        Reason::Unowned => {
            format!("{this} stays: no package owns it, so it is yours until you mark it drop")
        }
        Reason::Directory => format!("{this} stays: folders stay"),
        Reason::Follows(file) => format!("{this} stays with {}", name(inventory, Node::File(file))),
        _ => goes(loaded, intent, plan, &this, reason),
    }
}

fn goes(loaded: &Loaded, intent: &Intent, plan: &Plan, this: &str, reason: Reason) -> String {
    let because = plan::why_gone(&loaded.inventory, intent, plan, reason).unwrap_or_default();
    let joint = if because.starts_with("with ") {
        ""
    } else {
        ":"
    };
    format!("{this} goes{joint} {because}")
}

fn stays_as(plan: &Plan, node: Node) -> String {
    match node {
        Node::Package(id) => match plan.packages[id.index()].level {
            Some(Level::Trimmed) | None => "stays".to_owned(),
            Some(level) => format!("stays {}", level.word()),
        },
        Node::File(_) => "stays".to_owned(),
    }
}

/// "python3-numpy depends on libblas3 (declared)": who needs it, how, by which name, on what evidence.
fn need(inventory: &Inventory, need: &Need) -> String {
    let verb = FINDERS
        .get(usize::from(need.finder))
        .map_or("needs", |finder| finder.verb);
    let from = name(inventory, need.from);
    format!(
        "{from} {verb} {} ({})",
        escape(&need.what),
        evidence(need.evidence)
    )
}

fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Declared => "declared",
        Evidence::Read => "read from the file",
        Evidence::Convention => "by convention",
        Evidence::Guessed => "guessed from a name",
    }
}
