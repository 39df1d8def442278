//! What the rest of the code asks of a package format: one implementation a format, in one folder.
//!
//! Whatever a method's default says is what a guest without any package database gets, so that a format says only what it
//! has. Nothing here sees the plan: what an export removes comes in as plain facts.

use super::edits::{Change, Edits, Exclusions, NewText};
use crate::job::{Cancelled, Job};
use crate::model::{FileId, FileTree, Inventory, Node, Package, PackageId, Warnings};
use fixedbitset::FixedBitSet;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Gives a regular file's whole contents; `None` when it cannot be read or is longer than so many bytes, which is a
/// warning already.
pub type Fetch<'a> = &'a mut dyn FnMut(FileId, u64) -> Option<Vec<u8>>;

/// One package format: its database, its words, its tools.
pub trait Format: Sync {
    /// Its name, as [`Inventory::package_format`] has it: `dpkg`.
    fn id(&self) -> &'static str;

    /// Whether the guest has such a database.
    fn is_in(&self, tree: &FileTree) -> bool;

    /// Reads the database. What cannot be read is a warning; only a cancel stops it.
    fn read(&self, tree: &FileTree, fetch: Fetch<'_>, job: &Job) -> Result<Database, Cancelled>;

    /// The order of two versions. Kernels are sorted with it too.
    fn compare(&self, a: &str, b: &str) -> Ordering;

    /// Prepares the question which package or file satisfies what.
    fn resolver<'a>(&self, inventory: &'a Inventory) -> Box<dyn Resolver + 'a> {
        let _ = inventory;
        Box::new(NoRequirements)
    }

    /// The scripts that the package manager runs when a package changes.
    fn scripts(&self, inventory: &Inventory, fetch: Fetch<'_>) -> Vec<Script> {
        let _ = (inventory, fetch);
        Vec::new()
    }

    /// Whether the package manager runs scripts of this package.
    fn has_scripts(&self, inventory: &Inventory, package: PackageId) -> bool {
        let _ = (inventory, package);
        false
    }

    /// Folders that hold nothing but the package manager's own records.
    fn record_folders(&self) -> &'static [&'static [u8]] {
        &[]
    }

    /// Names of the packages that play a role, in the order in which they are looked for; `*` at the end of one stands for
    /// digits.
    fn names(&self, role: Role) -> &'static [&'static str] {
        let _ = role;
        &[]
    }

    /// The classes of files that rules name, in the format's own words. Rules without a row take what their paths say.
    fn classes(&self) -> &'static [Class] {
        &[]
    }

    /// The class of a rule, by the rule's id.
    fn class(&self, rule: &str) -> Option<&'static Class> {
        self.classes().iter().find(|class| class.rule == rule)
    }

    /// What changes in the package manager's own files when packages or files of packages go. Files that must go as a
    /// consequence are added to `gone`.
    fn edits(&self, change: &Change<'_>, gone: &mut FixedBitSet) -> Edits {
        let _ = (change, gone);
        Edits::default()
    }

    /// Folders of links that the packages' scripts make and remove: a link there that leads nowhere goes.
    fn link_folders(&self) -> &'static [&'static [u8]] {
        &[]
    }

    /// Adds what the packages' scripts remember elsewhere of files that go, as removing the packages would.
    fn forget(&self, tree: &FileTree, gone: &mut FixedBitSet) {
        let _ = (tree, gone);
    }

    /// The package manager's own rules that keep upgrades from bringing back what was cut; `None` where nothing was, or
    /// where the package manager knows no such rules.
    fn exclusions(&self, cut: &Exclusions<'_>) -> Option<NewText> {
        let _ = cut;
        None
    }

    /// How the package manager is asked, in the running guest, whether all is well.
    fn audit(&self) -> Option<Audit> {
        None
    }

    /// What a package URL says of one package.
    fn purl(&self, package: &Package) -> Purl;

    /// An architecture as container images spell it, with its variant.
    fn container_arch(&self, arch: &str) -> (String, Option<&'static str>) {
        (arch.to_owned(), None)
    }
}

