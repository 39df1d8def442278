//! One step of an export, as it is shown and as it is carried out: there is no other list.

use super::disk::geometry::{DiskLayout, Fill, Part};
use super::error::ExportError;
use super::options::OutputFormat;
use crate::model::{Bytes, text};
pub use crate::pkgdb::{NewLink, NewText};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// One step of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it does, in the imperative: `remove 12,044 files`.
    pub heading: String,
    /// What exactly.
    pub kind: StepKind,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// Create a throw-away overlay over the source.
    Overlay,
    /// Create an empty file for a new disk.
    NewDisk(DiskLayout),
    /// Start the appliance on the overlay and mount the guest's file systems.
    Start,
    /// Write boot code and partition table onto the new disk.
    Partition(DiskLayout),
    /// Copy the disk to a file of plain bytes, without what is removed, free space and swap.
    Copy(Removal),
    /// Remove these paths: files and links, then folders, the deepest first. Before the appliance is started, not all.
    Remove(Removal),
    /// Remove what was left of them before the appliance was started.
    RemoveRest,
    /// Rename files, from and to, where nothing is any more.
    Move(Vec<(Vec<u8>, Vec<u8>)>),
    /// Write whole files; mode and owner of those that are there stay.
    Write(Vec<NewText>),
    /// Write the initramfs that the guest's own tools made.
    Initramfs(NewInitramfs),
    /// Point symlinks elsewhere.
    Link(Vec<NewLink>),
    /// Unmount and mount again, so that the journal lets the freed blocks go, and tell the disk what is free.
    Trim,
    /// Clear swap areas, which keep their identifiers.
    ClearSwap,
    /// Fill one partition of the new disk.
    Fill(Part),
    /// Make the last partition of this disk as small as its files and the room to grow allow.
    Shrink(DiskLayout, Option<Bytes>),
    /// Check the unmounted file systems without changing them.
    Check,
    /// Pack all files into one archive, and let the appliance go.
    Archive,
    /// Write the output in its format.
    Convert(OutputFormat),
    /// Check the output's structure.
    Inspect,
    /// Count what of the output's disk this image lacks.
    Compare(PathBuf),
    /// Give the output its name.
    Publish(PathBuf),
}

/// What takes the initramfs's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInitramfs {
    /// The guest's path: no symlink on the way.
    pub path: Vec<u8>,
    /// All of its contents from now on, where they are known yet.
    pub content: Option<Arc<[u8]>>,
}

/// What one step removes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removal {
    /// Files and links in tree order: real paths, no symlink on the way.
    pub files: Vec<Vec<u8>>,
    /// Folders that go whole, the deepest first.
    pub folders: Vec<Vec<u8>>,
    /// Room on disk that this frees.
    pub freed: Bytes,
    /// What people read instead of every path: how many files went from where, and the bytes, biggest first.
    pub summary: Vec<(Vec<u8>, u64, Bytes)>,
}

/// How many lines of a removal's summary are shown.
const SUMMARY_LINES: usize = 12;

impl StepKind {
    /// What leaves in this step.
    pub fn removal(&self) -> Option<&Removal> {
        match self {
            Self::Remove(removal) | Self::Copy(removal) => Some(removal),
            _ => None,
        }
    }
}

impl Step {
    /// A step with its heading.
    pub(super) fn new(heading: impl Into<String>, kind: StepKind) -> Self {
        Self {
            heading: heading.into(),
            kind,
        }
    }

    /// What exactly, line by line, safe to print.
    pub fn details(&self) -> Vec<String> {
        match &self.kind {
            StepKind::Remove(removal) | StepKind::Copy(removal) => removal.lines(),
            StepKind::Move(moves) => moves
                .iter()
                .map(|(from, to)| format!("{} -> {}", text::escape(from), text::escape(to)))
                .collect(),
            StepKind::Write(texts) => texts.iter().map(text_line).collect(),
            StepKind::Initramfs(new) => vec![new.line()],
            StepKind::Link(links) => links.iter().map(link_line).collect(),
            StepKind::Partition(disk) => disk.parts.iter().map(Part::line).collect(),
            _ => Vec::new(),
        }
    }
}

impl Part {
    fn line(&self) -> String {
        format!(
            "partition {}: {} from byte {}",
            self.number,
            Bytes(self.size),
            self.start
        )
    }

    /// What filling it does.
    pub(super) fn heading(&self) -> String {
        let number = self.number;
        match &self.fill {
            Fill::Blocks => format!("copy partition {number} as it is"),
            Fill::Swap => format!("make a swap area on partition {number}"),
            Fill::Files { at, kind, .. } => format!(
                "make {kind} on partition {number} and copy the files of {}",
                text::escape(at)
            ),
        }
    }
}

fn text_line(new: &NewText) -> String {
    let verb = if new.is_new { "new" } else { "rewritten" };
    let size = Bytes(new.content.len() as u64);
    format!("{} ({verb}, {size}): {}", text::escape(&new.path), new.why)
}

impl NewInitramfs {
    /// The file to write.
    pub(super) fn text(&self) -> Result<NewText, ExportError> {
        let content = self.content.as_deref().ok_or(ExportError::NoInitramfs)?;
        Ok(NewText {
            path: self.path.clone(),
            content: content.to_vec(),
            is_new: false,
            why: String::new(),
        })
    }

    fn line(&self) -> String {
        let size = match &self.content {
            Some(content) => format!("rewritten, {}", Bytes(content.len() as u64)),
            None => "made in a throw-away machine".to_owned(),
        };
        format!(
            "{} ({size}): with only the drivers that its disks need",
            text::escape(&self.path)
        )
    }
}

fn link_line(new: &NewLink) -> String {
    format!(
        "{} -> {}: {}",
        text::escape(&new.path),
        text::escape(&new.target),
        new.why
    )
}

impl Removal {
    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .summary
            .iter()
            .take(SUMMARY_LINES)
            .map(|(folder, files, bytes)| {
                format!(
                    "{} ({}, {bytes})",
                    text::escape(folder),
                    counted(*files, "file")
                )
            })
            .collect();
        if let Some(more) = self
            .summary
            .len()
            .checked_sub(SUMMARY_LINES)
            .filter(|&more| more > 0)
        {
            lines.push(format!("and {more} more folders"));
        }
        lines
    }
}

/// A number and its noun.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.heading)?;
        for line in self.details() {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}
