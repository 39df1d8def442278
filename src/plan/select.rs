//! From selectors to packages and files of one guest, and back.

use super::{Mark, Selector, Wish, modules};
use crate::model::glob::{self, Dialect, Glob, GlobError};
use crate::model::text::{escape, unescape};
use crate::model::{FileId, FileKind, FileTree, Inventory, Node, Resolved};

/// Longest path without wildcards: each byte of the longest path that Linux opens may be escaped.
const MAX_LITERAL: usize = 4 * glob::MAX_LENGTH;

/// What a mark selects.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selected {
    /// Packages and files, in the inventory's order.
    pub nodes: Vec<Node>,
    /// The parts of the components of the modules among them.
    pub parts: Vec<FileId>,
}

/// What a mark selects; nothing for a selector that is no glob.
pub fn resolve(inventory: &Inventory, mark: &Mark) -> Selected {
    let nodes = match &mark.selector {
        Selector::Package(pattern) => packages(inventory, pattern),
        Selector::Path(pattern) if mark.wish == Wish::Drop => paths(inventory, pattern),
        Selector::Path(pattern) => led_to(inventory, paths(inventory, pattern)),
        Selector::Feature(name) => inventory
            .boot
            .features
            .get(name)
            .cloned()
            .unwrap_or_default(),
        Selector::Module { language, name } => {
            return modules::select(inventory, language, name, mark.wish);
        }
    };
    Selected {
        nodes,
        parts: Vec::new(),
    }
}

/// The selector that selects just this node, and its like on the next build of the image.
pub fn selector_for(inventory: &Inventory, node: Node) -> Selector {
    match node {
        Node::Package(id) => Selector::Package(glob::escape(&inventory.package_label(id))),
        Node::File(file) => Selector::Path(literal_glob(&inventory.tree, file)),
    }
}

/// The glob that selects just this path.
pub(super) fn literal_glob(tree: &FileTree, file: FileId) -> String {
    glob::escape(&escape(&tree.path(file)))
}

/// A glob over escaped text: a star stays within a path's part, a backslash is just itself.
pub fn glob(pattern: &str) -> Result<Glob, GlobError> {
    Glob::new(pattern, Dialect::Selector)
}

/// Whether a path's glob can be used: one without wildcards names its file without being compiled, however long it is.
pub fn check_path(pattern: &str) -> Result<(), GlobError> {
    match literal(pattern) {
        Some(_) if pattern.len() <= MAX_LITERAL => Ok(()),
        Some(_) => Err(GlobError::TooLong(pattern.len())),
        None => glob(pattern).map(|_| ()),
    }
}

fn packages(inventory: &Inventory, pattern: &str) -> Vec<Node> {
    let Ok(matcher) = glob(pattern) else {
        return Vec::new();
    };
    let names_arch = pattern.contains(':');
    inventory
        .package_ids()
        .filter(|&id| {
            let package = inventory.package(id);
            if names_arch {
                matcher.is_match(format!("{}:{}", package.name, package.arch))
            } else {
                matcher.is_match(&package.name)
            }
        })
        .map(Node::Package)
        .collect()
}

fn paths(inventory: &Inventory, pattern: &str) -> Vec<Node> {
    let tree = &inventory.tree;
    if let Some(file) = literal(pattern).and_then(|path| tree.lookup(&unescape(&path))) {
        return vec![Node::File(file)];
    }
    let Ok(matcher) = glob(pattern) else {
        return Vec::new();
    };
    let Some(folder) = folder_of(tree, pattern) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut path = Vec::new();
    let mut at = folder.0 + 1;
    while at < tree.subtree(folder).end {
        let file = FileId(at);
        tree.write_path(file, &mut path);
        if matcher.is_match(escape(&path)) {
            found.push(Node::File(file));
            at = tree.subtree(file).end;
        } else {
            at += 1;
        }
    }
    found
}

/// The same files, and all that managed links among them lead to: a person who keeps `/usr/bin/mpirun` means the program, not
/// the first of the links of alternatives. Links right in the root folder stand for the system's folders.
fn led_to(inventory: &Inventory, mut nodes: Vec<Node>) -> Vec<Node> {
    let tree = &inventory.tree;
    let is_link = |file: FileId| {
        tree.kind(file) == FileKind::Symlink
            && inventory.follows[file.index()].is_some()
            && tree.parent(file) != FileId::ROOT
    };
    let ends: Vec<Resolved> = nodes
        .iter()
        .filter_map(|&node| match node {
            Node::File(file) => Some(file),
            Node::Package(_) => None,
        })
        .filter(|&file| is_link(file))
        .filter_map(|link| {
            tree.follow(link)
                .filter(|end| !tree.is_within(link, end.file))
        })
        .collect();
    if !ends.is_empty() {
        let files = ends
            .iter()
            .flat_map(|end| end.links.iter().chain([&end.file]));
        nodes.extend(files.copied().map(Node::File));
        nodes.sort_unstable();
        nodes.dedup();
    }
    nodes
}

/// The folder that a pattern names by the parts before its first wildcard; all that it selects is in there.
fn folder_of(tree: &FileTree, pattern: &str) -> Option<FileId> {
    let Some(path) = pattern.strip_prefix('/') else {
        return Some(FileId::ROOT);
    };
    let known: String = path
        .split('/')
        .map_while(literal)
        .flat_map(|part| ["/".to_owned(), part])
        .collect();
    if known.is_empty() {
        return Some(FileId::ROOT);
    }
    tree.lookup(&unescape(&known))
}

/// The path that a pattern names where it has no wildcard: `[*]` and the like are single characters.
fn literal(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' | '?' | '{' => return None,
            '[' => {
                text.push(rest.next()?);
                if rest.next() != Some(']') {
                    return None;
                }
            }
            other => text.push(other),
        }
    }
    Some(text)
}
