//! What is only wanted or guessed: followed into packages of which something stays anyway, and never beyond.
//!
//! So a guess protects a file of a package that is cut to what is needed, and cannot bring back a package that goes or
//! whose files all go; those cases are findings. Each round only adds, and stops when nothing is added: the order of the
//! edges decides which reason is found first, not what stays.

use super::Closure;
use crate::model::{FileId, Node, PackageId};
use crate::plan::{Level, Reason};

impl Closure<'_> {
    /// Keeps what soft edges lead to in packages of which something stays; tells whether that brought anything.
    pub(super) fn follow_soft(&mut self) -> bool {
        let graph = self.inputs.graph;
        let mut is_added = false;
        for edge in graph.soft_edges() {
            if let Node::File(file) = graph.target(edge)
                && !self.kept.contains(file.index())
                && self.is_kept(graph.need(edge).from)
                && self.has_files(file)
                && !self.is_marked_drop(file)
            {
                self.keep(file, Reason::Need(edge));
                is_added = true;
            }
        }
        is_added
    }

    /// Whether a package's files or a file stay.
    pub fn is_kept(&self, node: Node) -> bool {
        match node {
            Node::Package(id) => self.keeps_files_of(id),
            Node::File(file) => self.kept.contains(file.index()),
        }
    }

    fn keeps_files_of(&self, package: PackageId) -> bool {
        self.levels[package.index()] > Some(Level::Hollowed)
    }

    /// Whether files of this file's package stay. What no package owns stays or goes for reasons of its own.
    fn has_files(&self, file: FileId) -> bool {
        let owner = self.inputs.inventory.owner(file);
        owner.is_some_and(|owner| self.keeps_files_of(owner))
    }
}
