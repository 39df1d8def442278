//! The ways to change an intent.

use crate::plan::{Intent, Level, Mark, RuleId, Selector, Wish};

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

impl Edit {
    /// The intent after this change.
    pub fn on(self, intent: &Intent) -> Intent {
        let mut changed = intent.clone();
        match self {
            Self::Mark(selector, wish) => match changed
                .marks
                .iter_mut()
                .find(|mark| mark.selector == selector)
            {
                Some(mark) => mark.wish = wish,
                None => changed.marks.push(Mark { selector, wish }),
            },
            Self::Unmark(selector) => changed.marks.retain(|mark| mark.selector != selector),
            Self::Rule(rule, is_on) => changed.rules = changed.rules.with(rule, is_on),
            Self::NeededLevel(level) => changed.needed_level = level,
            Self::Replace(intent) => changed = intent,
        }
        changed
    }
}
