//! What stays: everything that the roots reach through needs.
//!
//! Breadth first from marks, boot set, essential packages, trace and unowned files, so that the first reason found is the
//! end of a shortest chain. Levels only ever rise and files are only ever added, so that the result does not depend on
//! anything but its inputs.

mod followers;
mod marks;
mod reach;
mod soft;
mod taken;

use super::{Inputs, Level, Reason, RuleSet, Wish, hardware, modules};
use crate::model::{Evidence, FileId, Node, PackageId};
use fixedbitset::FixedBitSet;
use std::collections::{HashMap, VecDeque};

/// An element of [`Closure::wishes`] without a mark.
pub(super) const NO_MARK: u32 = u32::MAX;

/// What stays, and the first reason found for each thing.
pub(super) struct Closure<'a> {
    inputs: &'a Inputs<'a>,
    pub levels: Vec<Option<Level>>,
    pub package_reasons: Vec<Reason>,
    pub kept: FixedBitSet,
    pub reasons: Vec<Reason>,
    /// The last mark about each file, by position, or [`NO_MARK`]; empty when no mark is about a file.
    pub wishes: Vec<u32>,
    /// The last mark about each package.
    pub package_wishes: Vec<Option<u32>>,
    /// Managed links that marks name themselves, not by a folder above.
    named: FixedBitSet,
    /// Code for one GPU architecture that drop marks name themselves, not by a folder above.
    singled: FixedBitSet,
    /// Files of components that marks cut to what something names; empty when there are none.
    cut: FixedBitSet,
    /// Drivers and firmware that no declared hypervisor needs, in tree order.
    idle: Vec<FileId>,
    /// Folders that a package with files of its own left claims.
    claimed: FixedBitSet,
    pub rules: RuleSet,
    /// Packages of debug symbols that a package of another kind declares and stays.
    spared: FixedBitSet,
    /// Needs between packages, with the number of packages standing for the root: what retained sizes are made from.
    pub influences: Vec<(u32, u32)>,
    last_influence: Vec<u32>,
    queue: VecDeque<Node>,
    /// Folders of which everything stays already, with the packages that own something in them: many needs may name one
    /// big folder.
    whole: HashMap<FileId, Vec<PackageId>>,
}

impl<'a> Closure<'a> {
    pub fn run(inputs: &'a Inputs<'a>) -> Self {
        let packages = inputs.inventory.packages.len();
        let files = inputs.inventory.tree.len();
        let mut closure = Self {
            inputs,
            levels: vec![None; packages],
            package_reasons: vec![Reason::NotNeeded; packages],
            kept: FixedBitSet::with_capacity(files),
            reasons: vec![Reason::NotNeeded; files],
            wishes: Vec::new(),
            package_wishes: vec![None; packages],
            named: FixedBitSet::new(),
            singled: FixedBitSet::new(),
            cut: modules::cut(inputs),
            idle: hardware::idle_under(inputs),
            claimed: FixedBitSet::with_capacity(files),
            rules: inputs.rules,
            spared: FixedBitSet::with_capacity(packages),
            influences: Vec::new(),
            last_influence: vec![u32::MAX; packages + 1],
            queue: VecDeque::new(),
            whole: HashMap::new(),
        };
        closure.read_marks();
        closure.add_roots();
        closure.drain();
        while closure.follow_soft() || closure.suspend_rules() {
            closure.drain();
        }
        closure.add_followers();
        closure
    }

    /// Whether this is a driver or firmware that no declared hypervisor needs.
    pub fn is_idle(&self, file: FileId) -> bool {
        self.idle.binary_search(&file).is_ok()
    }

    fn add_roots(&mut self) {
        let inputs = self.inputs;
        for at in 0..self.package_wishes.len() {
            if let Some(mark) = self.package_wishes[at]
                && let Wish::Keep(level) = inputs.marks[mark as usize].wish
            {
                self.raise(PackageId(at as u32), level, Reason::Mark(mark));
            }
        }
        for at in 0..self.wishes.len() {
            let file = FileId(at as u32);
            if let Some(mark) = self.mark_about(file)
                && !self.is_marked_drop(file)
                && !self.only_follows(file)
            {
                self.keep(file, Reason::Mark(mark));
            }
        }
        for (at, root) in inputs.inventory.boot.roots.iter().enumerate() {
            self.reach(
                root.node,
                Reason::Boot(at as u32),
                self.boot_level(),
                self.owner_number(None),
            );
        }
        for id in inputs.inventory.package_ids() {
            let package = inputs.inventory.package(id);
            if package.essential || package.protected {
                self.raise(
                    id,
                    inputs.needed_level.max(Level::Trimmed),
                    Reason::Essential,
                );
            }
        }
        for &file in inputs.trace {
            self.keep(file, Reason::Trace);
        }
        self.add_unowned();
    }

