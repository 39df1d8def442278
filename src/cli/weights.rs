//! Sizes of folders.

use crate::model::table::plural;
use crate::model::text::escape;
use crate::model::{Bytes, FileId, FileTree};
use serde::Serialize;

/// A folder with everything in it, or a file.
#[derive(Debug, Serialize)]
pub struct Tree {
    pub path: String,
    pub files: u64,
    pub allocated: u64,
}

impl Tree {
    pub fn row(&self) -> Vec<String> {
        vec![
            Bytes(self.allocated).to_string(),
            plural(self.files, "file", "files"),
            self.path.clone(),
        ]
    }
}

/// Sums over the tree's pre-order, so that a subtree's sum is one subtraction.
pub struct Weights(Vec<u64>);

impl Weights {
    pub fn of(tree: &FileTree) -> Self {
        let mut sums = vec![0u64];
        for file in tree.ids() {
            let own = if tree.is_first_name(file) {
                tree.allocated(file)
            } else {
                0
            };
            sums.push(sums[file.index()].saturating_add(own));
        }
        Self(sums)
    }

    pub fn tree(&self, tree: &FileTree, folder: FileId) -> Tree {
        let range = tree.subtree(folder);
        Tree {
            path: escape(&tree.path(folder)).into_owned(),
            files: u64::from(range.end - range.start),
            allocated: self.0[range.end as usize] - self.0[range.start as usize],
        }
    }

    /// Folders that together explain the size: one that holds much of everything is shown by what is in it.
    pub fn biggest(&self, tree: &FileTree) -> Vec<Tree> {
        let whole = self.tree(tree, FileId::ROOT).allocated;
        let mut found = Vec::new();
        let mut todo = vec![FileId::ROOT];
        while let Some(folder) = todo.pop() {
            let here = self.tree(tree, folder);
            let folders: Vec<FileId> = tree
                .children(folder)
                .iter()
                .copied()
                .filter(|&child| tree.is_directory(child))
                .collect();
            if here.allocated > whole / 8 && !folders.is_empty() {
                todo.extend(folders);
            } else if here.allocated > whole / 200 {
                found.push(here);
            }
        }
        found.sort_by(|a, b| {
            b.allocated
                .cmp(&a.allocated)
                .then_with(|| a.path.cmp(&b.path))
        });
        found
    }
}
