//! The state of the screen. Nothing here draws, reads or writes; [`update`](super::update::update) changes it.

use super::actions::Place;
use super::desk::{Desk, Overlay};
use super::look::Look;
use super::message::{Effect, JobId, Work};
use super::words;
use crate::job::{Cancel, Progress};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

/// How the screen ends.
#[derive(Debug)]
pub enum Ending {
    /// With this exit code.
    Code(u8),
    /// With an error that the program prints once the terminal is its own again.
    Failed(anyhow::Error),
}

/// Exit code of an interrupted program.
pub const INTERRUPTED: u8 = 130;
/// Exit code of a failure.
const FAILED: u8 = 2;

/// The screen's whole state.
pub struct App {
    /// The image's path, safe to show.
    pub image: String,
    /// Colours or none.
    pub look: Look,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Time since the start; set once a turn.
    pub now: Duration,
    /// What is on the screen.
    pub stage: Stage,
    /// Where the profile came from, if the screen was opened with one.
    pub profile: Option<PathBuf>,
    next_job: u32,
}

/// The three faces of the screen.
pub enum Stage {
    /// The guest is being opened.
    Opening(Running),
    /// It could not be opened.
    Failed(Trouble),
    /// It is open.
    Open(Box<Desk>),
}

/// Work under way, as the screen shows it.
#[derive(Debug)]
pub struct Running {
    /// Reports with another id are late.
    pub job: JobId,
    /// Stops it.
    pub cancel: Cancel,
    /// When it started.
    pub since: Duration,
    /// Steps that are through, in order.
    pub done: Vec<String>,
    /// The last report.
    pub progress: Option<Progress>,
    /// The last lines that a traced command printed.
    pub printed: VecDeque<String>,
}

impl Running {
    /// Takes over a report; a new step's heading pushes the one before to those that are through.
    pub fn advance(&mut self, progress: Progress) {
        if let Some(last) = &self.progress
            && last.step != progress.step
        {
            self.done.push(last.step.clone());
        }
        self.progress = Some(progress);
    }

    /// Takes over what a command printed; only the last lines are kept.
    pub fn print(&mut self, lines: Vec<String>) {
        const LINES: usize = 200;
        self.printed.extend(lines);
        let surplus = self.printed.len().saturating_sub(LINES);
        self.printed.drain(..surplus);
    }

    /// Whether somebody asked it to stop.
    pub fn is_stopping(&self) -> bool {
        self.cancel.is_cancelled()
    }
}

/// An error on the screen; the program reports it once more when the screen is gone, with its exit code.
#[derive(Debug)]
pub struct Trouble {
    /// What a person reads.
    pub lines: Vec<String>,
    error: Option<anyhow::Error>,
}

impl Trouble {
    /// Shows an error.
    pub fn new(error: anyhow::Error) -> Self {
        Self {
            lines: words::trouble(&error),
            error: Some(error),
        }
    }

    /// Ends the screen with this error.
    pub fn ending(&mut self) -> Ending {
        match self.error.take() {
            Some(error) => Ending::Failed(error),
            None => Ending::Code(FAILED),
        }
    }
}

impl App {
    /// A screen that has just been asked to open `image`, and the work that opens it.
    pub fn new(image: String, look: Look, size: (u16, u16)) -> (Self, Effect) {
        let job = JobId(0);
        let cancel = Cancel::default();
        let running = Running {
            job,
            cancel: cancel.clone(),
            since: Duration::ZERO,
            done: Vec::new(),
            progress: None,
            printed: VecDeque::new(),
        };
        let app = Self {
            image,
            look,
            size,
            now: Duration::ZERO,
            stage: Stage::Opening(running),
            profile: None,
            next_job: 1,
        };
        (app, Effect::Start(job, cancel, Work::Open))
    }

    /// A number for a new job, its cancel token, and the effect that starts it.
    pub fn start(&mut self, work: Work) -> (Running, Effect) {
        let job = JobId(self.next_job);
        self.next_job += 1;
        let cancel = Cancel::default();
        let running = Running {
            job,
            cancel: cancel.clone(),
            since: self.now,
            done: Vec::new(),
            progress: None,
            printed: VecDeque::new(),
        };
        (running, Effect::Start(job, cancel, work))
    }

    /// The open guest.
    pub fn desk(&self) -> Option<&Desk> {
        match &self.stage {
            Stage::Open(desk) => Some(desk),
            _ => None,
        }
    }

    /// The open guest, to change.
    pub fn desk_mut(&mut self) -> Option<&mut Desk> {
        match &mut self.stage {
            Stage::Open(desk) => Some(desk),
            _ => None,
        }
    }

    /// Where keys go now.
    pub fn place(&self) -> Place {
        match &self.stage {
            Stage::Opening(_) => Place::Working,
            Stage::Failed(_) => Place::Text,
            Stage::Open(desk) => match &desk.overlay {
                None => Place::List,
                Some(Overlay::Panel(_)) => Place::Panel,
                Some(Overlay::Prompt(_)) => Place::Prompt,
                Some(Overlay::Confirm(_)) => Place::Confirm,
                Some(Overlay::Working { .. }) => Place::Working,
                Some(Overlay::Help(_) | Overlay::Text(_)) => Place::Text,
            },
        }
    }

    /// Whether something moves by itself, so that the screen must be drawn again without a message.
    pub fn is_busy(&self) -> bool {
        self.place() == Place::Working
    }
}
