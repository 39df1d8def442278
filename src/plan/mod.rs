//! What stays and what goes: a pure function of inventory, needs, marks and rules.

mod closure;
mod decide;
mod facets;
mod findings;
pub mod gpu;
pub mod hardware;
pub mod intent;
pub mod mark;
mod modules;
pub mod rules;
pub mod select;
pub mod suggest;
mod why;

pub use decide::{Inputs, decide};
pub use facets::Facets;
pub use intent::Intent;
pub use mark::{Mark, ResolvedMark, Selector, Wish};
pub use rules::{RULES, Rule, RuleId, RuleSet, Scope};
pub use suggest::{Risk, Suggestion};
pub use why::{chain, class_gone, mark_subject, next, why_gone};

use crate::model::{Bytes, FileId, Node, PackageId};
use fixedbitset::FixedBitSet;

/// How much of a component stays, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The record stays, the files go.
    Hollowed,
    /// Only what a finder, a mark or a trace names stays.
    NeededOnly,
    /// All but the classes of the active rules stays.
    Trimmed,
    /// Everything stays.
    Whole,
}

impl Level {
    /// All levels, from least to most.
    pub const ALL: [Self; 4] = [Self::Hollowed, Self::NeededOnly, Self::Trimmed, Self::Whole];

    /// The word for it on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hollowed => "hollowed",
            Self::NeededOnly => "needed only",
            Self::Trimmed => "trimmed",
            Self::Whole => "whole",
        }
    }
}

/// Why something stays or goes: the last link of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The mark at this position of the marks asks for it.
    Mark(u32),
    /// The boot set's root at this position of `inventory.boot.roots`.
    Boot(u32),
    /// The package manager calls it essential or protected.
    Essential,
    /// A need: the edge at this position of the graph.
    Need(u32),
    /// Its package stays.
    Owner(PackageId),
    /// A traced workload read it.
    Trace,
    /// No package owns it: the scientist's own.
    Unowned,
    /// Folders stay.
    Directory,
    /// It stays because the file that it is made from or points to stays.
    Follows(FileId),
    /// Dropped: a rule's class.
    Rule(RuleId),
    /// Dropped: nothing that stays needs it.
    NotNeeded,
    /// Dropped: its package goes.
    OwnerGoes(PackageId),
    /// Dropped: of its package only the record stays (or only what is needed).
    Cut(PackageId),
    /// Dropped: the file that it is made from or points to goes.
    FollowsGone(FileId),
    /// Dropped: an unowned file in a folder that only dropped packages own.
    Leavings,
    /// Dropped: it drives hardware that no declared hypervisor shows.
    Idle,
}

/// What happens to one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackageVerdict {
    /// The level at which it stays; `None` when it goes.
    pub level: Option<Level>,
    /// Why.
    pub reason: Reason,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// May break something; `--strict` turns it into failure.
    Warning,
}

/// Something about the plan that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// What it is about, when it is about one thing.
    pub node: Option<Node>,
    /// One sentence, guest names already escaped.
    pub message: String,
}

/// How big something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Files, folders and links.
    pub files: u64,
    /// Lengths added up, each inode once.
    pub apparent: Bytes,
    /// Room on disk, each inode once.
    pub allocated: Bytes,
    /// Estimate of the compressed image.
    pub compressed: Bytes,
}

/// A verdict and a reason for everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// One element a package.
    pub packages: Vec<PackageVerdict>,
    /// One bit a file: it stays.
    pub kept: FixedBitSet,
    /// One element a file.
    pub reasons: Vec<Reason>,
    /// One element a package: what would leave together with it (zero for one that goes).
    pub retained: Vec<Bytes>,
    /// What a person should know, worst first.
    pub findings: Vec<Finding>,
    /// Suggestions that are accepted by their risk class: those that are marks first, and the marks beyond the intent's own are
    /// theirs, in this order.
    pub accepted: Vec<Suggestion>,
    /// The source.
    pub before: Sizes,
    /// The projection.
    pub after: Sizes,
}

impl Plan {
    /// Whether this file stays.
    pub fn keeps_file(&self, file: FileId) -> bool {
        self.kept.contains(file.index())
    }

    /// Whether this package's record stays.
    pub fn keeps_package(&self, package: PackageId) -> bool {
        self.packages[package.index()].level.is_some()
    }
}
