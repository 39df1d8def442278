//! Classes of files that go from what stays only because something needs it; named, listed, switchable.

mod classes;
mod table;

pub use table::RULES;

use crate::model::{FileId, Inventory, Package, PackageId};
use crate::pkgdb::{self, Class, Role};
use crate::plan::Risk;

/// A rule's row in [`RULES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u8);

/// One rule.
pub struct Rule {
    /// Its name in profiles: `documentation`.
    pub id: &'static str,
    /// What goes, for the screen.
    pub heading: &'static str,
    /// What may break, one sentence.
    pub risk: &'static str,
    /// How much may break.
    pub class: Risk,
    /// Whether it is on when a profile says nothing.
    pub is_default: bool,
    /// Whether it takes files that packages own, files that no package owns, or both.
    pub scope: Scope,
    /// Whether it spares packages of debug symbols that another kind of package, which stays, declares: valgrind works with
    /// the C library's.
    pub spares_declared: bool,
    /// The role of packages that suspend the rule while they stay.
    pub unless: Option<Role>,
    /// Whether a file is of the class, whatever the package format; called once a file when the guest is loaded.
    pub matches: fn(&Subject<'_>) -> bool,
}

/// A file as the rules see it.
pub struct Subject<'a> {
    /// Its absolute path.
    pub path: &'a [u8],
    inventory: &'a Inventory,
    file: FileId,
}

impl<'a> Subject<'a> {
    /// A file of a guest; `path` is its absolute path.
    pub const fn new(inventory: &'a Inventory, file: FileId, path: &'a [u8]) -> Self {
        Self {
            path,
            inventory,
            file,
        }
    }

    /// Whether its package is there to compile against a library.
    fn is_for_development(&self) -> bool {
        let owner = self.inventory.owner(self.file);
        owner.is_some_and(|owner| is_for_development(self.inventory.package(owner)))
    }

    /// Whether a file whose name begins so lies in the same folder.
    fn has_beside(&self, start: &[u8]) -> bool {
        let tree = &self.inventory.tree;
        let row = tree.children(tree.parent(self.file));
        let at = row.partition_point(|&child| tree.name(child) < start);
        row.get(at)
            .is_some_and(|&child| tree.name(child).starts_with(start))
    }
}

/// Debian's `-dev`, `-dev-bin`, `-dev-arm64-cross`; other systems' `-devel`; packages with headers alone.
fn is_for_development(package: &Package) -> bool {
    let name = package.name.as_str();
    package.section.rsplit('/').next() == Some("libdevel")
        || name.contains("-dev-")
        || ["-dev", "-devel", "-headers", "-static"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Whether a package is there for its debug symbols: Debian's `-dbg` and `-dbgsym`, other systems' `-debuginfo`.
pub(super) fn holds_symbols(package: &Package) -> bool {
    let name = package.name.as_str();
    ["-dbg", "-dbgsym", "-debuginfo"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Which files a rule takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Files of packages that stay trimmed.
    Owned,
    /// Files that no package owns.
    Unowned,
    /// Both.
    Both,
}

impl RuleId {
    /// The row itself.
    pub fn rule(self) -> &'static Rule {
        &RULES[self.0 as usize]
    }

    /// The rule of this name.
    pub fn find(id: &str) -> Option<Self> {
        RULES
            .iter()
            .position(|rule| rule.id == id)
            .map(|at| Self(at as u8))
    }

    /// All rules in the table's order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..RULES.len() as u8).map(Self)
    }
}

/// Which rules are on, one bit a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleSet(pub u32);

impl Default for RuleSet {
    fn default() -> Self {
        RuleId::all().fold(Self(0), |set, id| set.with(id, id.rule().is_default))
    }
}

impl RuleSet {
    /// Whether a rule is on.
    pub const fn contains(self, id: RuleId) -> bool {
        self.0 >> id.0 & 1 == 1
    }

    /// The same with one rule switched.
    #[must_use]
    pub const fn with(self, id: RuleId, is_on: bool) -> Self {
        let bit = 1 << id.0;
        Self(if is_on { self.0 | bit } else { self.0 & !bit })
    }
}

/// The rules with what a guest's package format adds to them.
pub(super) struct Classes(Vec<Option<&'static Class>>);

impl Classes {
    /// Those of a guest.
    pub fn of(inventory: &Inventory) -> Self {
        let format = pkgdb::of(inventory);
        Self(RULES.iter().map(|rule| format.class(rule.id)).collect())
    }

    /// The rules that a file belongs to, one bit a row, as far as its owner makes it a candidate.
    pub fn about(&self, inventory: &Inventory, file: FileId, path: &[u8]) -> u32 {
        let is_owned = inventory.owner(file).is_some();
        let subject = Subject::new(inventory, file, path);
        let mut bits = 0;
        for (at, (rule, class)) in RULES.iter().zip(&self.0).enumerate() {
            let is_candidate = match rule.scope {
                Scope::Owned => is_owned,
                Scope::Unowned => !is_owned,
                Scope::Both => true,
            };
            let is_of_class =
                || (rule.matches)(&subject) || class.is_some_and(|class| (class.takes)(path));
            if is_candidate && is_of_class() {
                bits |= 1 << at;
            }
        }
        bits
    }
}

/// The packages that suspend a rule while they stay.
pub(super) fn guards(inventory: &Inventory, rule: &Rule) -> Vec<PackageId> {
    let Some(guard) = rule.unless else {
        return Vec::new();
    };
    let names = pkgdb::of(inventory).names(guard);
    let is_guard = |name: &str| {
        names.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name
                .strip_prefix(start)
                .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit())),
            None => name == *pattern,
        })
    };
    inventory
        .package_ids()
        .filter(|&id| is_guard(&inventory.package(id).name))
        .collect()
}

#[cfg(test)]
mod tests;
