//! The ways to change an intent.

use crate::plan::hardware::HypervisorId;
use crate::plan::suggest::rules_of_class;
use crate::plan::{Intent, Level, Risk, RuleId, Selector, Wish};

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
    /// Accepts every suggestion of up to a risk class, also those that a further mark or the next build of the image
    /// brings; its rules are switched on. `None` takes only the former back.
    Accept(Option<Risk>),
    /// Declares that the output will run on a hypervisor, or takes that back.
    Hypervisor(HypervisorId, bool),
    /// Has the initramfs made anew, or leaves it as it is.
    Initramfs(bool),
    /// Replaces everything, as when a profile is opened.
    Replace(Intent),
}

impl Edit {
    /// The intent after this change.
    pub fn on(self, intent: &Intent) -> Intent {
        let mut changed = intent.clone();
        match self {
            Self::Mark(selector, wish) => changed.mark(selector, wish),
            Self::Unmark(selector) => changed.marks.retain(|mark| mark.selector != selector),
            Self::Rule(rule, is_on) => changed.rules = changed.rules.with(rule, is_on),
            Self::NeededLevel(level) => changed.needed_level = level,
            Self::Accept(class) => {
                changed.accept = class;
                if let Some(class) = class {
                    changed.rules = rules_of_class(changed.rules, class);
                }
            }
            Self::Hypervisor(id, is_on) => {
                changed.hypervisors.retain(|&other| other != id);
                if is_on {
                    changed.hypervisors.push(id);
                    changed.hypervisors.sort_unstable();
                }
            }
            Self::Initramfs(is_rebuilt) => changed.rebuilds_initramfs = is_rebuilt,
            Self::Replace(intent) => changed = intent,
        }
        changed
    }
}
