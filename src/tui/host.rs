//! What the screen lets others do: open, save, export. A trait, so that journeys run without a disk image.

use crate::export::Way;
use crate::job::Job;
use crate::session::{Intent, Loaded, Session};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::message::Export;

/// Does what the screen asks for, on the worker's thread.
pub trait Host: Send {
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
