//! Classes of files that go from what stays only because something needs it; named, listed, switchable.

use crate::model::{FileId, Inventory};

/// A rule's row in [`RULES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u8);

/// One rule.
pub struct Rule {
    /// Its name in profiles: `documentation`.
    pub id: &'static str,
    /// What goes, for the screen: `documentation except copyright files`.
    pub heading: &'static str,
    /// What may break, one sentence.
    pub risk: &'static str,
    /// Whether it is on when a profile says nothing.
    pub is_default: bool,
    /// Whether it also takes files that no package owns.
    pub takes_unowned: bool,
    /// Whether a file is of the class; called once a file when the guest is loaded.
    pub matches: fn(&Inventory, FileId, &[u8]) -> bool,
}

impl RuleId {
    /// The row itself.
    pub fn rule(self) -> &'static Rule {
        &RULES[self.0 as usize]
    }
}

/// Which rules are on, one bit a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleSet(pub u32);

/// All rules.
pub static RULES: &[Rule] = &[];
