//! Progress and cancel for work that takes longer than a blink; the one thing that all rooms share.

use crate::fault::{Explain, Kind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that anyone may raise and the work looks at often.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    own: Arc<AtomicBool>,
    /// Raised for a larger work, of which this one is a part.
    whole: Option<Arc<Self>>,
}

impl Cancel {
    /// Asks the work to stop at its next look.
    pub fn cancel(&self) {
        self.own.store(true, Ordering::SeqCst);
    }

    /// The flag itself, for a signal handler to raise.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.own)
    }

    /// The flag of a part of this work, which can be stopped alone and stops with the whole.
    #[must_use]
    pub fn part(&self) -> Self {
        Self {
            own: Arc::default(),
            whole: Some(Arc::new(self.clone())),
        }
    }

    /// Tells whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        let whole = self.whole.as_ref();
        self.own.load(Ordering::SeqCst) || whole.is_some_and(|whole| whole.is_cancelled())
    }
}

/// The work was asked to stop and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Cancelled;

impl Explain for Cancelled {
    fn kind(&self) -> Kind {
        Kind::Cancelled
    }
}

/// What a progress figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Files, packages, steps.
    Items,
    /// Bytes.
    Bytes,
}

/// One report of work under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The step's heading, in the present participle ("reading files").
    pub step: String,
    /// How much is done.
    pub done: u64,
    /// How much there is, when that is known.
    pub total: Option<u64>,
    /// What `done` and `total` count.
    pub unit: Unit,
}

type Sink = Box<dyn Fn(Progress) + Send + Sync>;

/// One piece of work: where its progress goes and how it is cancelled.
pub struct Job {
    cancel: Cancel,
    sink: Option<Sink>,
}

impl Job {
    /// Makes a job that reports to `sink`.
    pub fn new(sink: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self {
            cancel: Cancel::default(),
            sink: Some(Box::new(sink)),
        }
    }

    /// Makes a job that nobody watches.
    pub fn quiet() -> Self {
        Self {
            cancel: Cancel::default(),
            sink: None,
        }
    }

    /// Uses `cancel` instead of the job's own flag.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// A handle that cancels this job.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Reports that `done` of `total` items of `step` are through.
    pub fn items(&self, step: &str, done: u64, total: Option<u64>) {
        self.report(step, done, total, Unit::Items);
    }

    /// Reports that `done` of `total` bytes of `step` are through.
    pub fn bytes(&self, step: &str, done: u64, total: Option<u64>) {
        self.report(step, done, total, Unit::Bytes);
    }

    /// Fails when the job was cancelled; call it in every loop.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.cancel.is_cancelled() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }

    fn report(&self, step: &str, done: u64, total: Option<u64>, unit: Unit) {
        if let Some(sink) = &self.sink {
            sink(Progress {
                step: step.to_owned(),
                done,
                total,
                unit,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cancel;

    #[test]
    fn a_part_stops_alone_or_with_the_whole() {
        let whole = Cancel::default();
        let (one, other) = (whole.part(), whole.part().part());
        one.cancel();
        assert!(one.is_cancelled() && !other.is_cancelled() && !whole.is_cancelled());
        whole.cancel();
        assert!(other.is_cancelled());
    }
}
