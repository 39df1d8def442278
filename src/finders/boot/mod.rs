//! How a guest boots, found in its own configuration, and what must therefore stay.
//!
//! Nothing is guessed where a configuration says it: the default entry of the boot loader names kernel and initramfs, the
//! links of init and its default target name what runs, fstab names file systems, `/etc/passwd` and PAM the way in.

pub mod entry;
mod feature;
mod fstab;
mod grub;
mod loader_spec;
pub(super) mod login;
mod network;
mod roots;

pub use entry::loader_files;
pub use feature::{FEATURES, Feature};

use super::{Facts, Source, text};
use crate::model::{BootChain, FileKind, FileTree, Inventory, Node, Resolved, Warning, Warnings};
use crate::pkgdb::{self, Role};

/// Reads the boot chain: the default entry, what must stay for it, and the features that a mark can name.
pub fn chain(facts: &Facts<'_>, source: &mut dyn Source) -> (BootChain, Warnings) {
    let mut guest = Look::new(facts.inventory, source);
    let mut chain = BootChain::default();
    entry::read(&mut guest, &mut chain);
    chain.fstab = fstab::read(&mut guest);
    chain.target = roots::default_target(guest.tree());
    chain.roots = roots::collect(&mut guest, &chain);
    for feature in FEATURES {
        let nodes = (feature.find)(&mut guest);
        chain.features.insert(feature.id.to_owned(), nodes);
    }
    (chain, guest.warnings)
}

/// A guest as the boot finders look at it.
pub struct Look<'a> {
    inventory: &'a Inventory,
    source: &'a mut dyn Source,
    warnings: Warnings,
}

impl<'a> Look<'a> {
    /// Looks at a guest.
    pub fn new(inventory: &'a Inventory, source: &'a mut dyn Source) -> Self {
        Self {
            inventory,
            source,
            warnings: Warnings::default(),
        }
    }

    fn tree(&self) -> &'a FileTree {
        &self.inventory.tree
    }

    fn text(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        text(&self.inventory.tree, self.source, path)
    }

    /// The regular file or folder at a path, links followed.
    fn resolve(&self, path: &[u8]) -> Option<Resolved> {
        self.tree().resolve(path)
    }

    /// The installed packages of a role.
    fn packages(&self, role: Role) -> Vec<Node> {
        let names = pkgdb::of(self.inventory).names(role).iter();
        names
            .filter_map(|name| self.inventory.find_package(name).map(Node::Package))
            .collect()
    }

    /// A program: its package where one owns it, else the file itself; the links to it in any case.
    fn program(&self, path: &[u8]) -> Vec<Node> {
        let Some(end) = self.resolve(path) else {
            return Vec::new();
        };
        let last = match self.inventory.owner(end.file) {
            Some(owner) if self.tree().kind(end.file) == FileKind::Regular => Node::Package(owner),
            _ => Node::File(end.file),
        };
        end.links
            .iter()
            .map(|&link| Node::File(link))
            .chain([last])
            .collect()
    }

    /// The names in a folder, in order.
    fn names(&self, folder: &[u8]) -> Vec<&'a [u8]> {
        let tree = self.tree();
        self.resolve(folder).map_or(Vec::new(), |end| {
            tree.children(end.file)
                .iter()
                .map(|&child| tree.name(child))
                .collect()
        })
    }

    fn warn(&mut self, path: &[u8], message: impl Into<String>) {
        self.warnings.push(Warning::new(path, message));
    }

    fn warn_at(&mut self, path: &[u8], line: u32, message: impl Into<String>) {
        self.warnings.push(Warning::at(path, line, message));
    }
}

/// Lines without comments and surrounding spaces, empty ones left out.
pub(super) fn settings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    numbered(bytes).map(|(_, line)| line)
}

/// The same with their 1-based numbers.
pub(super) fn numbered(bytes: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    (1..)
        .zip(bytes.split(|&byte| byte == b'\n'))
        .map(|(number, line)| (number, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty() && line[0] != b'#')
}

/// Words between spaces and tabs.
fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .collect()
}
