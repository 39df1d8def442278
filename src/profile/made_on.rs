//! The guest that a profile was made on: not a lock; the drift report compares with it.

use super::form::Entries;
use crate::model::Inventory;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// A guest as the drift report remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MadeOn {
    /// `ID` of its os-release: `debian`.
    pub os: String,
    /// `VERSION_ID` of its os-release: `12`.
    pub version: String,
    /// The package manager's architecture: `amd64`.
    pub arch: String,
    /// A day, when whoever wrote the profile gave one; guestslim never does, so that the same marks give the same file.
    pub date: String,
    /// Bytes that the guest's files took on disk; 0 when unknown.
    pub size: u64,
    /// Versions of all installed packages by label; empty when nobody recorded them.
    #[serde(deserialize_with = "packages")]
    pub packages: BTreeMap<String, String>,
}

fn packages<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    Entries::deserialize(deserializer).map(|entries| entries.0)
}

impl MadeOn {
    /// The facts about this guest that a profile records.
    pub fn of(inventory: &Inventory) -> Self {
        let os = &inventory.os;
        Self {
            os: os.id.clone(),
            version: os.version.clone(),
            arch: os.arch.clone(),
            date: String::new(),
            size: allocated(inventory),
            packages: inventory
                .package_ids()
                .map(|id| {
                    (
                        inventory.package_label(id),
                        inventory.package(id).version.clone(),
                    )
                })
                .collect(),
        }
    }
}

/// Bytes that all files take on disk, each inode once.
pub(super) fn allocated(inventory: &Inventory) -> u64 {
    let tree = &inventory.tree;
    tree.ids()
        .filter(|&file| tree.is_first_name(file))
        .fold(0, |sum: u64, file| sum.saturating_add(tree.allocated(file)))
}
