//! Kernels that do not boot by default, with their initramfs and modules, where no package owns them: hand-built ones,
//! and what packages that went long ago left in `/boot`.
//!
//! A kernel in a package stays only while something needs it, and is then a candidate for hollowing.

use super::super::Wish;
use super::scene::Scene;
use super::{Change, Risk, Suggestion, files};
use crate::model::text::{escape, unescape};
use crate::model::{FileId, Node};
use std::collections::BTreeMap;

const NAMES: [&[u8]; 6] = [
    b"vmlinuz-",
    b"vmlinux-",
    b"initrd.img-",
    b"initramfs-",
    b"config-",
    b"System.map-",
];

pub(super) fn find(scene: &Scene<'_>) -> Vec<Suggestion> {
    let default = unescape(&scene.inputs.inventory.boot.kernel_version);
    if default.is_empty() {
        return Vec::new();
    }
    let mut kernels: BTreeMap<Vec<u8>, Vec<FileId>> = BTreeMap::new();
    for (version, file) in parts(scene) {
        let can_go = version != default
            && scene.plan.keeps_file(file)
            && !scene.is_marked_tree(file)
            && !scene.is_wanted_tree(file);
        if can_go {
            kernels.entry(version).or_default().push(file);
        }
    }
    kernels
        .into_iter()
        .map(|(version, files)| suggestion(scene, &version, &files))
        .collect()
}

/// Files and module folders that no package owns, with the kernel version in their names.
fn parts(scene: &Scene<'_>) -> Vec<(Vec<u8>, FileId)> {
    let inventory = scene.inputs.inventory;
    let tree = &inventory.tree;
    let children = |path: &[u8]| {
        let folder = tree.resolve(path).map(|found| found.file);
        folder.map_or_else(Vec::new, |folder| tree.children(folder).to_vec())
    };
    let boot = children(b"/boot").into_iter().filter_map(|file| {
        let name = tree.name(file);
        let version = NAMES.iter().find_map(|start| name.strip_prefix(*start))?;
        let version = version.strip_suffix(b".img").unwrap_or(version);
        scene.is_file(file).then(|| (version.to_vec(), file))
    });
    let modules = children(b"/lib/modules").into_iter();
    let modules = modules.map(|folder| (tree.name(folder).to_vec(), folder));
    boot.chain(modules)
        .filter(|&(_, file)| inventory.owner(file).is_none())
        .collect()
}

fn suggestion(scene: &Scene<'_>, version: &[u8], parts: &[FileId]) -> Suggestion {
    let tree = &scene.inputs.inventory.tree;
    let all = parts
        .iter()
        .flat_map(|&file| tree.subtree(file).map(FileId));
    let (count, room) = scene.weight(all);
    Suggestion {
        kind: "kernel",
        subject: format!("drop kernel {}", escape(version)),
        risk: Risk::Low,
        evidence: format!(
            "the default boot entry loads another one ({})",
            files(count)
        ),
        change: Change::Mark(
            parts.iter().map(|&file| Node::File(file)).collect(),
            Wish::Drop,
        ),
        room,
    }
}
