//! JSON shared by several commands. Field names are stable; every text is safe; sizes are bytes.

use crate::model::inventory::Origin;
use crate::model::text::escape;
use crate::model::{Inventory, Node, Os, Warning};
use crate::plan::{Finding, Level, Severity, Sizes};
use crate::profile::Drift;
use serde::Serialize;

/// [`Sizes`].
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SizesJson {
    pub files: u64,
    pub apparent: u64,
    pub allocated: u64,
    /// Estimate of the compressed image.
    pub compressed: u64,
}

impl From<Sizes> for SizesJson {
    fn from(sizes: Sizes) -> Self {
        Self {
            files: sizes.files,
            apparent: sizes.apparent.0,
            allocated: sizes.allocated.0,
            compressed: sizes.compressed.0,
        }
    }
}

/// [`Os`].
#[derive(Debug, Clone, Serialize)]
pub struct OsJson {
    pub id: String,
    pub version: String,
    pub name: String,
    pub arch: String,
    pub hostname: String,
}

impl From<&Os> for OsJson {
    fn from(os: &Os) -> Self {
        Self {
            id: plain(&os.id),
            version: plain(&os.version),
            name: plain(&os.name),
            arch: plain(&os.arch),
            hostname: plain(&os.hostname),
        }
    }
}

/// Which files an image's bytes come from, and what confines the program that reads them.
#[derive(Debug, Clone, Serialize)]
pub struct TrustJson {
    /// Backing files and extents, the nearest first.
    pub chain: Vec<ImageFileJson>,
    /// `landlock`, `seccomp`; empty where nothing confines.
    pub confinement: Vec<&'static str>,
}

/// One of these files.
#[derive(Debug, Clone, Serialize)]
pub struct ImageFileJson {
    pub path: String,
    /// QEMU's name for its format, or `extent`.
    pub format: String,
}

impl From<&Origin> for TrustJson {
    fn from(origin: &Origin) -> Self {
        let files = origin.chain.iter().map(|file| ImageFileJson {
            path: plain(&file.path),
            format: file.format.clone(),
        });
        Self {
            chain: files.collect(),
            confinement: origin.confinement.clone(),
        }
    }
}

impl TrustJson {
    /// A table's rows about the files.
    pub fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.chain.iter().map(|file| {
            let word = if file.format == "extent" {
                "extent"
            } else {
                "builds on"
            };
            vec![word.to_owned(), format!("{} ({})", file.path, file.format)]
        })
    }
}

/// [`Finding`].
#[derive(Debug, Clone, Serialize)]
pub struct FindingJson {
    /// `note` or `warning`.
    pub severity: &'static str,
    /// A package or a path, where it is about one.
    pub about: Option<String>,
    pub message: String,
}

impl FindingJson {
    pub fn of(inventory: &Inventory, finding: &Finding) -> Self {
        Self {
            severity: match finding.severity {
                Severity::Note => "note",
                Severity::Warning => "warning",
            },
            about: finding.node.map(|node| node_name(inventory, node)),
            message: finding.message.clone(),
        }
    }
}

/// [`Drift`].
#[derive(Debug, Clone, Serialize)]
pub struct DriftJson {
    pub kind: &'static str,
    pub subject: String,
    pub message: String,
}

impl From<&Drift> for DriftJson {
    fn from(drift: &Drift) -> Self {
        Self {
            kind: drift.kind.word(),
            subject: drift.subject.clone(),
            message: drift.message.clone(),
        }
    }
}

/// [`Warning`].
#[derive(Debug, Clone, Serialize)]
pub struct WarningJson {
    pub path: String,
    pub line: Option<u32>,
    pub message: String,
}

impl From<&Warning> for WarningJson {
    fn from(warning: &Warning) -> Self {
        Self {
            path: escape(&warning.path).into_owned(),
            line: warning.line,
            message: super::out::safe(&warning.message),
        }
    }
}

/// A level's name in JSON and in profiles; `dropped` for none.
pub const fn level_word(level: Option<Level>) -> &'static str {
    match level {
        None => "dropped",
        Some(Level::Hollowed) => "hollowed",
        Some(Level::NeededOnly) => "needed_only",
        Some(Level::Trimmed) => "trimmed",
        Some(Level::Whole) => "whole",
    }
}

/// The name of a package or file.
pub fn node_name(inventory: &Inventory, node: Node) -> String {
    match node {
        Node::Package(id) => plain(&inventory.package_label(id)),
        Node::File(file) => escape(&inventory.tree.path(file)).into_owned(),
    }
}

/// A guest's text, escaped.
pub fn plain(text: &str) -> String {
    escape(text.as_bytes()).into_owned()
}
