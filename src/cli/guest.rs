//! Opening a guest the way all commands do.

use super::args::OpenArgs;
use super::interrupt::cancel_on_signals;
use super::progress::Line;
use crate::guest;
use crate::job::{Cancel, Cancelled, Job};
use crate::load::{self, Loaded};
use crate::plan::Intent;
use crate::profile::Profile;
use crate::session::Session;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Between two looks at the cancel flag.
const LOOK: Duration = Duration::from_millis(50);

/// Work that shows its progress and stops on a signal.
pub struct Opening {
    line: Line,
    cancel: Cancel,
}

impl Opening {
    /// Takes over the signals.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            line: Line::new(),
            cancel: cancel_on_signals()?,
        })
    }

    /// The job to pass on.
    pub fn job(&self) -> Job {
        self.line.job().with_cancel(self.cancel.clone())
    }

    /// Opens and loads a guest.
    pub fn load(&self, image: &Path, open: &OpenArgs) -> anyhow::Result<Loaded> {
        let job = self.job();
        let mut guest = guest::open(image, &open.options(), &job)?;
        Ok(load::load(guest.as_mut(), &job)?)
    }

    /// Opens a guest under a profile, or under none.
    pub fn session(
        &self,
        image: &Path,
        open: &OpenArgs,
        profile: Option<&Profile>,
    ) -> anyhow::Result<Session> {
        let intent = profile.map_or_else(Intent::default, Profile::intent);
        let loaded = Arc::new(self.load(image, open)?);
        self.work_out(move || Session::new(loaded, intent))
    }

    /// Works out what looks at no cancel flag, on a thread of its own: a signal does not wait for it.
    fn work_out<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let (done, result) = mpsc::channel();
        std::thread::spawn(move || {
            // Nobody waits any more after a signal.
            let _ = done.send(work());
        });
        loop {
            match result.recv_timeout(LOOK) {
                Ok(worked_out) => return Ok(worked_out),
                Err(RecvTimeoutError::Timeout) if self.cancel.is_cancelled() => {
                    return Err(Cancelled.into());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the work panicked"),
            }
        }
    }
}

/// Reads a profile, where one is given; before the guest is opened, because it is quicker.
pub fn read_profile(path: Option<&Path>) -> anyhow::Result<Option<Profile>> {
    Ok(path.map(Profile::read).transpose()?)
}
