//! The file tree's rows: a virtual list over the arena, of which only open folders are walked.

use super::{Cursor, Filter, Order};
use crate::model::inventory::NO_OWNER;
use crate::model::{FileId, FileKind, FileTree, Inventory, PackageId};
use crate::plan::Plan;
use fixedbitset::FixedBitSet;
use std::cmp::Reverse;

/// A file in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRow {
    /// The file.
    pub file: FileId,
    /// How many folders it is below the root folder, which is in the first row.
    pub depth: u16,
}

/// Whose a file is, or all that is in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A package.
    Package(PackageId),
    /// No package owns it.
    Nobody,
    /// Not all of it is one package's.
    Several,
}

/// In `owners`: a folder with files of several packages, or of a package and of nobody.
const SEVERAL: u32 = NO_OWNER - 1;

/// The tree as far as it is open, and the cursor.
#[derive(Debug)]
pub struct FileList {
    /// Room on disk of each file with all that is below it, each inode once.
    sizes: Vec<u64>,
    /// The part of `sizes` that stays.
    stays: Vec<u64>,
    /// Who owns a file, and of a folder all that is in it: `PackageId.0`, `NO_OWNER`, or [`SEVERAL`].
    owners: Vec<u32>,
    open: FixedBitSet,
    rows: Vec<FileRow>,
    order: Order,
    /// What the filter leaves; `None` without one.
    matches: Option<Matches>,
    /// The cursor.
    pub cursor: Cursor,
}

impl FileList {
    /// The list with just the root folder open.
    pub fn new(inventory: &Inventory, plan: &Plan) -> Self {
        let tree = &inventory.tree;
        let mut open = FixedBitSet::with_capacity(tree.len());
        open.insert(FileId::ROOT.index());
        let mut list = Self {
            sizes: sums(tree, |file| tree.is_first_name(file)),
            stays: Vec::new(),
            owners: owners(inventory),
            open,
            rows: Vec::new(),
            order: Order::Name,
            matches: None,
            cursor: Cursor::default(),
        };
        list.replan(tree, plan);
        list.refresh(tree, 1);
        list
    }

    /// The files in their rows.
    pub fn rows(&self) -> &[FileRow] {
        &self.rows
    }

    /// The selected file.
    pub fn selected(&self) -> Option<FileId> {
        self.rows.get(self.cursor.at).map(|row| row.file)
    }

    /// Room on disk of a file and all that is below it, in bytes.
    pub fn size(&self, file: FileId) -> u64 {
        self.sizes[file.index()]
    }

    /// What of [`size`](Self::size) stays, in bytes.
    pub fn stays(&self, file: FileId) -> u64 {
        self.stays[file.index()]
    }

    /// Who owns a file, and of a folder all that is in it.
    pub fn owner(&self, file: FileId) -> Owner {
        match self.owners[file.index()] {
            SEVERAL => Owner::Several,
            NO_OWNER => Owner::Nobody,
            id => Owner::Package(PackageId(id)),
        }
    }

    /// Whether a folder's files are shown: it was opened, or it leads to what passes the filter.
    pub fn is_open(&self, file: FileId) -> bool {
        let leads = |found: &Matches| found.leads.contains(file.index());
        self.open.contains(file.index()) || self.matches.as_ref().is_some_and(leads)
    }

    /// What siblings are ordered by.
    pub fn order(&self) -> Order {
        self.order
    }

    /// Orders siblings; call [`refresh`](Self::refresh) afterwards.
    pub fn set_order(&mut self, order: Order) {
        self.order = order;
    }

    /// Shows only what passes, with what is below it and leads there; call [`refresh`](Self::refresh) afterwards.
    pub fn set_filter(&mut self, tree: &FileTree, filter: &Filter) {
        self.matches = (!filter.is_empty()).then(|| Matches::new(tree, filter));
    }

    /// Opens or closes a folder; call [`refresh`](Self::refresh) afterwards.
    pub fn set_open(&mut self, folder: FileId, is_open: bool) {
        self.open.set(folder.index(), is_open);
    }

    /// Selects this file if it is shown.
    pub fn select(&mut self, file: FileId, height: usize) -> bool {
        let found = self.rows.iter().position(|row| row.file == file);
        if let Some(at) = found {
            self.cursor.go(at, self.rows.len(), height);
        }
        found.is_some()
    }

    /// Opens every folder above a file; call [`refresh`](Self::refresh) afterwards.
    pub fn reveal(&mut self, tree: &FileTree, file: FileId) {
        let mut at = file;
        while at != FileId::ROOT {
            at = tree.parent(at);
            self.open.insert(at.index());
        }
    }

    /// Takes over a new plan.
    pub fn replan(&mut self, tree: &FileTree, plan: &Plan) {
        let counted = tree.first_names(|file| plan.keeps_file(file));
        self.stays = sums(tree, |file| counted.contains(file.index()));
    }

