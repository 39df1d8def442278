//! A guest, the marks on it and the plan that follows: what both faces drive.

pub use crate::load::Loaded;
use crate::plan::{Level, Mark, RuleId, RuleSet, Selector, Wish};

/// What the scientist decided so far; a profile is this and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// In the order in which they were made; a later one wins over an earlier one about the same thing.
    pub marks: Vec<Mark>,
    /// Rules that are on.
    pub rules: RuleSet,
    /// The level of what stays only because something needs it.
    pub needed_level: Level,
    /// Paths that a workload really read, as escaped text, sorted; they only ever add.
    pub trace: Vec<String>,
}

/// One change of the intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Sets the wish of a selector, replacing an earlier one of the same selector.
    Mark(Selector, Wish),
    /// Takes the mark of a selector away.
    Unmark(Selector),
    /// Switches a rule.
    Rule(RuleId, bool),
    /// Sets the level of what stays only because something needs it.
    NeededLevel(Level),
    /// Replaces everything, as when a profile is opened.
    Replace(Intent),
}
