//! All facts about one guest, loaded once and then only read.

use std::collections::BTreeMap;

use super::component::Components;
use super::os::{BootChain, Mount, Os, Partition};
use super::package::{Package, PackageId};
use super::tree::{FileId, FileTree};
use super::warning::Warning;

/// A file besides the image's own from which it takes contents.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ImageFile {
    /// Its path on the host.
    pub path: String,
    /// Its format as QEMU names it, or `extent`.
    pub format: String,
}

/// More than this before the first partition is not looked at.
pub const MOST_HEAD: u64 = 64 << 20;

/// Where the facts come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The image's path as given, for the screen and the report.
    pub image: String,
    /// `qcow2`, `raw`, `vmdk`, `vdi`, `directory`.
    pub format: String,
    /// Backing files and extents, the nearest first.
    pub chain: Vec<ImageFile>,
    /// What confines the program that reads the image's format: `landlock`, `seccomp`; empty where nothing does.
    pub confinement: Vec<&'static str>,
    /// The virtual disk's size in bytes; 0 for a directory.
    pub virtual_size: u64,
    /// Bytes that the image file takes on the host.
    pub file_size: u64,
    /// How it was read: `directory`, `ext4`, `libguestfs`.
    pub backend: String,
    /// `mbr`, `gpt`, or empty where there is no partition table.
    pub table: String,
    /// The disk's partitions by number.
    pub partitions: Vec<Partition>,
    /// What lies before the first partition, boot code and table, without the zeros at its end; at most
    /// [`MOST_HEAD`] of it. Empty where it was not read.
    pub head: Vec<u8>,
    /// What is damaged on the disk, as sentences with escaped paths; at most [`MOST_DAMAGE`] and one about the rest.
    pub damage: Vec<String>,
}

/// More damage than this is counted, not described.
pub const MOST_DAMAGE: usize = 20;

impl Origin {
    /// Whether the disk was read without an appliance.
    pub fn is_direct(&self) -> bool {
        self.backend == "ext4"
    }
}

/// One guest: files, packages with their files, operating system, boot chain.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// Where the facts come from.
    pub origin: Origin,
    /// The operating system.
    pub os: Os,
    /// File systems in their places, the root first.
    pub mounts: Vec<Mount>,
    /// Every file.
    pub tree: FileTree,
    /// The format of its package database, by its id in `pkgdb::FORMATS`; empty where there is none that is known.
    pub package_format: &'static str,
    /// Installed packages by name, then architecture.
    pub packages: Vec<Package>,
    /// Who owns each file, one element a file: `PackageId.0`, or `NO_OWNER`. A shared folder has its first owner.
    pub owners: Vec<u32>,
    /// One element a file: the file that it is made from or points to, for an unowned file that stays exactly when that
    /// one stays (a link that the system manages, byte code, a module index).
    pub follows: Vec<Option<FileId>>,
    /// Whole contents of the files that an export may have to rewrite: the package manager's records.
    pub texts: BTreeMap<FileId, Vec<u8>>,
    /// What languages and installers put in as units, and the modules that can be named.
    pub components: Components,
    /// How it boots.
    pub boot: BootChain,
    /// What could not be read as it should, sorted.
    pub warnings: Vec<Warning>,
}

/// The element of [`Inventory::owners`] for a file that no package owns.
pub const NO_OWNER: u32 = u32::MAX;

impl Inventory {
    /// The package that owns a file.
    pub fn owner(&self, file: FileId) -> Option<PackageId> {
        match self.owners[file.index()] {
            NO_OWNER => None,
            owner => Some(PackageId(owner)),
        }
    }

    /// A package's facts.
    pub fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.index()]
    }

    /// All package ids in order.
    pub fn package_ids(&self) -> impl ExactSizeIterator<Item = PackageId> + use<> {
        (0..self.packages.len() as u32).map(PackageId)
    }

    /// The package of this name, `name:arch` where several architectures have it; the first one for a bare name.
    pub fn find_package(&self, name: &str) -> Option<PackageId> {
        let (bare, arch) = name
            .split_once(':')
            .map_or((name, None), |(bare, arch)| (bare, Some(arch)));
        let first = self
            .packages
            .partition_point(|package| package.name.as_str() < bare);
        self.packages[first..]
            .iter()
            .take_while(|package| package.name == bare)
            .position(|package| arch.is_none_or(|arch| package.arch == arch))
            .map(|at| PackageId((first + at) as u32))
    }

    /// How people name this package: with its architecture only where the bare name would be ambiguous.
    pub fn package_label(&self, id: PackageId) -> String {
        let package = self.package(id);
        let twin = |at: usize| {
            self.packages
                .get(at)
                .is_some_and(|other| other.name == package.name)
        };
        if twin(id.index() + 1) || id.index().checked_sub(1).is_some_and(twin) {
            format!("{}:{}", package.name, package.arch)
        } else {
            package.name.clone()
        }
    }
}
