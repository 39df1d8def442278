//! Reasons as sentences.

use super::Session;
use crate::graph::Graph;
use crate::model::text::escape;
use crate::model::{Evidence, Inventory, Need, Node};
use crate::plan::{self, Level, Plan, Reason};

/// How strong the evidence of a link is, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The scientist marked it or accepted it.
    Marked,
    /// A traced workload read it.
    Traced,
    /// The boot set, found in the guest's own configuration.
    BootSet,
    /// The package manager's record declares it.
    Declared,
    /// Read from the file itself.
    Read,
    /// The convention of a plug-in family or a configuration file.
    Convention,
    /// Asked for where it is there.
    Wanted,
    /// A name that occurs as a string.
    Guessed,
    /// A rule of guestslim, which needs no evidence: what nobody owns is yours, what nothing needs goes.
    Rule,
}

impl Strength {
    fn of(graph: &Graph, reason: Reason) -> Self {
        match reason {
            Reason::Mark(_) => Self::Marked,
            Reason::Trace => Self::Traced,
            Reason::Boot(_) => Self::BootSet,
            Reason::Essential | Reason::Owner(_) | Reason::OwnerGoes(_) => Self::Declared,
            Reason::Need(edge) => match graph.need(edge).evidence {
                Evidence::Declared => Self::Declared,
                Evidence::Read => Self::Read,
                Evidence::Convention | Evidence::Component => Self::Convention,
                Evidence::Wanted => Self::Wanted,
                Evidence::Guessed => Self::Guessed,
            },
            Reason::Follows(_) | Reason::FollowsGone(_) => Self::Convention,
            Reason::Unowned
            | Reason::Directory
            | Reason::Rule(_)
            | Reason::NotNeeded
            | Reason::Cut(_)
            | Reason::Leavings
            | Reason::Idle => Self::Rule,
        }
    }

    /// What a person reads.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Marked => "marked",
            Self::Traced => "traced",
            Self::BootSet => "boot set",
            Self::Declared => "declared",
            Self::Read => "read from the file",
            Self::Convention => "by convention",
            Self::Wanted => "wanted where it is there",
            Self::Guessed => "guessed from a name",
            Self::Rule => "rule",
        }
    }
}

/// Whether a sentence leaves it to a word in parentheses to say how it is known.
const fn is_said_apart(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Need(_) | Reason::Owner(_) | Reason::Follows(_)
    )
}

/// One link of a chain of reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyLink {
    /// What it is about.
    pub node: Node,
    /// Its reason.
    pub reason: Reason,
    /// How strong the evidence for it is.
    pub strength: Strength,
    /// The whole link as a safe sentence without a full stop.
    pub text: String,
}

/// The chain for a node, from itself to a mark, the boot set or a rule.
pub fn why(session: &Session, node: Node) -> Vec<WhyLink> {
    plan::chain(&session.loaded.graph, &session.plan, node)
        .into_iter()
        .map(|(node, reason)| {
            let strength = Strength::of(&session.loaded.graph, reason);
            let mut text = sentence(session, node, reason);
            if is_said_apart(reason) {
                text.extend([" (", strength.word(), ")"]);
            }
            WhyLink {
                node,
                reason,
                strength,
                text,
            }
        })
        .collect()
}

fn name(inventory: &Inventory, node: Node) -> String {
    match node {
        Node::Package(id) => inventory.package_label(id),
        Node::File(file) => escape(&inventory.tree.path(file)).into_owned(),
    }
}

fn sentence(session: &Session, node: Node, reason: Reason) -> String {
    let (loaded, plan) = (&session.loaded, &session.plan);
    let inventory = &loaded.inventory;
    let this = name(inventory, node);
    let stays = stays_as(plan, node);
    match reason {
        Reason::Mark(at) if stays != "goes" => {
            let subject = plan::mark_subject(&session.intent, plan, at);
            match session.intent.marks.get(at as usize) {
                Some(_) => format!("{this} {stays}: {subject} is marked keep"),
                None => format!("{this} {stays}: {subject} is accepted"),
            }
        }
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
        _ => goes(session, &this, reason),
    }
}

fn goes(session: &Session, this: &str, reason: Reason) -> String {
    let (inventory, plan) = (&session.loaded.inventory, &session.plan);
    let because = plan::why_gone(inventory, &session.intent, plan, reason).unwrap_or_default();
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
            None => "goes".to_owned(),
            Some(Level::Trimmed) => "stays".to_owned(),
            Some(level) => format!("stays {}", level.word()),
        },
        Node::File(file) if plan.keeps_file(file) => "stays".to_owned(),
        Node::File(_) => "goes".to_owned(),
    }
}

/// "python3-numpy depends on libblas3": who needs it, how, by which name.
fn need(inventory: &Inventory, need: &Need) -> String {
    let verb = need.finder.row().verb;
    let from = name(inventory, need.from);
    format!("{from} {verb} {}", escape(&need.what))
}
