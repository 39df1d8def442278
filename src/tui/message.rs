//! What comes to the screen and what it asks for: the two sides of [`update`](super::update::update).

use super::app::Ending;
use super::host::{Outline, Saved, Traced, Treated, Verdict};
use super::keys::Key;
use crate::export;
use crate::job::{Cancel, Progress};
use crate::model::{Bytes, Node};
use crate::session::{Intent, Loaded, Offers, Session, Way};
use std::path::PathBuf;
use std::sync::Arc;

/// One piece of background work; a report with an old id comes too late and is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobId(pub u32);

/// Something that happened.
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// Somebody asked the whole program to stop (SIGTERM, SIGHUP).
    Terminate,
    /// The worker's thread is gone: a defect of the program.
    WorkerLost,
    /// The worker reports.
    Report(JobId, Report),
}

/// What the worker reports.
pub enum Report {
    /// Work goes on.
    Progress(Progress),
    /// The guest is open.
    Opened(anyhow::Result<Box<Session>>),
    /// The profile was saved, or not.
    Saved(anyhow::Result<Saved>),
    /// An export would do this.
    Outlined(anyhow::Result<(Export, Outline)>),
    /// Lines that a traced command printed, safe to show.
    Printed(Vec<String>),
    /// A trace ended.
    Traced(anyhow::Result<Traced>),
    /// The export ended: the output, and lines to read.
    Exported(anyhow::Result<(PathBuf, Vec<String>)>),
    /// The verification of the last export ended.
    Verified(anyhow::Result<Verdict>),
    /// Healing the last export ended.
    Healed(anyhow::Result<Treated>),
    /// What each intent that was asked about would leave on disk.
    Priced(Vec<Bytes>),
    /// What could still go.
    Suggested(Offers),
    /// What would bring a thing back.
    WaysBack(Vec<Way>),
}

/// Something that `update` wants done.
pub enum Effect {
    /// Give this to the worker.
    Start(JobId, Cancel, Work),
    /// Leave the screen.
    Quit(Ending),
}

/// Work for the worker.
pub enum Work {
    /// Open the guest.
    Open,
    /// Write the profile.
    Save {
        /// Where to.
        path: PathBuf,
        /// What it says.
        intent: Intent,
        /// The guest it was made on.
        loaded: Arc<Loaded>,
        /// Whether a file that is there may be replaced.
        may_replace: bool,
    },
    /// Say what an export would do.
    Outline(Export),
    /// Export.
    Export(Export),
    /// Verify the last export.
    Verify,
    /// Add what brings back what the last export lost, export and verify again.
    Heal {
        /// Whether a healed profile that is there may be replaced.
        may_replace: bool,
    },
    /// Run a line for the guest's shell, or nothing, in a throw-away machine and record what is touched.
    Trace(String),
    /// Compute what each intent would leave.
    Price {
        /// The guest.
        loaded: Arc<Loaded>,
        /// The intents.
        intents: Vec<Intent>,
    },
    /// Weigh what would bring a thing back.
    Ways {
        /// The guest.
        loaded: Arc<Loaded>,
        /// The marks and rules so far.
        intent: Intent,
        /// The thing.
        node: Node,
    },
    /// Weigh what could still go.
    Suggest {
        /// The guest.
        loaded: Arc<Loaded>,
        /// The marks and rules so far.
        intent: Intent,
    },
}

/// An export as the person asked for it.
#[derive(Clone)]
pub struct Export {
    /// Where to.
    pub output: PathBuf,
    /// What the person wants.
    pub intent: Intent,
    /// How it is made; without it, as the profile says.
    pub way: Option<export::Way>,
    /// Whether a file that is there may be replaced.
    pub may_replace: bool,
}
