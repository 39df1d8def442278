//! Kernel modules and firmware for hardware that a virtual machine does not have.
//!
//! One table names folders of drivers, another the devices that each hypervisor shows to its guests. A module can go when it
//! lies in such a folder, no declared hypervisor needs it, and nothing that stays uses it or loads it first. The rest of a
//! kernel (file systems, network protocols, cryptography, device mapper, software devices) is not hardware and stays. The
//! kernel and its initramfs are unchanged.

mod table;

use super::{Inputs, Level, Wish};
use crate::graph::Graph;
use crate::model::{FileId, FileKind, FileTree, Inventory, Node, PackageId};
use std::collections::{BTreeMap, BTreeSet};
use table::HARDWARE;
pub use table::{HYPERVISORS, Hypervisor};

/// A hypervisor's row in [`HYPERVISORS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HypervisorId(pub u8);

impl HypervisorId {
    /// The row itself.
    pub fn hypervisor(self) -> &'static Hypervisor {
        &HYPERVISORS[self.0 as usize]
    }

    /// The hypervisor of this name.
    pub fn find(id: &str) -> Option<Self> {
        let at = HYPERVISORS.iter().position(|host| host.id == id)?;
        Some(Self(at as u8))
    }

    /// All hypervisors in the table's order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..HYPERVISORS.len() as u8).map(Self)
    }
}

/// Drivers of the disks that a guest of these hypervisors may start from, each once, in order; of all known ones where none is
/// declared.
pub fn disk_drivers(hypervisors: &[HypervisorId]) -> Vec<&'static str> {
    let is_wanted = |id: &HypervisorId| hypervisors.is_empty() || hypervisors.contains(id);
    let mut drivers = BTreeSet::from(["sd_mod"]);
    for id in HypervisorId::all().filter(is_wanted) {
        drivers.extend(id.hypervisor().disks.split_ascii_whitespace());
    }
    drivers.into_iter().collect()
}

/// Modules and firmware that a guest of these hypervisors never uses, in tree order: of every kernel that has a list of
/// dependencies. Nothing that stays needs one of them. Where no hypervisor is declared, every driver counts as used. Of the
/// kernels in `cut`, all modules are named that no declared hypervisor needs, drivers or not.
pub fn idle(
    inventory: &Inventory,
    graph: &Graph,
    hypervisors: &[HypervisorId],
    cut: &[PackageId],
) -> Vec<FileId> {
    if hypervisors.is_empty() && cut.is_empty() {
        return Vec::new();
    }
    let tree = &inventory.tree;
    let tops: Vec<FileId> = module_trees(tree)
        .into_iter()
        .filter(|&top| tree.child(top, b"modules.dep").is_some())
        .collect();
    let (mut stays, mut idle) = (Vec::new(), BTreeSet::new());
    for &top in &tops {
        let folders: Vec<(FileId, &table::Hardware)> = HARDWARE
            .iter()
            .filter_map(|row| {
                let path = ["kernel/", row.folder].concat();
                Some((tree.resolve_from(top, path.as_bytes(), true)?.file, row))
            })
            .collect();
        for file in tree
            .subtree(top)
            .map(FileId)
            .filter(|&file| is_module(tree, file))
        {
            let row = folders
                .iter()
                .find(|(folder, _)| tree.is_within(file, *folder));
            let name = module_name(tree.name(file));
            let is_declared = hypervisors
                .iter()
                .any(|host| is_named(host.hypervisor().modules, &name));
            let is_cut = inventory.owner(file).is_some_and(|id| cut.contains(&id));
            let is_foreign = match row {
                Some((_, row)) => !hypervisors.is_empty() && !is_named(row.stays, &name),
                None => false,
            };
            if !is_declared && (is_cut || is_foreign) {
                idle.insert(file);
            } else {
                stays.push(file);
            }
        }
    }
    if tops.is_empty() {
        return Vec::new();
    }
    if let Some(folder) = tree.resolve(b"/lib/firmware")
        && !hypervisors.is_empty()
    {
        let files = tree.subtree(folder.file).map(FileId);
        idle.extend(files.filter(|&file| tree.kind(file) == FileKind::Regular));
    }
    for file in reached(graph, stays) {
        idle.remove(&file);
    }
    idle.into_iter().collect()
}

/// The idle files for the inputs of a plan.
pub(super) fn idle_under(inputs: &Inputs<'_>) -> Vec<FileId> {
    idle(
        inputs.inventory,
        inputs.graph,
        inputs.hypervisors,
        &cut(inputs),
    )
}

