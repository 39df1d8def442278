//! From selectors to packages and files of one guest, and back.

use super::{Mark, Selector, modules};
use crate::model::text::{escape, unescape};
use crate::model::{FileId, Inventory, Node};
use globset::{GlobBuilder, GlobMatcher};

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
        Selector::Path(pattern) => paths(inventory, pattern),
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
        Node::Package(id) => Selector::Package(globset::escape(&inventory.package_label(id))),
        Node::File(file) => Selector::Path(globset::escape(&escape(&inventory.tree.path(file)))),
    }
}

/// A glob over escaped text: a star stays within a path's part, a backslash is just itself.
pub fn glob(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(false)
        .build()
        .map(|glob| glob.compile_matcher())
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
    let mut found = Vec::new();
    let mut path = Vec::new();
    let mut at = 1;
    while at < tree.len() as u32 {
        let file = FileId(at);
        tree.write_path(file, &mut path);
        if matcher.is_match(&*escape(&path)) {
            found.push(Node::File(file));
            at = tree.subtree(file).end;
        } else {
            at += 1;
        }
    }
    found
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
