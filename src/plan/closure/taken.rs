//! What active rules take of packages that stay, and when they do not.

use super::Closure;
use crate::model::{FileId, Node, PackageId};
use crate::plan::{Level, Reason, RuleId};

impl Closure<'_> {
    /// The first active rule that takes this file.
    pub fn rule_about(&self, file: FileId) -> Option<RuleId> {
        let active = self.inputs.facets.classes[file.index()] & self.rules.0;
        (active != 0).then(|| RuleId(active.trailing_zeros() as u8))
    }

    /// Debug symbols that a package declares and works with stay with it.
    pub(super) fn spare(&mut self, package: PackageId, level: Level, to: Node) {
        let symbols = &self.inputs.facets.symbols;
        if let Node::Package(to) = to
            && symbols.contains(to.index())
            && !symbols.contains(package.index())
            && level > Level::Hollowed
            && !self.spared.put(to.index())
        {
            self.queue.push_back(Node::Package(to));
        }
    }

    pub(super) fn keep_owned(&mut self, package: PackageId, level: Level, file: FileId) {
        let is_taken = self.rule_about(file).is_some_and(|rule| {
            !(rule.rule().spares_declared && self.spared.contains(package.index()))
        });
        let is_cut = level < Level::Whole && (is_taken || self.is_idle(file));
        if !is_cut && !self.is_marked_drop(file) {
            self.keep(file, Reason::Owner(package));
        }
    }

    pub(super) fn claim(&mut self, folder: FileId) {
        if !self.claimed.put(folder.index()) {
            for &file in self.inputs.facets.wards(folder) {
                if self.inputs.inventory.follows[file.index()].is_none() {
                    self.keep_unowned(file);
                }
            }
        }
    }

    /// Switches off rules whose guards stay and brings back what they took; tells whether there were any.
    pub(super) fn suspend_rules(&mut self) -> bool {
        let stays = |package: &PackageId| self.levels[package.index()] > Some(Level::Hollowed);
        let suspended: Vec<RuleId> = RuleId::all()
            .filter(|&id| self.rules.contains(id))
            .filter(|id| self.inputs.facets.guards[id.0 as usize].iter().any(stays))
            .collect();
        for &id in &suspended {
            self.rules = self.rules.with(id, false);
        }
        if !suspended.is_empty() {
            for at in 0..self.levels.len() {
                if let Some(level @ (Level::Trimmed | Level::Whole)) = self.levels[at] {
                    let package = PackageId(at as u32);
                    for &file in &self.inputs.inventory.package(package).files {
                        self.keep_owned(package, level, file);
                    }
                }
            }
            self.add_unowned();
        }
        !suspended.is_empty()
    }
}