    /// Computes the rows anew, after a change of plan, order, filter or open folders.
    pub fn refresh(&mut self, tree: &FileTree, height: usize) {
        let selected = self.selected();
        self.rows = self.walk(tree);
        if !selected.is_some_and(|file| self.select(file, height)) {
            self.cursor.go(self.cursor.at, self.rows.len(), height);
        }
    }

    /// Walks the open folders with a stack of its own: a guest decides how deep a tree is.
    fn walk(&self, tree: &FileTree) -> Vec<FileRow> {
        let passes = |found: &Matches, file: FileId| found.shown.contains(file.index());
        let is_shown = |file| {
            self.matches
                .as_ref()
                .is_none_or(|found| passes(found, file))
        };
        let mut rows = Vec::new();
        let mut todo = vec![FileRow {
            file: FileId::ROOT,
            depth: 0,
        }];
        let mut siblings: Vec<FileId> = Vec::new();
        while let Some(row) = todo.pop() {
            rows.push(row);
            if tree.kind(row.file) != FileKind::Directory || !self.is_open(row.file) {
                continue;
            }
            siblings.clear();
            siblings.extend(
                tree.children(row.file)
                    .iter()
                    .filter(|&&file| is_shown(file)),
            );
            self.arrange(&mut siblings);
            let depth = row.depth.saturating_add(1);
            todo.extend(siblings.iter().rev().map(|&file| FileRow { file, depth }));
        }
        rows
    }

    fn arrange(&self, siblings: &mut [FileId]) {
        match self.order {
            Order::Name => {}
            Order::Size => siblings.sort_by_key(|&file| Reverse(self.size(file))),
            Order::Retained => siblings.sort_by_key(|&file| Reverse(self.stays(file))),
            Order::Verdict => siblings.sort_by_key(|&file| {
                let (size, stays) = (self.size(file), self.stays(file));
                (
                    size.saturating_sub(stays).min(stays) > 0,
                    stays == 0,
                    Reverse(size),
                )
            }),
        }
    }
}

/// Adds up the room of all files that count, each with what is below it.
fn sums(tree: &FileTree, counts: impl Fn(FileId) -> bool) -> Vec<u64> {
    let mut sums = vec![0u64; tree.len()];
    for file in tree.ids().rev() {
        let own = if counts(file) {
            tree.allocated(file)
        } else {
            0
        };
        sums[file.index()] = sums[file.index()].saturating_add(own);
        if file != FileId::ROOT {
            let parent = tree.parent(file).index();
            sums[parent] = sums[parent].saturating_add(sums[file.index()]);
        }
    }
    sums
}

/// The owner of each file, and of each folder the one of all that is in it; empty folders have their own.
fn owners(inventory: &Inventory) -> Vec<u32> {
    let tree = &inventory.tree;
    let mut owners = inventory.owners.clone();
    let mut is_empty = vec![true; tree.len()];
    for file in tree.ids().rev().filter(|&file| file != FileId::ROOT) {
        let parent = tree.parent(file).index();
        let own = owners[file.index()];
        if std::mem::take(&mut is_empty[parent]) {
            owners[parent] = own;
        } else if owners[parent] != own {
            owners[parent] = SEVERAL;
        }
    }
    owners
}

/// What a filter leaves of a tree.
#[derive(Debug)]
struct Matches {
    /// What passes, all below it, and all that leads there.
    shown: FixedBitSet,
    /// The folders that lead to what passes.
    leads: FixedBitSet,
}

impl Matches {
    fn new(tree: &FileTree, filter: &Filter) -> Self {
        let mut found = Self {
            shown: FixedBitSet::with_capacity(tree.len()),
            leads: FixedBitSet::with_capacity(tree.len()),
        };
        let mut path = PathSoFar::default();
        let mut at = 0;
        while at < tree.len() as u32 {
            let file = FileId(at);
            let name = path.enter(tree, file);
            let text = if filter.is_about_paths() {
                &path.bytes[..]
            } else {
                &path.bytes[name..]
            };
            if filter.matches(text) {
                at = tree.subtree(file).end;
                found.shown.insert_range(file.index()..at as usize);
                found.leads.insert(tree.parent(file).index());
            } else {
                at += 1;
            }
        }
        for file in tree.ids().rev() {
            if found.leads.contains(file.index()) {
                found.shown.insert(file.index());
                found.leads.insert(tree.parent(file).index());
            }
        }
        found
    }
}

/// The path of the file that a walk in pre-order is at.
#[derive(Debug, Default)]
struct PathSoFar {
    bytes: Vec<u8>,
    /// Of each folder on the way: where its subtree ends, and the path's length before its name.
    ends: Vec<(u32, usize)>,
}

impl PathSoFar {
    /// Goes to the next file; returns where its name starts.
    fn enter(&mut self, tree: &FileTree, file: FileId) -> usize {
        while let Some(&(end, length)) = self.ends.last()
            && end <= file.0
        {
            self.ends.pop();
            self.bytes.truncate(length);
        }
        self.ends.push((tree.subtree(file).end, self.bytes.len()));
        if file != FileId::ROOT {
            self.bytes.push(b'/');
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(tree.name(file));
        start
    }
}
