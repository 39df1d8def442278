//! Big folders that no package owns and that nothing outside needs: second environments, downloads, build trees, results.
//!
//! The user's own files stay until they are dropped, so each folder is a question. Collecting folders (a home folder, `/opt`,
//! `/usr/local/lib`) are searched and never suggested themselves.

use super::super::{Reason, Wish};
use super::scene::Scene;
use super::{Change, Risk, Suggestion, files};
use crate::model::text::escape;
use crate::model::{Bytes, FileId, Node};

/// Smaller folders are not worth a question.
const BIG: Bytes = Bytes::from_kib(1024);
/// Folders that are looked into: each may hold things of its own down to this many levels.
const GATHER: [(&[u8], usize); 8] = [
    (b"/opt", 1),
    (b"/srv", 1),
    (b"/data", 1),
    (b"/scratch", 1),
    (b"/usr/local", 2),
    (b"/home", 2),
    (b"/root", 1),
    (b"/var/cache", 1),
];
/// Signs of an environment, and its name in words.
const ENVIRONMENTS: [(&[u8], &str); 3] = [
    (b"pyvenv.cfg", "a Python environment"),
    (b"conda-meta", "a conda environment"),
    (b".git", "a checkout"),
];

pub(super) fn find(scene: &Scene<'_>) -> Vec<Suggestion> {
    let mut found = Vec::new();
    for (path, depth) in GATHER {
        if let Some(top) = scene.inputs.inventory.tree.lookup(path) {
            look_into(scene, top, depth, &mut found);
        }
    }
    found
}

/// Takes the biggest whole trees: what cannot go as a whole is looked into.
fn look_into(scene: &Scene<'_>, folder: FileId, levels: usize, found: &mut Vec<Suggestion>) {
    let tree = &scene.inputs.inventory.tree;
    for &child in tree.children(folder) {
        if !tree.is_directory(child) || scene.plan.reasons[child.index()] != Reason::Directory {
            continue;
        }
        let all = tree.subtree(child).map(FileId);
        let (count, room) = scene.weight(all.clone());
        if room < BIG {
            continue;
        }
        let is_whole = levels <= 1
            && !scene.is_marked_tree(child)
            && !scene.is_wanted_tree(child)
            && all
                .clone()
                .all(|file| scene.inputs.inventory.owner(file).is_none());
        if is_whole {
            found.push(suggestion(scene, child, count, room));
        } else {
            look_into(scene, child, levels.saturating_sub(1), found);
        }
    }
}

fn suggestion(scene: &Scene<'_>, folder: FileId, count: u64, room: Bytes) -> Suggestion {
    let tree = &scene.inputs.inventory.tree;
    let what = ENVIRONMENTS
        .iter()
        .find(|(name, _)| tree.child(folder, name).is_some())
        .map_or("yours", |(_, what)| what);
    Suggestion {
        kind: "tree",
        subject: format!("drop {}", escape(&tree.path(folder))),
        risk: Risk::Ask,
        evidence: format!(
            "{what}; nothing outside of it needs a file of it ({})",
            files(count)
        ),
        change: Change::Mark(vec![Node::File(folder)], Wish::Drop),
        room,
    }
}