/// What a package database says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Database {
    /// Installed packages by name, then architecture.
    pub packages: Vec<Package>,
    /// One element a file: `PackageId.0`, or `NO_OWNER`.
    pub owners: Vec<u32>,
    /// Contents of the files that an export may have to rewrite.
    pub texts: BTreeMap<FileId, Vec<u8>>,
    /// The native architecture; empty when unknown.
    pub arch: String,
    /// What could not be read.
    pub warnings: Warnings,
}

/// Answers which package or file of a guest satisfies what its packages require: by name, by capability or by path.
pub trait Resolver {
    /// Everything that a package requires, in the order of its record.
    fn requirements(&self, of: PackageId) -> Vec<Requirement>;

    /// Whether requirements were not followed because there are more than any system has.
    fn is_spent(&self) -> bool {
        false
    }
}

/// Something that a package requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The requirement as the package manager writes it.
    pub what: String,
    /// Who satisfies it; the package itself may. `None` where nothing does.
    pub by: Option<Node>,
}

/// The answer where packages require nothing.
struct NoRequirements;

impl Resolver for NoRequirements {
    fn requirements(&self, _of: PackageId) -> Vec<Requirement> {
        Vec::new()
    }
}

/// A script of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Whose it is.
    pub package: PackageId,
    /// Where its text is.
    pub text: ScriptText,
}

/// Where a script's text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptText {
    /// In a file of its own.
    File(FileId),
    /// Inside the database: this is it.
    Here(Vec<u8>),
}

/// What a package is for, as far as booting, features and rules ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The package manager itself.
    PackageManager,
    /// GRUB, whatever the firmware.
    Grub,
    /// GRUB for BIOS firmware.
    GrubBios,
    /// GRUB for UEFI firmware, with what signs it.
    GrubEfi,
    /// systemd-boot.
    SystemdBoot,
    /// extlinux and its relatives.
    Extlinux,
    /// systemd as init, and what it cannot start without.
    Systemd,
    /// Another init, and what it cannot start without.
    OtherInit,
    /// Logins on the console.
    Login,
    /// Encrypted disks.
    Encryption,
    /// Software RAID.
    Raid,
    /// Logical volumes.
    Volumes,
    /// The parts of an ssh server that are packages of their own.
    SecureShell,
    /// Set-up by the cloud.
    CloudInit,
    /// Commands as another user.
    Sudo,
    /// Commands at set times.
    Cron,
    /// The clock set over the network.
    Clock,
    /// What hypervisors talk to.
    GuestAgent,
    /// The network brought up by ifupdown.
    Ifupdown,
    /// The network brought up by systemd-networkd.
    Networkd,
    /// Names resolved by systemd-resolved.
    Resolved,
    /// The network brought up by `NetworkManager`.
    NetworkManager,
    /// The network brought up by netplan.
    Netplan,
    /// The network brought up by connman.
    Connman,
    /// Compilers of C, C++ and Fortran.
    Compiler,
}

/// A rule's class of files in a format's own words.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// The rule's id.
    pub rule: &'static str,
    /// Files that are of the class only in this format: the package manager's own.
    pub takes: fn(&[u8]) -> bool,
    /// Parts of the class in the package manager's words for what not to install; `+` before what stays. None of them
    /// takes a file outside of the class, whatever is installed later; files that none takes are excluded by name.
    pub exclusions: &'static [&'static str],
}

/// How the package manager is asked whether all is well.
#[derive(Debug, Clone, Copy)]
pub struct Audit {
    /// The program without which it cannot be asked.
    pub program: &'static str,
    /// The command line, for the guest's shell.
    pub command: &'static str,
    /// What it runs, for people.
    pub name: &'static str,
    /// Whether an output of a command that succeeded is a complaint all the same.
    pub complains: fn(&[u8]) -> bool,
}

/// The parts of a package URL that a format knows: `pkg:KIND/VENDOR/NAME@VERSION?...`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purl {
    /// Its type: `deb`.
    pub kind: &'static str,
    /// Who it is from where the guest does not say.
    pub vendor: &'static str,
    /// The version as such URLs spell it.
    pub version: String,
    /// Qualifiers before the distribution's: the architecture, mostly.
    pub qualifiers: Vec<(&'static str, String)>,
}
