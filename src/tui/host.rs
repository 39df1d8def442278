//! What the screen lets others do: open, save, export. A trait, so that journeys run without a disk image.

use crate::cure::Remedy;
use crate::export::Way;
use crate::job::Job;
use crate::session::{Intent, Loaded, Session};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::message::Export;

/// Does what the screen asks for, on the worker's thread.
pub trait Host {
    /// Opens the guest and computes its first plan.
    fn open(&mut self, job: &Job) -> anyhow::Result<Box<Session>>;

    /// Writes the profile.
    fn save(
        &mut self,
        path: &Path,
        intent: &Intent,
        loaded: &Loaded,
        may_replace: bool,
    ) -> anyhow::Result<Saved>;

    /// Says what an export would do.
    fn outline(&mut self, export: &Export) -> anyhow::Result<Outline>;

    /// Runs a line for the guest's shell in a throw-away machine, or only boots it when there is none; `print` gets what it prints,
    /// line by line and safe to show.
    fn trace(
        &mut self,
        line: &str,
        print: &mut dyn FnMut(Vec<String>),
        job: &Job,
    ) -> anyhow::Result<Traced>;

    /// Exports; returns the report's lines.
    fn export(&mut self, export: &Export, job: &Job) -> anyhow::Result<Vec<String>>;

    /// Verifies the last export against the source.
    fn verify(&mut self, job: &Job) -> anyhow::Result<Verdict>;

    /// Heals the last export, which was verified.
    fn heal(&mut self, may_replace: bool, job: &Job) -> anyhow::Result<Treated>;
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The report's lines.
    pub lines: Vec<String>,
    /// Whether something was checked and does not hold.
    pub is_failed: bool,
    /// Whether something is known that would bring back what was lost.
    pub is_curable: bool,
}

/// How healing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Treated {
    /// There is a file already where the healed profile goes; nothing was done.
    Exists(PathBuf),
    /// It was exported and verified again.
    Done {
        /// What was added to the profile, round by round.
        remedies: Vec<Remedy>,
        /// What the last verification found.
        verdict: Verdict,
    },
}

/// How saving a profile ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It is written.
    Written(PathBuf),
    /// There is a file of this name already.
    Exists(PathBuf),
}

/// What a trace found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    /// The paths, escaped.
    pub evidence: BTreeSet<String>,
    /// Why they are not all, so that nothing may be learned from them.
    pub incomplete: Option<String>,
    /// What was run and how it ended, one sentence.
    pub ended: String,
}

/// What an export would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// The steps' headings, in order.
    pub steps: Vec<String>,
    /// How the image would be made.
    pub way: Way,
    /// The ways that were asked for before this one and do not work for this image, a sentence each.
    pub refused: Vec<String>,
    /// Whether there is a file of this name already.
    pub exists: bool,
}
