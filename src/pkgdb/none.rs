//! A guest without a package database that is known: all of its files are somebody's own.

use super::dpkg::version;
use super::format::{Database, Fetch, Format, Purl};
use crate::job::{Cancelled, Job};
use crate::model::inventory::NO_OWNER;
use crate::model::{FileTree, Package, Warning, Warnings};
use std::cmp::Ordering;

/// No format.
pub struct Unpackaged;

impl Format for Unpackaged {
    fn id(&self) -> &'static str {
        ""
    }

    fn is_in(&self, _tree: &FileTree) -> bool {
        true
    }

    fn read(&self, tree: &FileTree, _fetch: Fetch<'_>, _job: &Job) -> Result<Database, Cancelled> {
        let message = "no package database that is known: all files count as unowned";
        let mut warnings = Warnings::default();
        warnings.push(Warning::new(b"", message));
        Ok(Database {
            owners: vec![NO_OWNER; tree.len()],
            warnings,
            ..Database::default()
        })
    }

    /// Kernels have versions too, and Debian's order sorts those of every distribution.
    fn compare(&self, a: &str, b: &str) -> Ordering {
        version::compare(a, b)
    }

    fn purl(&self, package: &Package) -> Purl {
        Purl {
            kind: "generic",
            version: package.version.clone(),
            ..Purl::default()
        }
    }
}
