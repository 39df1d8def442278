//! Package formats: a table of them, one folder each. Bytes in, facts out.
//!
//! Nothing here sees a guest handle, a plan, the screen or the host's disk: the caller looks files up and hands their bytes
//! over. Parsers never fail as a whole; what they cannot read is a [`Warning`](crate::model::Warning) with its place.

pub mod dpkg;
pub mod edits;
pub mod format;
#[cfg(test)]
pub mod ledger;
mod none;

pub use edits::{Change, Edits, Exclusions, NewLink, NewText};
pub use format::{
    Audit, Class, Database, Format, Purl, Requirement, Resolver, Role, Script, ScriptText,
};

use crate::model::{FileTree, Inventory};

/// All formats, in the order in which they are looked for.
pub static FORMATS: &[&dyn Format] = &[
    &dpkg::Dpkg,
    #[cfg(test)]
    &ledger::Ledger,
];

/// The format of a guest's database; one that has nothing to say where there is none.
pub fn detect(tree: &FileTree) -> &'static dyn Format {
    let found = FORMATS.iter().find(|format| format.is_in(tree));
    found.copied().unwrap_or(&none::Unpackaged)
}

/// The format that a guest was read with.
pub fn of(inventory: &Inventory) -> &'static dyn Format {
    let id = inventory.package_format;
    let found = FORMATS.iter().find(|format| format.id() == id);
    found.copied().unwrap_or(&none::Unpackaged)
}
