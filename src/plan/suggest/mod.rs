//! What could still go: suggestions, each with the bytes that the plan would really lose, a risk class and its evidence.
//!
//! A kind of suggestion is a row of [`KINDS`]: it looks at a plan and names candidates. A candidate is a change of the
//! intent that a person could make by hand (a rule switched on, a mark), so that accepting one is no new kind of
//! decision. What it saves is found by deciding again with it, never by adding up.

mod accept;
mod gpu;
mod hardware;
mod hollow;
mod kernels;
mod scene;
mod switched_off;
mod trees;

pub use accept::{decide_accepting, rules_of_class};

use super::hardware::HypervisorId;
use super::{Inputs, Intent, Plan, ResolvedMark, RuleId, Selector, Wish, select};
use crate::model::{Bytes, Inventory, Node};
use scene::Scene;

/// What takes less than this is not worth a question.
pub const WORTH: Bytes = Bytes::from_kib(64);

/// How much a suggestion may break, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// No program that runs reads it.
    Safe,
    /// A program may miss it, and then says so.
    Low,
    /// Only the scientist knows.
    Ask,
}

impl Risk {
    /// All risk classes, from least to most.
    pub const ALL: [Self; 3] = [Self::Safe, Self::Low, Self::Ask];

    /// The word for it on the screen and in profiles.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Low => "low",
            Self::Ask => "ask",
        }
    }

    /// What the word means, for the screen.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Safe => "no program that runs reads it",
            Self::Low => "a program may miss it, and then says so",
            Self::Ask => "only you know, or a trace and the checks",
        }
    }
}

/// One kind of suggestion.
pub struct Kind {
    /// Its name in `--json`.
    pub id: &'static str,
    /// What it looks for.
    pub heading: &'static str,
    find: fn(&Scene<'_>) -> Vec<Suggestion>,
}

/// All kinds, a row each.
pub static KINDS: &[Kind] = &[
    Kind {
        id: "rule",
        heading: "rules that are off",
        find: switched_off::find,
    },
    Kind {
        id: "kernel",
        heading: "kernels that do not boot by default",
        find: kernels::find,
    },
    Kind {
        id: "hardware",
        heading: "drivers and firmware of hardware that virtual machines do not have",
        find: hardware::find,
    },
    Kind {
        id: "gpu",
        heading: "code for GPU architectures",
        find: gpu::find,
    },
    Kind {
        id: "hollow",
        heading: "packages that stay only because they are declared",
        find: hollow::find,
    },
    Kind {
        id: "tree",
        heading: "folders that no package owns and nothing needs",
        find: trees::find,
    },
];

/// What accepting a suggestion changes in the intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Switches a rule on.
    Rule(RuleId),
    /// Declares what the output will run on.
    Hypervisors(Vec<HypervisorId>),
    /// Marks each of these.
    Mark(Vec<Node>, Wish),
    /// Drops what these globs of paths select: these files.
    Paths(Vec<String>, Vec<Node>),
}

/// Something that could still go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Its kind: a name of [`KINDS`].
    pub kind: &'static str,
    /// What would be done to what, safe to show: `hollow gcc-12`.
    pub subject: String,
    /// How much it may break.
    pub risk: Risk,
    /// How it is known that it could go, one phrase, safe to show.
    pub evidence: String,
    /// What accepting it changes.
    pub change: Change,
    /// What it takes on disk, as far as can be told without deciding again.
    pub room: Bytes,
}

impl Suggestion {
    /// What it is about, where that is a package or a path.
    pub fn node(&self) -> Option<Node> {
        match &self.change {
            Change::Rule(_) | Change::Hypervisors(_) => None,
            Change::Mark(nodes, _) | Change::Paths(_, nodes) => nodes.first().copied(),
        }
    }

    /// The intent with this accepted.
    pub fn on(&self, inventory: &Inventory, intent: &Intent) -> Intent {
        let mut changed = intent.clone();
        match &self.change {
            Change::Rule(rule) => changed.rules = changed.rules.with(*rule, true),
            Change::Hypervisors(hypervisors) => changed.hypervisors.clone_from(hypervisors),
            Change::Mark(nodes, wish) => {
                for &node in nodes {
                    changed.mark(select::selector_for(inventory, node), *wish);
                }
            }
            Change::Paths(globs, _) => {
                for glob in globs {
                    changed.mark(Selector::Path(glob.clone()), Wish::Drop);
                }
            }
        }
        changed
    }

    /// The mark as the plan takes it, where it is one.
    fn mark(&self) -> Option<ResolvedMark> {
        let (nodes, wish) = match &self.change {
            Change::Rule(_) | Change::Hypervisors(_) => return None,
            Change::Mark(nodes, wish) => (nodes, *wish),
            Change::Paths(_, nodes) => (nodes, Wish::Drop),
        };
        Some(ResolvedMark {
            wish,
            nodes: nodes.clone(),
            parts: Vec::new(),
            label: self.subject.clone(),
        })
    }
}

/// Everything of at least [`WORTH`] that could still go, by kind; what it would save is not worked out yet.
pub fn candidates(inputs: &Inputs<'_>, plan: &Plan) -> Vec<Suggestion> {
    let scene = Scene::new(inputs, plan);
    let found = KINDS.iter().flat_map(|kind| (kind.find)(&scene));
    found
        .filter(|suggestion| suggestion.room >= WORTH)
        .collect()
}

/// `1 file`, `2 files`: how much an evidence is about.
fn files(count: u64) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    }
}
