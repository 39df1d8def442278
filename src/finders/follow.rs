//! Unowned files that stay exactly when another file stays: links that the system manages, byte code, module indexes.
//!
//! Such a file is not a need: the link `/etc/alternatives/editor` does not need an editor, it exists because one is installed.

use crate::model::{FileId, FileKind, FileTree, Inventory};

/// Folders in which the system, not the scientist, makes links.
const MANAGED: [&[u8]; 4] = [b"/etc", b"/var", b"/usr", b"/boot"];

/// For each file the one that it follows, if any.
pub fn follows(inventory: &Inventory) -> Vec<Option<FileId>> {
    let tree = &inventory.tree;
    let places = Places::new(tree);
    let mut all: Vec<Option<FileId>> = tree
        .ids()
        .map(|file| match tree.kind(file) {
            _ if inventory.owner(file).is_some() => None,
            FileKind::Symlink => places
                .manages(tree, file)
                .then(|| tree.follow(file))
                .flatten()
                .map(|end| end.file),
            FileKind::Regular => source_of_byte_code(tree, file),
            _ => None,
        })
        .collect();
    follow_kernels(inventory, &mut all);
    all
}

/// Whether a link belongs to the system's bookkeeping rather than to the scientist.
pub(super) struct Places {
    managed: Vec<FileId>,
    local: Option<FileId>,
}

impl Places {
    pub(super) fn new(tree: &FileTree) -> Self {
        Self {
            managed: MANAGED
                .iter()
                .chain(&[&b"/lib"[..], b"/lib64", b"/bin", b"/sbin"])
                .filter_map(|path| tree.lookup(path))
                .filter(|&folder| tree.is_directory(folder))
                .collect(),
            local: tree.lookup(b"/usr/local"),
        }
    }

    /// Links right in the root folder (`/vmlinuz`, `/lib` of a merged system) are the system's too.
    pub(super) fn manages(&self, tree: &FileTree, link: FileId) -> bool {
        if self.local.is_some_and(|local| tree.is_within(link, local)) {
            return false;
        }
        tree.parent(link) == FileId::ROOT
            || self
                .managed
                .iter()
                .any(|&folder| tree.is_within(link, folder))
    }
}

/// `__pycache__/X.cpython-311.opt-1.pyc` is made from `X.py` beside its folder.
fn source_of_byte_code(tree: &FileTree, file: FileId) -> Option<FileId> {
    let stem = tree.name(file).strip_suffix(b".pyc")?;
    let folder = tree.parent(file);
    if tree.name(folder) != b"__pycache__" {
        return None;
    }
    let tag = stem.windows(9).rposition(|window| window == b".cpython-")?;
    let source = [&stem[..tag], b".py"].concat();
    tree.child(tree.parent(folder), &source)
}

/// What depmod and the initramfs tools make for a kernel follows that kernel.
fn follow_kernels(inventory: &Inventory, all: &mut [Option<FileId>]) {
    let tree = &inventory.tree;
    let is_free =
        |file: FileId| tree.kind(file) == FileKind::Regular && inventory.owner(file).is_none();
    if let Some(modules) = tree.resolve(b"/lib/modules") {
        for &version in tree.children(modules.file) {
            let Some(leader) = first_owned(inventory, version) else {
                continue;
            };
            for &index in tree.children(version) {
                if tree.name(index).starts_with(b"modules.") && is_free(index) {
                    all[index.index()] = Some(leader);
                }
            }
        }
    }
    let Some(boot) = tree.resolve(b"/boot") else {
        return;
    };
    for &file in tree.children(boot.file) {
        let kernel = kernel_version(tree.name(file))
            .and_then(|version| tree.child(boot.file, &[b"vmlinuz-", version].concat()));
        if is_free(file) && kernel.is_some_and(|kernel| inventory.owner(kernel).is_some()) {
            all[file.index()] = kernel;
        }
    }
}

fn first_owned(inventory: &Inventory, folder: FileId) -> Option<FileId> {
    let tree = &inventory.tree;
    let builtin = tree.child(folder, b"modules.builtin");
    builtin
        .into_iter()
        .chain(tree.subtree(folder).map(FileId))
        .find(|&file| tree.kind(file) == FileKind::Regular && inventory.owner(file).is_some())
}

/// The kernel version in an initramfs's name.
pub(super) fn kernel_version(initramfs: &[u8]) -> Option<&[u8]> {
    initramfs
        .strip_prefix(b"initrd.img-")
        .or_else(|| initramfs.strip_prefix(b"initramfs-")?.strip_suffix(b".img"))
        .or_else(|| initramfs.strip_prefix(b"initrd-"))
        .filter(|version| !version.is_empty())
}
