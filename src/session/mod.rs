//! A guest, the marks on it and the plan that follows: what both faces drive.

pub use crate::load::Loaded;
pub use crate::plan::Intent;
use crate::plan::{Level, RuleId, Selector, Wish};

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
