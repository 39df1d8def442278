//! What deb-systemd-helper(1p) remembers of units.

use crate::model::{FileId, FileKind, FileTree};
use fixedbitset::FixedBitSet;

/// Folders of links to units.
pub const LINKS: &[&[u8]] = &[
    b"/var/lib/systemd/deb-systemd-helper-enabled",
    b"/var/lib/systemd/deb-systemd-user-helper-enabled",
];

/// Adds what is remembered of units that go, as purging their packages would.
pub fn forget(tree: &FileTree, gone: &mut FixedBitSet) {
    const UNITS: [&[u8]; 2] = [b"/usr/lib/systemd/system", b"/lib/systemd/system"];
    const MEMORY: [&[u8]; 2] = [
        b"/var/lib/systemd/deb-systemd-helper-enabled",
        b"/var/lib/systemd/deb-systemd-helper-masked",
    ];
    let folders = UNITS.iter().filter_map(|path| tree.resolve(path));
    let units: Vec<&[u8]> = folders
        .flat_map(|found| tree.children(found.file))
        .filter(|unit| gone.contains(unit.index()))
        .map(|&unit| tree.name(unit))
        .collect();
    for memory in MEMORY.iter().filter_map(|path| tree.resolve(path)) {
        for file in tree.subtree(memory.file).map(FileId) {
            let name = tree.name(file);
            let unit = name.strip_suffix(b".dsh-also").unwrap_or(name);
            if tree.kind(file) != FileKind::Directory && units.contains(&unit) {
                gone.insert(file.index());
            }
        }
    }
}
