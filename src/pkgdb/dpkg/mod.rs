//! dpkg's database as it lies in `/var/lib/dpkg`, and apt's `extended_states`.
//!
//! Formats: deb-control(5), deb-version(7), dpkg-divert(1), update-alternatives(1), dpkg-statoverride(1), deb-triggers(5)
//! and dpkg's own source where the manuals are silent.

pub mod alternatives;
mod change;
mod classes;
pub mod database;
pub mod edit;
mod exclude;
pub mod lists;
mod names;
pub mod records;
pub mod relation;
pub mod resolve;
mod scripts;
pub mod stanza;
pub mod status;
mod units;
pub mod version;

pub use alternatives::Alternative;

use super::edits::{Change, Edits, Exclusions, NewText};
use super::format::{Audit, Class, Database, Fetch, Format, Purl, Resolver, Role, Script};
use crate::job::{Cancelled, Job};
use crate::model::{FileTree, Inventory, Package, PackageId};
use fixedbitset::FixedBitSet;
use std::cmp::Ordering;

/// dpkg, as Debian and Ubuntu have it.
pub struct Dpkg;

impl Format for Dpkg {
    fn id(&self) -> &'static str {
        "dpkg"
    }

    fn is_in(&self, tree: &FileTree) -> bool {
        database::is_in(tree)
    }

    fn read(&self, tree: &FileTree, fetch: Fetch<'_>, job: &Job) -> Result<Database, Cancelled> {
        database::read(tree, fetch, job)
    }

    fn compare(&self, a: &str, b: &str) -> Ordering {
        version::compare(a, b)
    }

    fn resolver<'a>(&self, inventory: &'a Inventory) -> Box<dyn Resolver + 'a> {
        let (packages, arch) = (&inventory.packages, &inventory.os.arch);
        Box::new(resolve::Installed::new(packages, arch))
    }

    fn scripts(&self, inventory: &Inventory, _fetch: Fetch<'_>) -> Vec<Script> {
        scripts::scripts(inventory)
    }

    fn has_scripts(&self, inventory: &Inventory, package: PackageId) -> bool {
        scripts::has_scripts(inventory, package)
    }

    fn record_folders(&self) -> &'static [&'static [u8]] {
        &[b"/var/lib/dpkg"]
    }

    fn names(&self, role: Role) -> &'static [&'static str] {
        names::names(role)
    }

    fn classes(&self) -> &'static [Class] {
        classes::CLASSES
    }

    fn edits(&self, change: &Change<'_>, gone: &mut FixedBitSet) -> Edits {
        change::edits(change, gone)
    }

    fn link_folders(&self) -> &'static [&'static [u8]] {
        units::LINKS
    }

    fn forget(&self, tree: &FileTree, gone: &mut FixedBitSet) {
        units::forget(tree, gone);
    }

    fn exclusions(&self, cut: &Exclusions<'_>) -> Option<NewText> {
        exclude::exclusions(cut)
    }

    fn audit(&self) -> Option<Audit> {
        Some(Audit {
            program: "/usr/bin/dpkg",
            command: "dpkg --audit && { ! [ -x /usr/bin/apt-get ] || apt-get check; }",
            name: "dpkg --audit and apt-get check",
            complains: |said| said.starts_with(b"The following packages"),
        })
    }

    fn purl(&self, package: &Package) -> Purl {
        Purl {
            kind: "deb",
            vendor: "debian",
            version: package.version.clone(),
            qualifiers: vec![("arch", package.arch.clone())],
        }
    }

    fn container_arch(&self, arch: &str) -> (String, Option<&'static str>) {
        let (name, variant) = match arch {
            "i386" => ("386", None),
            "armel" => ("arm", Some("v5")),
            "armhf" => ("arm", Some("v7")),
            "ppc64el" => ("ppc64le", None),
            "mips64el" => ("mips64le", None),
            other => (other, None),
        };
        (name.to_owned(), variant)
    }
}
