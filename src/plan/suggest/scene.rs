//! Answers that all kinds of suggestions need, computed once per plan: what marks select, and what needs of kept things reach.

use super::super::{Inputs, Level, Plan, Reason};
use crate::model::{Bytes, Evidence, FileId, Node, PackageId};
use fixedbitset::FixedBitSet;

/// A plan and what it rests on.
pub(super) struct Scene<'a> {
    pub inputs: &'a Inputs<'a>,
    pub plan: &'a Plan,
    /// Packages that a kept file needs, or of which something kept (other than the package itself) needs a file.
    pub read: FixedBitSet,
    /// Packages that the boot set or essential packages declare, directly or not: only a trace tells what of them booting
    /// reads.
    pub booting: FixedBitSet,
    /// Needs of kept things for what no package owns: target, and the file that needs it, if it is one; sorted.
    wanted: Vec<(FileId, Option<FileId>)>,
    /// Packages and files that a mark selects; a folder stands for everything in it.
    marked_packages: FixedBitSet,
    marked_files: FixedBitSet,
}

impl<'a> Scene<'a> {
    pub fn new(inputs: &'a Inputs<'a>, plan: &'a Plan) -> Self {
        let inventory = inputs.inventory;
        let mut scene = Self {
            inputs,
            plan,
            read: FixedBitSet::with_capacity(inventory.packages.len()),
            booting: FixedBitSet::with_capacity(inventory.packages.len()),
            wanted: Vec::new(),
            marked_packages: FixedBitSet::with_capacity(inventory.packages.len()),
            marked_files: FixedBitSet::with_capacity(inventory.tree.len()),
        };
        scene.see_marks();
        scene.see_needs();
        scene.see_roots();
        scene.see_booting();
        scene
    }

    /// Whether a mark is about this package, or about a file of it.
    pub fn is_marked_package(&self, package: PackageId) -> bool {
        let files = &self.inputs.inventory.package(package).files;
        self.marked_packages.contains(package.index())
            || files
                .iter()
                .any(|file| self.is_file(*file) && self.marked_files.contains(file.index()))
    }

    /// Whether a mark is about this file or something in this folder.
    pub fn is_marked_tree(&self, folder: FileId) -> bool {
        let range = self.inputs.inventory.tree.subtree(folder);
        self.marked_files
            .contains_any_in_range(range.start as usize..range.end as usize)
    }

    /// Whether something kept outside of this tree needs something in it.
    pub fn is_wanted_tree(&self, folder: FileId) -> bool {
        let range = self.inputs.inventory.tree.subtree(folder);
        let first = self.wanted.partition_point(|want| want.0.0 < range.start);
        let last = self.wanted.partition_point(|want| want.0.0 < range.end);
        self.wanted[first..last]
            .iter()
            .any(|want| want.1.is_none_or(|from| !range.contains(&from.0)))
    }

    /// Files that stay in a tree, and their room on disk.
    pub fn weight(&self, files: impl Iterator<Item = FileId>) -> (u64, Bytes) {
        let tree = &self.inputs.inventory.tree;
        files
            .filter(|&file| self.is_file(file) && self.plan.keeps_file(file))
            .fold((0, Bytes::ZERO), |(count, room), file| {
                (count + 1, room + Bytes(tree.allocated(file)))
            })
    }

    /// Whether it is anything but a folder.
    pub fn is_file(&self, file: FileId) -> bool {
        !self.inputs.facets.folders.contains(file.index())
    }

    fn see_marks(&mut self) {
        for mark in self.inputs.marks {
            for &node in &mark.nodes {
                match node {
                    Node::Package(package) => self.marked_packages.insert(package.index()),
                    Node::File(file) => {
                        let range = self.inputs.inventory.tree.subtree(file);
                        self.marked_files
                            .insert_range(range.start as usize..range.end as usize);
                    }
                }
            }
        }
    }

    fn see_needs(&mut self) {
        let (inventory, graph) = (self.inputs.inventory, self.inputs.graph);
        // Nothing breaks without a wanted file.
        let edges = (0..graph.needs().len() as u32)
            .filter(|&edge| graph.need(edge).evidence != Evidence::Wanted);
        for edge in edges {
            let (from, file, to) = match (graph.need(edge).from, graph.target(edge)) {
                // A declaration between packages does not read a file.
                (Node::Package(_), Node::Package(_)) => continue,
                (Node::Package(from), to) => (Some(from), None, to),
                (Node::File(file), to) => (inventory.owner(file), Some(file), to),
            };
            let stays = match (file, from) {
                (Some(file), _) => self.plan.keeps_file(file),
                (None, Some(from)) => {
                    self.plan.packages[from.index()].level > Some(Level::Hollowed)
                }
                (None, None) => false,
            };
            if !stays {
                continue;
            }
            match to {
                Node::Package(package) => self.see_read(from, package),
                Node::File(to) => self.see_target(from, file, to),
            }
        }
        self.wanted.sort_unstable();
    }

    fn see_target(&mut self, from: Option<PackageId>, file: Option<FileId>, to: FileId) {
        let inventory = self.inputs.inventory;
        for at in inventory.tree.subtree(to) {
            let to = FileId(at);
            match inventory.owner(to) {
                Some(_) if !self.is_file(to) => {}
                Some(owner) => self.see_read(from, owner),
                None => self.wanted.push((to, file)),
            }
        }
    }

    fn see_read(&mut self, from: Option<PackageId>, package: PackageId) {
        if from != Some(package) {
            self.read.insert(package.index());
        }
    }

    fn see_booting(&mut self) {
        let (inventory, graph) = (self.inputs.inventory, self.inputs.graph);
        let is_root = |id: &PackageId| {
            let reason = self.plan.packages[id.index()].reason;
            matches!(reason, Reason::Boot(_) | Reason::Essential)
        };
        let mut queue: Vec<PackageId> = inventory.package_ids().filter(is_root).collect();
        while let Some(package) = queue.pop() {
            for edge in graph.edges_of(Node::Package(package)) {
                if let Node::Package(to) = graph.target(edge)
                    && !self.booting.put(to.index())
                {
                    queue.push(to);
                }
            }
        }
    }

    /// Things named by the boot set, a mark or a trace count as read, too.
    fn see_roots(&mut self) {
        let inventory = self.inputs.inventory;
        for file in inventory.tree.ids() {
            let is_root = matches!(
                self.plan.reasons[file.index()],
                Reason::Boot(_) | Reason::Trace | Reason::Mark(_)
            );
            if is_root && self.plan.keeps_file(file) {
                match inventory.owner(file) {
                    Some(owner) => self.read.insert(owner.index()),
                    None => self.wanted.push((file, None)),
                }
            }
        }
        for root in &inventory.boot.roots {
            if let Node::Package(package) = root.node {
                self.read.insert(package.index());
            }
        }
        self.wanted.sort_unstable();
    }
}
