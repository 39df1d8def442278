//! What a need names stays: a package, a file, or a folder with all that is in it.

use super::Closure;
use crate::model::{FileId, Node};
use crate::plan::{Level, Reason};

impl Closure<'_> {
    /// Keeps what a need or the boot set names.
    pub(super) fn reach(&mut self, to: Node, reason: Reason, level: Level, from: u32) {
        match to {
            Node::Package(package) => {
                self.influence(from, package.0);
                self.raise(package, level, reason);
            }
            Node::File(folder) if self.is_folder(folder) => {
                self.reach_folder(folder, reason, from);
            }
            Node::File(file) => {
                self.reach_file(file, reason, from);
            }
        }
    }

    fn reach_folder(&mut self, folder: FileId, reason: Reason, from: u32) {
        if let Some(owners) = self.whole.remove(&folder) {
            for &owner in &owners {
                self.influence(from, owner.0);
            }
            self.whole.insert(folder, owners);
            return;
        }
        let inventory = self.inputs.inventory;
        let mut is_whole = true;
        let mut owners = Vec::new();
        for file in inventory.tree.subtree(folder).map(FileId) {
            is_whole &= self.reach_file(file, reason, from);
            owners.extend(inventory.owner(file));
        }
        if is_whole {
            owners.sort_unstable();
            owners.dedup();
            self.whole.insert(folder, owners);
        }
    }

    /// Keeps a file that is needed; false where it goes all the same.
    fn reach_file(&mut self, file: FileId, reason: Reason, from: u32) -> bool {
        // The boot set names all of a kernel's modules; what is idle stays only for what really needs it.
        if matches!(reason, Reason::Boot(_)) && self.is_idle(file) {
            return false;
        }
        if self.is_let_go(file, reason) {
            return false;
        }
        if let Some(owner) = self.inputs.inventory.owner(file) {
            self.influence(from, owner.0);
        }
        self.keep(file, reason);
        true
    }
}
