//! Lessons from traces of workloads: paths that must stay, and how much of the plan no trace touched.

use super::Session;
use crate::model::Bytes;
use crate::model::text::unescape;
use crate::session::Edit;
use fixedbitset::FixedBitSet;
use std::collections::BTreeSet;

/// The changes that one more trace made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lesson {
    /// Paths that no earlier trace had.
    pub added: usize,
    /// Paths of all traces.
    pub paths: usize,
    /// The projection without the new paths, on disk.
    pub before: Bytes,
    /// The projection with them.
    pub after: Bytes,
    /// Files that the plan keeps and no trace touched.
    pub never_read: Bytes,
}

impl Session {
    /// Merges the escaped paths of a trace with those of earlier ones.
    pub fn learn(&mut self, evidence: &BTreeSet<String>) -> Lesson {
        let mut intent = self.intent.clone();
        let known: BTreeSet<String> = intent.trace.drain(..).collect();
        intent.trace = known.union(evidence).cloned().collect();
        let paths = intent.trace.len();
        let before = self.plan.after.allocated;
        self.apply(Edit::Replace(intent));
        Lesson {
            added: paths - known.len(),
            paths,
            before,
            after: self.plan.after.allocated,
            never_read: self.never_read(),
        }
    }

    /// Bytes on disk of what the plan keeps and no trace ever touched.
    pub fn never_read(&self) -> Bytes {
        let tree = &self.inventory().tree;
        let mut read = FixedBitSet::with_capacity(tree.len());
        let touched = self.intent.trace.iter();
        let touched = touched.filter_map(|path| tree.lookup(&unescape(path)));
        touched.for_each(|file| read.insert(file.index()));
        let is_unread = |&file: &crate::model::FileId| {
            self.plan.keeps_file(file)
                && tree.is_first_name(file)
                && !tree.is_directory(file)
                && !tree
                    .names(file)
                    .iter()
                    .any(|name| read.contains(name.index()))
        };
        let unread = tree.ids().filter(is_unread);
        unread.map(|file| Bytes(tree.allocated(file))).sum()
    }
}
