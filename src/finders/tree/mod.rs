//! Trees that an installer other than the system's package manager made: conda, spack, Julia, Java runtimes, virtual
//! environments. Each is recognised by the record that it keeps of itself, named, and bound together.
//!
//! The record stands for the unit: programs and libraries of the unit need the record; the record needs all of the unit and the
//! records of its dependencies.

mod conda;
mod java;
mod julia;
mod spack;

pub use conda::find as conda;
pub use java::find as java;
pub use julia::find as julia;
pub use spack::find as spack;

use super::{Head, Scan};
use crate::model::{Evidence, FileId, FileKind};

/// What a tree says about one unit of itself.
struct Unit {
    kind: &'static str,
    name: String,
    version: String,
    /// The file that says so.
    record: FileId,
    parts: Vec<FileId>,
}

/// Longest name of a unit: no package manager allows a longer one.
const MAX_NAME: usize = 256;

impl Unit {
    /// Binds the unit together and lists it among the components.
    fn add(mut self, scan: &mut Scan<'_>) {
        if self.name.len() > MAX_NAME {
            return;
        }
        self.parts.sort_unstable();
        self.parts.dedup();
        let tree = scan.tree();
        let because = scan.because(self.record, Evidence::Convention);
        let what = self.name.as_bytes();
        for &part in &self.parts {
            scan.found.need(because, part, what);
        }
        for file in self.parts.iter().flat_map(|&part| tree.subtree(part)) {
            let file = FileId(file);
            let is_code =
                scan.facts.heads[file.index()] != Head::Other || tree.name(file) == b"__init__.py";
            if is_code && file != self.record && tree.kind(file) == FileKind::Regular {
                let because = scan.because(file, Evidence::Component);
                scan.found.need(because, self.record, what);
            }
        }
        let record = Some(self.record);
        scan.component(self.kind, self.name, self.version, self.parts, record);
    }
}

#[cfg(test)]
mod tests;
