//! `/etc/fstab`: what is mounted, and the programs that its file systems need.

use super::{Look, settings, words};
use crate::model::Node;
use crate::model::text::escape;

/// Most file systems.
const MAX_ENTRIES: usize = 1000;

/// Source, mount point and type of every entry, as written.
pub fn read(guest: &mut Look<'_>) -> Vec<[String; 3]> {
    let bytes = guest.text(b"/etc/fstab").unwrap_or_default();
    settings(&bytes)
        .filter_map(|line| match words(line)[..] {
            [source, at, kind, ..] => {
                Some([source, at, kind].map(|word| escape(word).into_owned()))
            }
            _ => None,
        })
        .take(MAX_ENTRIES)
        .collect()
}

/// The checkers and mount helpers of all types in use, with why.
pub fn tools(guest: &Look<'_>, fstab: &[[String; 3]]) -> Vec<(Node, String)> {
    let mut kinds: Vec<&str> = fstab.iter().map(|entry| entry[2].as_str()).collect();
    kinds.extend(
        guest
            .inventory
            .mounts
            .iter()
            .map(|mount| mount.file_system.kind.as_str()),
    );
    kinds.sort_unstable();
    kinds.dedup();
    let mut found = Vec::new();
    for kind in kinds {
        for tool in ["fsck", "mount"] {
            let path = format!("/sbin/{tool}.{kind}");
            for node in guest.program(path.as_bytes()) {
                found.push((node, format!("the guest has a file system of type {kind}")));
            }
        }
    }
    found
}
