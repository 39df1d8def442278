//! Code for GPU architectures, one suggestion each: only a person knows which GPUs the output will meet.

use super::super::{Level, Mark, Selector, Wish, gpu, select};
use super::scene::Scene;
use super::{Change, Risk, Suggestion, files};
use crate::model::{FileId, Node};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn find(scene: &Scene<'_>) -> Vec<Suggestion> {
    let tree = &scene.inputs.inventory.tree;
    let mut globs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in tree.ids() {
        if let Some(code) = gpu::code(tree, file).filter(|_| can_go(scene, file)) {
            globs
                .entry(code.architecture)
                .or_default()
                .insert(code.glob);
        }
    }
    let traced = scene.inputs.trace.iter();
    let read: BTreeSet<String> = traced
        .filter_map(|&file| gpu::code(tree, file))
        .map(|code| code.architecture)
        .collect();
    // Code that a trace read runs on a GPU that exists.
    globs.retain(|architecture, _| !read.contains(architecture));
    globs
        .iter()
        .filter_map(|(architecture, globs)| suggestion(scene, architecture, globs, &read))
        .collect()
}

fn can_go(scene: &Scene<'_>, file: FileId) -> bool {
    let owner = scene.inputs.inventory.owner(file);
    let is_whole =
        owner.is_some_and(|owner| scene.plan.packages[owner.index()].level == Some(Level::Whole));
    scene.is_file(file) && scene.plan.keeps_file(file) && !scene.is_marked_tree(file) && !is_whole
}

fn suggestion(
    scene: &Scene<'_>,
    architecture: &str,
    globs: &BTreeSet<String>,
    read: &BTreeSet<String>,
) -> Option<Suggestion> {
    let mut paths = Vec::new();
    let mut nodes = BTreeSet::new();
    for glob in globs {
        let mark = Mark {
            selector: Selector::Path(glob.clone()),
            wish: Wish::Drop,
        };
        let selected = select::resolve(scene.inputs.inventory, &mark).nodes;
        if selected
            .iter()
            .all(|&node| is_about(scene, architecture, node))
        {
            paths.push(glob.clone());
            nodes.extend(selected);
        }
    }
    let file = |node: &Node| match *node {
        Node::File(file) => Some(file),
        Node::Package(_) => None,
    };
    let (count, room) = scene.weight(nodes.iter().filter_map(file));
    let used: Vec<&str> = read.iter().map(String::as_str).collect();
    let (risk, known) = if used.is_empty() {
        // A trace without a GPU reads no such code, and says nothing.
        (Risk::Ask, String::new())
    } else {
        let known = format!("; the trace read code for {} only", used.join(", "));
        (Risk::Low, known)
    };
    (!paths.is_empty()).then(|| Suggestion {
        kind: "gpu",
        subject: format!("drop GPU code for {architecture}"),
        risk,
        evidence: format!(
            "only GPUs of this architecture run it{known} ({})",
            files(count)
        ),
        change: Change::Paths(paths, nodes.into_iter().collect()),
        room,
    })
}

/// Whether a glob may select this: no mark is about it, and no other architecture runs it.
fn is_about(scene: &Scene<'_>, architecture: &str, node: Node) -> bool {
    let tree = &scene.inputs.inventory.tree;
    matches!(node, Node::File(file) if scene.is_file(file)
        && !scene.is_marked_tree(file)
        && gpu::is_only_for(tree, file, architecture))
}
