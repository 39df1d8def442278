//! What marks say about packages and files.

use super::{Closure, NO_MARK};
use crate::model::{Evidence, FileId, FileKind, Node, PackageId};
use crate::plan::{Level, Reason, Wish, gpu};

impl Closure<'_> {
    pub(super) fn read_marks(&mut self) {
        for (at, mark) in self.inputs.marks.iter().enumerate() {
            for &node in &mark.nodes {
                match node {
                    Node::Package(id) => self.package_wishes[id.index()] = Some(at as u32),
                    Node::File(file) => {
                        self.wishes
                            .resize(self.inputs.inventory.tree.len(), NO_MARK);
                        let range = self.inputs.inventory.tree.subtree(file);
                        self.wishes[range.start as usize..range.end as usize].fill(at as u32);
                        self.single_out(file, mark.wish);
                        if self.inputs.inventory.follows[file.index()].is_some() {
                            self.named.grow(file.index() + 1);
                            self.named.insert(file.index());
                        }
                    }
                }
            }
        }
    }

    /// Whether the last mark about this file wants it gone.
    pub fn is_marked_drop(&self, file: FileId) -> bool {
        self.mark_about(file)
            .is_some_and(|mark| self.inputs.marks[mark as usize].wish == Wish::Drop)
    }

    /// The last mark about this file.
    pub fn mark_about(&self, file: FileId) -> Option<u32> {
        self.wishes
            .get(file.index())
            .copied()
            .filter(|&mark| mark != NO_MARK)
    }

    /// Whether this is a managed link that no mark names itself, only a folder above: it stays exactly when what it leads to
    /// stays.
    pub(super) fn only_follows(&self, file: FileId) -> bool {
        let inventory = self.inputs.inventory;
        inventory.follows[file.index()].is_some()
            && inventory.tree.kind(file) == FileKind::Symlink
            && !self.named.contains(file.index())
    }

    /// Whether a mark wants of this file's package only what is needed.
    pub fn is_cut_by_mark(&self, file: FileId) -> bool {
        let owner = self.inputs.inventory.owner(file);
        let mark = owner.and_then(|owner| self.package_wishes[owner.index()]);
        mark.is_some_and(|mark| {
            self.inputs.marks[mark as usize].wish == Wish::Keep(Level::NeededOnly)
        })
    }

    /// A mark below trimmed is also a ceiling, but for the boot set and for `floor`: what kept files ask for.
    pub(super) fn ceiling(
        &self,
        package: PackageId,
        level: Level,
        floor: Level,
        reason: Reason,
    ) -> Level {
        let Some(mark) = self.package_wishes[package.index()] else {
            return level;
        };
        match (self.inputs.marks[mark as usize].wish, reason) {
            (_, Reason::Boot(_) | Reason::Essential) => level,
            (Wish::Keep(marked @ (Level::Hollowed | Level::NeededOnly)), _) => {
                level.min(marked.max(floor))
            }
            _ => level,
        }
    }

    /// Remembers that a drop mark names this file itself, where it is code for one GPU architecture.
    fn single_out(&mut self, file: FileId, wish: Wish) {
        let tree = &self.inputs.inventory.tree;
        let range = tree.subtree(file);
        self.singled.grow(range.end as usize);
        let is_code = wish == Wish::Drop && !self.is_folder(file) && gpu::is_code(tree, file);
        self.singled
            .set_range(range.start as usize..range.end as usize, is_code);
    }

    /// Whether this file goes against a need. A convention or a component asks for a folder as a whole, whatever the GPU; only
    /// the scientist knows that code for one architecture is not needed.
    pub(super) fn is_let_go(&self, file: FileId, reason: Reason) -> bool {
        self.singled.contains(file.index())
            && matches!(reason, Reason::Need(edge) if matches!(
                self.inputs.graph.need(edge).evidence,
                Evidence::Convention | Evidence::Component
            ))
    }
}
