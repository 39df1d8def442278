//! Proves an output without a disk, a tar archive or a container image: what can be known of it without starting it.

use super::contents::Reader;
use super::manifest::{Expected, Rewritten, differences};
use super::{NO_PLAN, Report, Rung};
use crate::export::{ExportError, OutputFormat, Step, list};
use crate::guest::Guest;
use crate::job::Job;
use crate::model::text::escape;
use crate::model::{Bytes, FileId, FileKind, FileTree};
use crate::vm::VmError;
use std::io::{self, Read};
use std::path::Path;
use std::time::Instant;

const NO_DISK: &str = "it holds files and no disk";

/// What an archive was made from, and how.
pub struct Against<'a> {
    /// The source's path.
    pub source: &'a Path,
    /// The source, open.
    pub open: Reader<'a>,
    /// The steps that made the archive of it.
    pub steps: &'a [Step],
}

/// Climbs what there is of the ladder.
pub fn verify_archive(
    output: &Path,
    format: OutputFormat,
    source: Option<Against<'_>>,
    job: &Job,
) -> Result<Report, VmError> {
    let started = Instant::now();
    let path = source.as_ref().map(|against| against.source);
    let mut rungs = match source {
        Some(source) => against(output, format, source, job)?,
        None => vec![
            structure(list(output, format, job, &mut |_, _| Ok(())), format)?.0,
            Rung::not_checked("manifest", NO_PLAN),
            Rung::not_checked("contents", NO_PLAN),
        ],
    };
    let missing = ["boot", "units", "package_manager", "checks"];
    rungs.extend(missing.map(|id| Rung::not_checked(id, NO_DISK)));
    let name = |path: &Path| escape(path.as_os_str().as_encoded_bytes()).into_owned();
    Ok(Report {
        guestslim: env!("CARGO_PKG_VERSION"),
        image: name(output),
        against: path.map(name),
        machines: "none",
        rungs,
        lost: super::Lost::default(),
        on_source: None,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn against(
    output: &Path,
    format: OutputFormat,
    source: Against<'_>,
    job: &Job,
) -> Result<Vec<Rung>, VmError> {
    let Against { open, steps, .. } = source;
    let Reader { guest, tree } = open;
    let expected = Expected::of(tree, steps);
    let mut comparison = Comparison {
        guest,
        tree,
        expected: &expected,
        files: 0,
        bytes: 0,
        wrong: Vec::new(),
    };
    let listing = list(output, format, job, &mut |path, contents| {
        job.items("comparing contents", comparison.files, None);
        comparison.compare(path, contents)
    });
    let contents = comparison.rung();
    Ok(match structure(listing, format)? {
        (rung, Some(there)) => vec![rung, manifest(tree, steps, &there), contents],
        (rung, None) => vec![rung],
    })
}

/// The first rung, and the archive's files where it could be read.
fn structure(
    listing: Result<crate::export::Listing, ExportError>,
    format: OutputFormat,
) -> Result<(Rung, Option<FileTree>), VmError> {
    const ID: &str = "container";
    match listing {
        Ok(listing) => {
            let words = format!(
                "{}, {} entries, readable to its end",
                format.name(),
                listing.entries
            );
            Ok((Rung::pass(ID, words), Some(listing.tree)))
        }
        Err(ExportError::Cancelled(cancelled)) => Err(cancelled.into()),
        Err(error) => {
            let why = escape(error.to_string().as_bytes()).into_owned();
            Ok((Rung::fail(ID, "it cannot be read", vec![why]), None))
        }
    }
}

/// What differs from the plan; sockets are not held against an archive, which has none.
fn manifest(tree: &FileTree, steps: &[Step], there: &FileTree) -> Rung {
    const ID: &str = "manifest";
    let sockets: Vec<String> = tree
        .ids()
        .filter(|&file| tree.kind(file) == FileKind::Socket)
        .map(|file| format!("{}: it is missing", escape(&tree.path(file))))
        .collect();
    let mut wrong = differences(tree, steps, there);
    wrong.retain(|line| !sockets.contains(line));
    if wrong.is_empty() {
        return Rung::pass(ID, format!("all {} paths are as planned", there.len()));
    }
    Rung::fail(
        ID,
        format!("{} paths are not as planned", wrong.len()),
        wrong,
    )
}

/// The bytes of an archive's files, held against the source's or against what the steps wrote.
struct Comparison<'a> {
    guest: &'a mut dyn Guest,
    tree: &'a FileTree,
    expected: &'a Expected<'a>,
    files: u64,
    bytes: u64,
    wrong: Vec<String>,
}

impl Comparison<'_> {
    fn compare(&mut self, path: &[u8], contents: &mut dyn Read) -> io::Result<()> {
        let is_same = match (self.expected.rewritten.get(path), self.tree.lookup(path)) {
            (Some(Rewritten::Contents(written)), _) => {
                let mut bytes = Vec::new();
                contents
                    .take(written.len() as u64 + 1)
                    .read_to_end(&mut bytes)?;
                bytes == **written
            }
            (None, Some(origin)) => self.is_same(origin, contents)?,
            // New paths are the manifest's matter.
            _ => return Ok(()),
        };
        self.files += 1;
        if !is_same {
            self.wrong.push(escape(path).into_owned());
        }
        Ok(())
    }

    fn is_same(&mut self, origin: FileId, contents: &mut dyn Read) -> io::Result<bool> {
        const STEP: usize = 1 << 20;
        let mut buffer = vec![0; STEP];
        let mut at = 0;
        loop {
            let mut len = 0;
            while len < STEP {
                match contents.read(&mut buffer[len..])? {
                    0 => break,
                    more => len += more,
                }
            }
            let old = self
                .guest
                .read(self.tree, origin, at, STEP)
                .map_err(io::Error::other)?;
            if old != buffer[..len] {
                return Ok(false);
            }
            at += len as u64;
            self.bytes += len as u64;
            if len < STEP {
                return Ok(true);
            }
        }
    }

    fn rung(self) -> Rung {
        const ID: &str = "contents";
        let (files, bytes) = (self.files, Bytes(self.bytes));
        if self.wrong.is_empty() {
            let words = format!("{files} files ({bytes}) have the bytes that they should");
            return Rung::pass(ID, words);
        }
        let words = format!("{} files have other bytes", self.wrong.len());
        Rung::fail(ID, words, self.wrong)
    }
}
