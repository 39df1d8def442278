//! Packages as the guest's package manager records them.

use super::bytes::Bytes;
use super::tree::FileId;
use std::fmt;

/// The place of a package in [`Inventory::packages`](super::Inventory::packages).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub u32);

impl PackageId {
    /// The position in arrays with one element a package.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A version bound of a relation: operator and version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionBound {
    /// The operator as the package format writes it: `>=`.
    pub operator: String,
    /// The version to compare with.
    pub version: String,
}

/// One alternative of a requirement: `name:arch (>= version)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Relation {
    /// A package's name, a capability or a path, as far as the package format has such requirements.
    pub name: String,
    /// `any`, `native` or an architecture, where one is given.
    pub arch: Option<String>,
    /// The bound, where one is given.
    pub bound: Option<VersionBound>,
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(arch) = &self.arch {
            write!(f, ":{arch}")?;
        }
        if let Some(bound) = &self.bound {
            write!(f, " ({} {})", bound.operator, bound.version)?;
        }
        Ok(())
    }
}

/// Alternatives, any of which will do: `a | b`.
pub type Clause = Vec<Relation>;

/// A clause as the package manager writes it.
pub fn clause_text(clause: &[Relation]) -> String {
    let parts: Vec<String> = clause.iter().map(ToString::to_string).collect();
    parts.join(" | ")
}

/// One installed package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a record's facts do not depend on each other"
)]
pub struct Package {
    /// The name without architecture.
    pub name: String,
    /// Its architecture (`amd64`, `all`).
    pub arch: String,
    /// The version as written.
    pub version: String,
    /// The source package's name (the package's own where the record names none).
    pub source: String,
    /// What the record says it takes on disk.
    pub installed_size: Bytes,
    /// The archive's section (`libs`, `science`).
    pub section: String,
    /// Whether every installation has it, so that scripts call it without declaring it.
    pub is_required: bool,
    /// Whether it is only for compiling against something.
    pub is_development: bool,
    /// First line of the description.
    pub summary: String,
    /// Whether the package manager refuses to remove it.
    pub essential: bool,
    /// Whether the package manager asks before it removes it, because a system that boots needs it.
    pub protected: bool,
    /// Whether packages of other architectures may use it, in the package format's own word.
    pub multi_arch: String,
    /// Installed only because something depended on it.
    pub auto_installed: bool,
    /// What it requires: all of these clauses.
    pub depends: Vec<Clause>,
    /// What it requires before it is unpacked: all of these clauses.
    pub pre_depends: Vec<Clause>,
    /// Recommends.
    pub recommends: Vec<Clause>,
    /// Suggests.
    pub suggests: Vec<Clause>,
    /// What it provides beside its name (with `=` bounds where given).
    pub provides: Vec<Relation>,
    /// Its files, folders included, in tree order; diverted paths are where they really lie.
    pub files: Vec<FileId>,
    /// Its configuration files that exist.
    pub conffiles: Vec<FileId>,
    /// The package manager's own files about nothing else: they go with its record.
    pub record_files: Vec<FileId>,
}
