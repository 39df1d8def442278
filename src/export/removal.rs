//! Which paths go: what the plan drops, the records of packages that go, and what would be left dangling.

use super::step::Removal;
use crate::model::{Bytes, FileId, FileKind, FileTree, Inventory};
use crate::pkgdb;
use crate::plan::Plan;
use fixedbitset::FixedBitSet;
use std::collections::BTreeMap;

/// How deep the folders of a removal's summary are: `/usr/share/doc`.
const SUMMARY_DEPTH: usize = 3;

/// The files that go, one bit a file; no folder among them.
pub(super) fn dropped(inventory: &Inventory, plan: &Plan) -> FixedBitSet {
    let tree = &inventory.tree;
    let mut gone = FixedBitSet::with_capacity(tree.len());
    for file in tree.ids() {
        if !plan.keeps_file(file) && tree.kind(file) != FileKind::Directory {
            gone.insert(file.index());
        }
    }
    for package in inventory
        .package_ids()
        .filter(|&id| !plan.keeps_package(id))
    {
        for &record in &inventory.package(package).record_files {
            gone.insert(record.index());
        }
    }
    gone
}

/// Adds symlinks that would lead nowhere once `gone` is gone, where such a link makes the guest stumble: enabled
/// units and start scripts, and what the packages' scripts note about them. Links that led nowhere before stay.
pub(super) fn mend_links(inventory: &Inventory, gone: &mut FixedBitSet) {
    const FOLDERS: [&[u8]; 10] = [
        b"/etc/systemd/system",
        b"/etc/systemd/user",
        b"/etc/rc0.d",
        b"/etc/rc1.d",
        b"/etc/rc2.d",
        b"/etc/rc3.d",
        b"/etc/rc4.d",
        b"/etc/rc5.d",
        b"/etc/rc6.d",
        b"/etc/rcS.d",
    ];
    let tree = &inventory.tree;
    let format = pkgdb::of(inventory);
    let folders = FOLDERS
        .iter()
        .chain(format.link_folders())
        .filter_map(|path| tree.resolve(path))
        .map(|found| found.file);
    let links: Vec<FileId> = folders
        .flat_map(|folder| tree.subtree(folder).map(FileId))
        .filter(|&file| tree.kind(file) == FileKind::Symlink)
        .collect();
    // A link may lead to a link that goes only now: again, until nothing changes.
    loop {
        let before = gone.count_ones(..);
        for &link in &links {
            if tree
                .follow(link)
                .is_some_and(|end| is_broken(end.file, &end.links, gone))
            {
                gone.insert(link.index());
            }
        }
        if gone.count_ones(..) == before {
            break;
        }
    }
    format.forget(tree, gone);
}

fn is_broken(end: FileId, links: &[FileId], gone: &FixedBitSet) -> bool {
    gone.contains(end.index()) || links.iter().any(|file| gone.contains(file.index()))
}

/// The step's contents for these files; folders that the plan drops go where nothing in them stays.
pub(super) fn removal(inventory: &Inventory, plan: &Plan, gone: &FixedBitSet) -> Removal {
    let tree = &inventory.tree;
    let folders = empty_folders(tree, plan, gone);
    let mut summary: BTreeMap<Vec<u8>, (u64, Bytes)> = BTreeMap::new();
    let mut freed = Bytes::ZERO;
    let mut files = Vec::with_capacity(gone.count_ones(..));
    for file in gone.ones().map(|at| FileId(at as u32)) {
        let path = tree.path(file);
        let bytes = freed_by(tree, file, gone);
        let entry = summary.entry(shortened(&path)).or_default();
        entry.0 += 1;
        entry.1 += bytes;
        freed += bytes;
        files.push(path);
    }
    let mut summary: Vec<_> = summary
        .into_iter()
        .map(|(path, (files, bytes))| (path, files, bytes))
        .collect();
    summary.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    Removal {
        files,
        folders: folders
            .iter()
            .rev()
            .map(|&folder| tree.path(folder))
            .collect(),
        freed,
        summary,
    }
}

/// Folders that the plan does not keep and that are empty afterwards, parents first.
fn empty_folders(tree: &FileTree, plan: &Plan, gone: &FixedBitSet) -> Vec<FileId> {
    let mut stays = FixedBitSet::with_capacity(tree.len());
    for file in tree.ids().rev() {
        let is_folder = tree.kind(file) == FileKind::Directory;
        let is_kept = if is_folder {
            plan.keeps_file(file)
        } else {
            !gone.contains(file.index())
        };
        if is_kept || stays.contains(file.index()) {
            stays.insert(file.index());
            stays.insert(tree.parent(file).index());
        }
    }
    tree.ids()
        .filter(|file| !stays.contains(file.index()) && tree.kind(*file) == FileKind::Directory)
        .collect()
}

/// An inode frees its room with its last name.
pub(super) fn freed_by(tree: &FileTree, file: FileId, gone: &FixedBitSet) -> Bytes {
    let is_last = tree.is_first_name(file)
        && tree
            .names(file)
            .iter()
            .all(|name| gone.contains(name.index()));
    if is_last {
        Bytes(tree.allocated(file))
    } else {
        Bytes::ZERO
    }
}

/// The folder of a path, cut to a few parts.
fn shortened(path: &[u8]) -> Vec<u8> {
    let folder = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    let parts = path[..folder]
        .split(|&byte| byte == b'/')
        .take(SUMMARY_DEPTH + 1);
    let short = parts.collect::<Vec<_>>().join(&b'/');
    if short.is_empty() {
        b"/".to_vec()
    } else {
        short
    }
}