/// Packages of which a mark wants only what is needed, where a trace tells what booting reads: a kernel among them is
/// cut to the modules that were read.
fn cut(inputs: &Inputs<'_>) -> Vec<PackageId> {
    let mut last = BTreeMap::new();
    for mark in inputs.marks.iter().filter(|_| !inputs.trace.is_empty()) {
        last.extend(mark.nodes.iter().filter_map(|node| match *node {
            Node::Package(id) => Some((id, mark.wish)),
            Node::File(_) => None,
        }));
    }
    last.retain(|_, wish| *wish == Wish::Keep(Level::NeededOnly));
    last.into_keys().collect()
}

/// All files that these reach through needs, soft ones too.
fn reached(graph: &Graph, from: Vec<FileId>) -> BTreeSet<FileId> {
    let mut soft: Vec<(Node, Node)> = graph
        .soft_edges()
        .map(|edge| (graph.need(edge).from, graph.target(edge)))
        .collect();
    soft.sort_unstable();
    let mut seen: BTreeSet<FileId> = from.iter().copied().collect();
    let mut todo = from;
    while let Some(file) = todo.pop() {
        let node = Node::File(file);
        let first = soft.partition_point(|edge| edge.0 < node);
        let wanted = soft[first..].iter().take_while(|edge| edge.0 == node);
        let targets = graph
            .edges_of(node)
            .map(|edge| graph.target(edge))
            .chain(wanted.map(|edge| edge.1));
        for target in targets {
            if let Node::File(target) = target
                && seen.insert(target)
            {
                todo.push(target);
            }
        }
    }
    seen
}

/// The folders of kernels in `/lib/modules`.
pub fn module_trees(tree: &FileTree) -> Vec<FileId> {
    tree.resolve(b"/lib/modules").map_or(Vec::new(), |modules| {
        let folders = tree.children(modules.file).iter().copied();
        folders
            .filter(|&folder| tree.is_directory(folder))
            .collect()
    })
}

fn is_module(tree: &FileTree, file: FileId) -> bool {
    tree.kind(file) == FileKind::Regular && tree.name(file).windows(3).any(|part| part == b".ko")
}

/// A module's name as the kernel has it: the file's without its endings, with `_` for `-`.
pub fn module_name(file: &[u8]) -> Vec<u8> {
    let end = file
        .windows(3)
        .position(|part| part == b".ko")
        .unwrap_or(file.len());
    let byte = |&byte: &u8| if byte == b'-' { b'_' } else { byte };
    file[..end].iter().map(byte).collect()
}

/// Whether a list has this name; a star stands for anything at the beginning or at the end.
fn is_named(list: &str, name: &[u8]) -> bool {
    list.split_ascii_whitespace().any(|pattern| {
        let inner = pattern.trim_matches('*').as_bytes();
        match (pattern.starts_with('*'), pattern.ends_with('*')) {
            (false, false) => name == inner,
            (false, true) => name.starts_with(inner),
            (true, false) => name.ends_with(inner),
            (true, true) => name.windows(inner.len()).any(|part| part == inner),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_kernel() {
        for (file, expected) in [
            ("virtio-net.ko", "virtio_net"),
            ("a.ko.xz", "a"),
            ("crypto-md5", "crypto_md5"),
        ] {
            assert_eq!(module_name(file.as_bytes()), expected.as_bytes());
        }
        for (pattern, name, expected) in [
            ("a*", "ab", true),
            ("a", "ab", false),
            ("*hci", "xhci", true),
            ("*hci_*", "xhci_pci", true),
            ("*hci", "xhci_pci", false),
        ] {
            assert_eq!(
                is_named(pattern, name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn every_row_is_named_once_and_hypervisors_name_no_module_twice() {
        let ids: BTreeSet<&str> = HYPERVISORS.iter().map(|host| host.id).collect();
        assert_eq!(ids.len(), HYPERVISORS.len());
        for host in HYPERVISORS {
            let names: BTreeSet<&str> = host.modules.split_ascii_whitespace().collect();
            // A driver in the initramfs must not be idle later.
            for driver in host.disks.split_ascii_whitespace() {
                let in_rows = HARDWARE
                    .iter()
                    .any(|row| is_named(row.stays, driver.as_bytes()));
                assert!(
                    in_rows || is_named(host.modules, driver.as_bytes()),
                    "{driver}"
                );
            }
            assert_eq!(
                names.len(),
                host.modules.split_ascii_whitespace().count(),
                "{}",
                host.id
            );
        }
        let folders: BTreeSet<&str> = HARDWARE.iter().map(|row| row.folder).collect();
        assert_eq!(folders.len(), HARDWARE.len());
    }
}
