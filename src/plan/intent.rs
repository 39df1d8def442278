//! All that a scientist decided about one guest: marks, rules, and the level of what is only needed.

use super::hardware::HypervisorId;
use super::{Level, Mark, Risk, RuleSet, Selector, Wish};

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
    /// Suggestions of up to this risk class are accepted, whichever there are.
    pub accept: Option<Risk>,
    /// What the output will run on, sorted; empty when nothing is declared, and then every driver stays.
    pub hypervisors: Vec<HypervisorId>,
    /// Whether the guest's own tools make its initramfs anew, with only the drivers that it then needs.
    pub rebuilds_initramfs: bool,
}

impl Intent {
    /// Sets the wish of a selector, replacing an earlier one of the same selector.
    pub fn mark(&mut self, selector: Selector, wish: Wish) {
        match self.marks.iter_mut().find(|mark| mark.selector == selector) {
            Some(mark) => mark.wish = wish,
            None => self.marks.push(Mark { selector, wish }),
        }
    }
}

impl Default for Intent {
    fn default() -> Self {
        Self {
            marks: Vec::new(),
            rules: RuleSet::default(),
            needed_level: Level::Trimmed,
            trace: Vec::new(),
            accept: None,
            hypervisors: Vec::new(),
            rebuilds_initramfs: false,
        }
    }
}
