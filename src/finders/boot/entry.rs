//! The entry that boots by default, and the files that it loads.

use super::loader_spec::{self, Chosen};
use super::{Look, grub};
use crate::model::text::{escape, short, shortened};
use crate::model::{BootChain, FileId, FileKind, Inventory};
use crate::pkgdb;
use std::collections::BTreeSet;

/// One entry of a boot loader's menu; paths as the loader sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// What the menu shows.
    pub title: String,
    /// The kernel's path on the loader's file system.
    pub kernel: Vec<u8>,
    /// The initramfs's path there; empty for none.
    pub initramfs: Vec<u8>,
    /// The kernel command line.
    pub command_line: String,
}

/// Longest command line that a kernel takes.
const MAX_COMMAND_LINE: usize = 4096;

/// Where GRUB's configuration may lie.
const GRUB: [&[u8]; 2] = [b"/boot/grub/grub.cfg", b"/boot/grub2/grub.cfg"];

/// What belongs to a boot loader, folders as a whole.
const LOADERS: [&[u8]; 8] = [
    b"/boot/grub",
    b"/boot/grub2",
    b"/boot/loader",
    b"/boot/extlinux",
    b"/boot/syslinux",
    b"/boot/efi",
    b"/efi",
    b"/boot/extlinux.conf",
];

/// What is read before Linux runs: all of the boot loader's own files, kernel and initramfs of the default entry; in tree order.
pub fn loader_files(inventory: &Inventory) -> Vec<FileId> {
    let tree = &inventory.tree;
    let mut files: BTreeSet<FileId> = LOADERS
        .iter()
        .filter_map(|path| tree.lookup(path))
        .flat_map(|top| tree.subtree(top).map(FileId))
        .filter(|&file| !tree.is_directory(file))
        .collect();
    files.extend(inventory.boot.kernel);
    files.extend(inventory.boot.initramfs);
    files.into_iter().collect()
}

/// Fills in loader, entry, kernel, initramfs, version and command line.
pub fn read(guest: &mut Look<'_>, chain: &mut BootChain) {
    let (loader, entry) = find(guest);
    loader.clone_into(&mut chain.loader);
    let entry = entry.unwrap_or_else(|| newest(guest));
    chain.kernel = locate(guest, &entry.kernel);
    chain.initramfs = locate(guest, &entry.initramfs);
    chain.entry = short(entry.title.as_bytes()).into_owned();
    let command_line = entry.command_line.as_bytes();
    chain.command_line = shortened(command_line, MAX_COMMAND_LINE).into_owned();
    match chain.kernel {
        Some(kernel) => chain.kernel_version = version(guest, kernel),
        None => guest.warn(&entry.kernel, "the default entry's kernel is not there"),
    }
    if !entry.initramfs.is_empty() && chain.initramfs.is_none() {
        guest.warn(
            &entry.initramfs,
            "the default entry's initramfs is not there",
        );
    }
}

fn find(guest: &mut Look<'_>) -> (&'static str, Option<Entry>) {
    for path in GRUB {
        let Some(bytes) = guest.text(path) else {
            continue;
        };
        let menu = grub::parse(&bytes);
        let folder = &path[..path.len() - "/grub.cfg".len()];
        let path = [folder, b"/grubenv"].concat();
        let saved = guest
            .text(&path)
            .and_then(|bytes| grub::saved_entry(&bytes))
            .map(|(line, name)| Chosen { name, path, line });
        let name = menu.default_name(saved.as_ref().map(|saved| saved.name.as_str()));
        let entry = menu.select(&name).or_else(|| {
            menu.uses_entry_files
                .then(|| loader_spec::entry(guest, saved.as_ref()))
                .flatten()
        });
        return ("grub", entry);
    }
    if let Some(entry) = loader_spec::entry(guest, None) {
        return ("systemd-boot", Some(entry));
    }
    if let Some(entry) = loader_spec::extlinux(guest) {
        return ("extlinux", Some(entry));
    }
    guest.warn(
        b"/boot",
        "no boot loader's configuration: the newest kernel counts as the default",
    );
    ("", None)
}

/// The kernel with the greatest version, where no configuration names one.
fn newest(guest: &Look<'_>) -> Entry {
    let version = |name: &[u8]| {
        name.strip_prefix(b"vmlinuz-")
            .map(|version| String::from_utf8_lossy(version).into_owned())
    };
    let best = guest
        .names(b"/boot")
        .into_iter()
        .filter_map(version)
        .max_by(|a, b| pkgdb::of(guest.inventory).compare(a, b));
    best.map_or_else(Entry::default, |version| Entry {
        kernel: format!("/boot/vmlinuz-{version}").into_bytes(),
        initramfs: format!("/boot/initrd.img-{version}").into_bytes(),
        ..Entry::default()
    })
}

/// How many folders of a loader's path a subvolume's own path may take.
const MAX_SUBVOLUME: usize = 3;

/// A loader's path: from its own file system's root, which may be mounted at `/boot` or below. Of btrfs a loader sees the
/// whole, so that its path may begin with that of the subvolume that is mounted there (`/@/boot/vmlinuz`).
fn locate(guest: &Look<'_>, path: &[u8]) -> Option<FileId> {
    let parts = path.split(|&byte| byte == b'/');
    let parts: Vec<&[u8]> = parts.filter(|part| !part.is_empty()).collect();
    let roots = [&b""[..], b"/boot", b"/boot/efi", b"/efi"];
    (0..parts.len().min(MAX_SUBVOLUME + 1))
        .map(|first| parts[first..].join(&b'/'))
        .flat_map(|rest| roots.map(|root| [root, b"/", &rest].concat()))
        .filter_map(|path| guest.resolve(&path))
        .map(|end| end.file)
        .find(|&file| guest.tree().kind(file) == FileKind::Regular)
}

/// The kernel's version: from its name where a folder of modules has that name, else from its own header.
fn version(guest: &mut Look<'_>, kernel: FileId) -> String {
    let tree = guest.tree();
    let modules = guest.names(b"/lib/modules");
    let name = tree.name(kernel);
    let named = modules
        .iter()
        .filter(|version| name.ends_with(version) && !version.is_empty())
        .max_by_key(|version| version.len());
    if let Some(version) = named {
        return escape(version).into_owned();
    }
    header_version(guest, kernel)
        .filter(|version| modules.contains(&version.as_slice()))
        .map_or(String::new(), |version| escape(&version).into_owned())
}

/// The version string of an x86 boot image (`kernel_version` at 0x20e of the boot protocol).
fn header_version(guest: &mut Look<'_>, kernel: FileId) -> Option<Vec<u8>> {
    let tree = guest.tree();
    let head = guest.source.read(tree, kernel, 0, 0x210);
    if head.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let offset = u64::from(u16::from_le_bytes(head.get(0x20e..0x210)?.try_into().ok()?)) + 0x200;
    let text = guest.source.read(tree, kernel, offset, 256);
    let end = text.iter().position(|byte| matches!(byte, 0 | b' '))?;
    Some(text[..end].to_vec())
}
