//! Needs: who needs what, and why.

use super::package::PackageId;
use super::tree::FileId;

/// What can need and be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// A package.
    Package(PackageId),
    /// A file; as the target of a need, a folder stands for all that is in it.
    File(FileId),
}

impl From<PackageId> for Node {
    fn from(id: PackageId) -> Self {
        Self::Package(id)
    }
}

impl From<FileId> for Node {
    fn from(id: FileId) -> Self {
        Self::File(id)
    }
}

/// A finder's row in `finders::FINDERS`, which is where ids become rows and rows become ids: nobody else counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FinderId(pub u8);

/// How a need is known, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// The package manager's record declares it.
    Declared,
    /// Read from the file itself (an ELF header, a shebang, a symlink).
    Read,
    /// The convention of a plug-in family or a configuration file.
    Convention,
    /// Both belong to the same component; does not count where a mark cuts the component to what is named.
    Component,
    /// Asked for where it is there: who asks works without it.
    Wanted,
    /// A name that occurs as a string.
    Guessed,
}

impl Evidence {
    /// Whether what is needed must stay. What is only wanted or guessed stays where some of its package stays for a
    /// firmer reason, and never brings a package back.
    pub const fn is_firm(self) -> bool {
        !matches!(self, Self::Wanted | Self::Guessed)
    }
}

/// An edge: `from` needs `to`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Who needs.
    pub from: Node,
    /// What is needed.
    pub to: Node,
    /// The finder that says so.
    pub finder: FinderId,
    /// How it is known.
    pub evidence: Evidence,
    /// What the need is by name, as bytes of the guest or the record: `libblas.so.3`, `python3 (>= 3.11)`.
    pub what: Box<[u8]>,
}

/// A need that nothing in the guest satisfies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unmet {
    /// Who needs.
    pub from: Node,
    /// The finder that says so.
    pub finder: FinderId,
    /// What is missing, by name.
    pub what: Box<[u8]>,
}
