//! All that a scientist decided about one guest: marks, rules, and the level of what is only needed.

use super::{Level, Mark, RuleSet};

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

impl Default for Intent {
    fn default() -> Self {
        Self {
            marks: Vec::new(),
            rules: RuleSet::default(),
            needed_level: Level::Trimmed,
            trace: Vec::new(),
        }
    }
}