    fn add_unowned(&mut self) {
        let inventory = self.inputs.inventory;
        for file in inventory.tree.ids() {
            let is_root = inventory.owner(file).is_none()
                && !self.is_folder(file)
                && inventory.follows[file.index()].is_none()
                && self.inputs.facets.guardian[file.index()].is_none();
            if is_root {
                self.keep_unowned(file);
            }
        }
    }

    fn keep_unowned(&mut self, file: FileId) {
        // Of a distribution that a mark cuts, only what is named stays, whoever installed it.
        let is_cut = self.cut.contains(file.index());
        if !is_cut && !self.is_marked_drop(file) && self.rule_about(file).is_none() {
            self.keep(file, Reason::Unowned);
        }
    }

    /// The level of boot packages: cut below trimmed only where a trace tells what booting reads.
    fn boot_level(&self) -> Level {
        if self.inputs.trace.is_empty() {
            self.inputs.needed_level.max(Level::Trimmed)
        } else {
            self.needed_files_level()
        }
    }

    /// The level of a package that a kept file needs.
    fn needed_files_level(&self) -> Level {
        self.inputs.needed_level.max(Level::NeededOnly)
    }

    /// The level of a package that a package at `level` declares.
    fn declared_level(&self, level: Level) -> Level {
        match (level, self.inputs.needed_level) {
            (Level::Hollowed, _) | (_, Level::Hollowed | Level::NeededOnly) => Level::Hollowed,
            (_, needed) => needed,
        }
    }

    fn raise(&mut self, package: PackageId, level: Level, reason: Reason) {
        self.raise_above(package, level, Level::Hollowed, reason);
    }

    fn raise_above(&mut self, package: PackageId, level: Level, floor: Level, reason: Reason) {
        let level = self.ceiling(package, level, floor, reason);
        if !matches!(reason, Reason::Need(_) | Reason::Owner(_)) {
            self.influence(self.owner_number(None), package.0);
        }
        let current = self.levels[package.index()];
        if current.is_none() {
            self.package_reasons[package.index()] = reason;
        }
        if current < Some(level) {
            self.levels[package.index()] = Some(level);
            self.queue.push_back(Node::Package(package));
        }
    }

    fn keep(&mut self, file: FileId, reason: Reason) {
        if self.is_folder(file) || self.kept.put(file.index()) {
            return;
        }
        self.reasons[file.index()] = reason;
        let has_needs = !self.inputs.graph.edges_of(Node::File(file)).is_empty();
        let has_owner =
            !matches!(reason, Reason::Owner(_)) && self.inputs.inventory.owner(file).is_some();
        if has_needs || has_owner {
            self.queue.push_back(Node::File(file));
        }
    }

    fn drain(&mut self) {
        while let Some(node) = self.queue.pop_front() {
            match node {
                Node::Package(package) => self.expand_package(package),
                Node::File(file) => self.expand_file(file),
            }
        }
    }

    fn expand_package(&mut self, package: PackageId) {
        let Some(level) = self.levels[package.index()] else {
            return;
        };
        for edge in self.inputs.graph.edges_of(Node::Package(package)) {
            let to = self.inputs.graph.target(edge);
            self.spare(package, level, to);
            if level > Level::Hollowed || matches!(to, Node::Package(_)) {
                self.reach(
                    to,
                    Reason::Need(edge),
                    self.declared_level(level),
                    package.0,
                );
            }
        }
        let facts = self.inputs.inventory.package(package);
        if level == Level::NeededOnly {
            for &file in &facts.conffiles {
                if !self.is_marked_drop(file) {
                    self.keep(file, Reason::Owner(package));
                }
            }
        }
        if level > Level::Hollowed {
            for &file in &facts.files {
                if self.is_folder(file) {
                    self.claim(file);
                } else if level > Level::NeededOnly {
                    self.keep_owned(package, level, file);
                }
            }
        }
    }

    fn expand_file(&mut self, file: FileId) {
        let owner = self.inputs.inventory.owner(file);
        if let Some(owner) = owner
            && self.levels[owner.index()] < Some(Level::NeededOnly)
        {
            let reason = self.reasons[file.index()];
            self.raise_above(owner, self.needed_files_level(), Level::NeededOnly, reason);
        }
        let from = self.owner_number(owner);
        let is_cut = self.cut.contains(file.index());
        for edge in self.inputs.graph.edges_of(Node::File(file)) {
            if is_cut && self.inputs.graph.need(edge).evidence == Evidence::Component {
                continue;
            }
            let to = self.inputs.graph.target(edge);
            self.reach(to, Reason::Need(edge), self.needed_files_level(), from);
        }
    }

    fn is_folder(&self, file: FileId) -> bool {
        self.inputs.facets.folders.contains(file.index())
    }

    fn owner_number(&self, owner: Option<PackageId>) -> u32 {
        owner.map_or(self.levels.len() as u32, |owner| owner.0)
    }

    fn influence(&mut self, from: u32, to: u32) {
        if from != to && std::mem::replace(&mut self.last_influence[to as usize], from) != from {
            self.influences.push((from, to));
        }
    }
}
