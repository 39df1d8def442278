//! The folders that systemd searches for units, and units by name.

use crate::model::{FileId, FileKind, FileTree, Resolved};
use std::collections::HashMap;

/// Folders of the system's units and of the users', first wins: systemd.unit(5).
const REALMS: [&[&[u8]]; 2] = [
    &[
        b"/etc/systemd/system",
        b"/usr/local/lib/systemd/system",
        b"/usr/lib/systemd/system",
        b"/lib/systemd/system",
    ],
    &[
        b"/etc/systemd/user",
        b"/usr/local/lib/systemd/user",
        b"/usr/lib/systemd/user",
        b"/usr/local/share/systemd/user",
        b"/usr/share/systemd/user",
    ],
];

/// What a unit's name ends with.
const TYPES: [&[u8]; 10] = [
    b"service",
    b"socket",
    b"target",
    b"timer",
    b"path",
    b"mount",
    b"automount",
    b"swap",
    b"slice",
    b"scope",
];

/// The units of the system, or those of users.
pub struct Realm<'a> {
    tree: &'a FileTree,
    /// What lies in the folders, those that come first before the others.
    pub entries: Vec<FileId>,
    names: HashMap<&'a [u8], FileId>,
}

impl<'a> Realm<'a> {
    /// Both realms of a guest.
    pub fn all(tree: &'a FileTree) -> Vec<Self> {
        REALMS
            .iter()
            .map(|folders| Self::new(tree, folders))
            .collect()
    }

    fn new(tree: &'a FileTree, paths: &[&[u8]]) -> Self {
        let mut folders: Vec<FileId> = Vec::new();
        for end in paths.iter().filter_map(|path| tree.resolve(path)) {
            if !folders.contains(&end.file) {
                folders.push(end.file);
            }
        }
        let entries: Vec<FileId> = folders
            .iter()
            .flat_map(|&folder| tree.children(folder).iter().copied())
            .collect();
        let mut names = HashMap::new();
        for &entry in entries.iter().rev() {
            names.insert(tree.name(entry), entry);
        }
        Self {
            tree,
            entries,
            names,
        }
    }

    /// The file of a unit with the links to it, that of its template for an instance; `None` for one that is masked.
    pub fn unit(&self, name: &[u8]) -> Option<Resolved> {
        let entry = self.names.get(name).or_else(|| {
            let (prefix, rest) = split_once(name, b'@')?;
            let dot = rest.iter().rposition(|&byte| byte == b'.')?;
            self.names
                .get([prefix, b"@", &rest[dot..]].concat().as_slice())
        })?;
        let folder = self.tree.parent(*entry);
        let end = self
            .tree
            .resolve_from(folder, self.tree.name(*entry), true)?;
        (self.tree.kind(end.file) == FileKind::Regular).then_some(end)
    }
}

/// The part of a unit's name behind the last dot, where it is that of a unit.
pub fn unit_type(name: &[u8]) -> Option<&[u8]> {
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    Some(&name[dot + 1..]).filter(|end| TYPES.contains(end))
}

fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == at)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}
