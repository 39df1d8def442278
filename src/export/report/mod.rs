//! The report of an export as plain data. Both faces print its page; the whole report lies beside the output, for programs and
//! for people, together with the bill of materials.

mod beside;
mod bom;
mod lists;
mod page;

pub(super) use beside::ENDINGS;
pub use beside::{BESIDE, Beside, FullReport};

use super::update::UpdateCost;
use crate::guest::image::Image;
use crate::job::{Cancelled, Job};
use crate::load::Loaded;
use crate::model::{FileId, text};
use crate::plan::{Level, Plan};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What an export did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// This program's version.
    pub guestslim: &'static str,
    /// The source's path, escaped.
    pub source: String,
    /// The output's path, escaped.
    pub output: String,
    /// The output's format.
    pub format: &'static str,
    /// The guest's operating system and architecture, escaped.
    pub guest: String,
    /// The profile's name, escaped, where the plan was made from one.
    pub profile: Option<String>,
    /// The way in which it was written.
    pub way: &'static str,
    /// SHA-256 of the source file.
    pub source_sha256: String,
    /// The source's backing files and extents, the nearest first.
    pub source_chain: Vec<SourceFile>,
    /// What confined the programs that read the source: `landlock`, `seccomp`.
    pub confinement: Vec<&'static str>,
    /// SHA-256 of the output file.
    pub output_sha256: String,
    /// SHA-256 of the plan: equal for the same image and the same marks.
    pub plan_sha256: String,
    /// The source's sizes.
    pub before: ImageSizes,
    /// The output's sizes.
    pub after: ImageSizes,
    /// What the plan said that the output file would take.
    pub projected: u64,
    /// What an update from the previous release costs, where that was asked for.
    pub update: Option<UpdateCost>,
    /// What became of the packages.
    pub packages: PackageCounts,
    /// Files and links that were removed.
    pub removed_files: u64,
    /// Room on the guest's disk that they took.
    pub removed_bytes: u64,
    /// What was done, in order, with the time that each step took.
    pub steps: Vec<StepTime>,
    /// How long all of it took.
    pub seconds: f64,
    /// What was checked and found in order.
    pub checked: Vec<String>,
    /// What a person should know, and what was not checked.
    pub warnings: Vec<String>,
}

/// A file besides the source's own from which the source took contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceFile {
    /// Its path, escaped.
    pub path: String,
    /// QEMU's name for its format, or `extent`.
    pub format: String,
    /// Of the file.
    pub sha256: String,
}

/// The sizes of an image in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ImageSizes {
    /// The file on the host.
    pub file: u64,
    /// The virtual disk.
    pub disk: u64,
    /// What the guest's file systems say is in use, where they were asked.
    pub used: Option<u64>,
    /// Files, folders and links: of the source as it was read, of the output as it was planned.
    pub files: u64,
    /// Their lengths added up, each inode once.
    pub apparent: u64,
    /// The room that they take on disk, each inode once.
    pub allocated: u64,
}

/// What was proved of an output once it was written, in the words of whoever proved it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// For programs.
    pub json: serde_json::Value,
    /// For people: whole lines.
    pub text: String,
}

impl Verified {
    /// Nothing was, because of this.
    pub fn not_checked(why: &str) -> Self {
        Self {
            json: serde_json::json!({ "not_checked": why }),
            text: format!("Not verified, because {why}\n"),
        }
    }
}

/// What became of the packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PackageCounts {
    /// They stay, whole or trimmed.
    pub kept: usize,
    /// They stay in part: hollowed, or only what is needed.
    pub cut: usize,
    /// They are gone.
    pub dropped: usize,
}

/// One step and its time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepTime {
    /// The step's heading.
    pub step: String,
    /// How long it took.
    pub seconds: f64,
}

impl PackageCounts {
    /// Counts a plan's verdicts.
    pub fn of(plan: &Plan) -> Self {
        let mut counts = Self::default();
        for verdict in &plan.packages {
            match verdict.level {
                None => counts.dropped += 1,
                Some(Level::Hollowed | Level::NeededOnly) => counts.cut += 1,
                Some(Level::Trimmed | Level::Whole) => counts.kept += 1,
            }
        }
        counts
    }
}

/// The SHA-256 of a plan: a text with one line for each package and for each path that goes.
pub fn plan_hash(loaded: &Loaded, plan: &Plan) -> String {
    let inventory = &loaded.inventory;
    let mut hash = Sha256::new();
    hash.update("guestslim plan 1\n");
    for id in inventory.package_ids() {
        let level = plan.packages[id.index()].level.map_or("gone", Level::word);
        let label = inventory.package_label(id);
        let (label, version) = (
            text::escape(label.as_bytes()),
            &inventory.package(id).version,
        );
        hash.update(format!(
            "package {label} {} {level}\n",
            text::escape(version.as_bytes())
        ));
    }
    for file in inventory
        .tree
        .ids()
        .filter(|&file: &FileId| !plan.keeps_file(file))
    {
        hash.update(format!(
            "gone {}\n",
            text::escape(&inventory.tree.path(file))
        ));
    }
    hex(&hash.finalize())
}

/// The hashes of the source's files, its own first, or why there are none.
pub(super) type SourceHashes = io::Result<Result<Vec<String>, Cancelled>>;

/// Hashes the source's files.
pub(super) fn source_hashes(image: &Image, job: &Job) -> SourceHashes {
    let files = std::iter::once(image.path()).chain(image.below());
    files.map(|file| file_hash(file, job)).collect()
}

/// The SHA-256 of a host's file; `Ok(Err(_))` when the job was cancelled meanwhile.
pub(super) fn file_hash(path: &Path, job: &Job) -> io::Result<Result<String, Cancelled>> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        if let Err(cancelled) = job.check() {
            return Ok(Err(cancelled));
        }
        match file.read(&mut buffer)? {
            0 => return Ok(Ok(hex(&hash.finalize()))),
            len => hash.update(&buffer[..len]),
        }
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    })
}
