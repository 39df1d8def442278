//! Guards an export: a full disk would stop the appliance for good, and a cancel must reach it.

use super::error::ExportError;
use super::place::Place;
use crate::job::{Cancel, Job};
use crate::model::Bytes;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// With less than this left, QEMU would soon stop the appliance for good; it is ended first.
const LAST_BYTES: Bytes = Bytes(4 << 20);
/// How often the guard looks.
const LOOK: Duration = Duration::from_millis(100);

/// Watches over the appliance: a full disk would stop it for good, and a cancel must reach it.
pub(super) struct Guard<'a> {
    place: &'a Place,
    outer: &'a Job,
    cancel: Cancel,
    done: AtomicBool,
    is_full: AtomicBool,
}

impl<'a> Guard<'a> {
    /// A guard that raises `cancel`.
    pub fn new(place: &'a Place, outer: &'a Job, cancel: Cancel) -> Self {
        Self {
            place,
            outer,
            cancel,
            done: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
        }
    }

    /// What ends the watch, and whatever work is still under way, when it is dropped: after a panic, too, or the thread
    /// that watches would be waited for without end.
    pub fn until_dropped(&self) -> Ending<'_> {
        Ending {
            cancel: &self.cancel,
            done: &self.done,
        }
    }

    /// Watches until the end.
    pub fn watch(&self) {
        while !self.done.load(Ordering::SeqCst) {
            if self.outer.check().is_err() {
                self.cancel.cancel();
            } else if self.place.free().is_ok_and(|free| free < LAST_BYTES) {
                self.is_full.store(true, Ordering::SeqCst);
                self.cancel.cancel();
            }
            thread::sleep(LOOK);
        }
    }

    /// A cancel that nobody asked for comes from a full disk, and so does a write that finds no room.
    pub fn explain(&self, error: ExportError) -> ExportError {
        let stopped = error.is_cancelled() && self.is_full.load(Ordering::SeqCst);
        let failed = matches!(&error, ExportError::Host { source, .. } if source.kind() == ErrorKind::StorageFull);
        if failed || stopped && self.outer.check().is_ok() {
            let folder = self.place.folder.clone();
            return ExportError::Full(folder);
        }
        error
    }
}

/// Ends a watch when it is dropped.
pub(super) struct Ending<'a> {
    cancel: &'a Cancel,
    done: &'a AtomicBool,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.done.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_panic_ends_the_watch() {
        let folder = tempfile::tempdir().expect("the host has a temporary folder");
        let source = folder.path().join("source.img");
        std::fs::write(&source, b"disk").expect("a temporary folder takes files");
        let output = folder.path().join("out");
        let place = Place::choose(&source, &output, &[], false).expect("nothing is there");
        let (job, cancel) = (Job::quiet(), Cancel::default());
        let guard = Guard::new(&place, &job, cancel.clone());
        let watched = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                scope.spawn(|| guard.watch());
                let _ending = guard.until_dropped();
                panic!("a step's own mistake");
            });
        }));
        assert!(watched.is_err());
        assert!(Job::quiet().with_cancel(cancel).check().is_err());
    }
}
