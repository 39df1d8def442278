//! Bounds a call into the library: on a cancel, or when the time is over, the appliance's processes are killed.
//!
//! The library locks its handle while a call runs, so another thread cannot ask it for a process id; the kernel knows
//! which processes the calling thread has started. A killed appliance makes the blocked call return with an error.

use crate::job::Job;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often the watching thread looks.
const TICK: Duration = Duration::from_millis(100);

/// How a watched call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// By itself.
    Itself,
    /// Killed because the time was over.
    TimeOver,
    /// Killed because the job was cancelled.
    Cancelled,
}

/// Runs `call`, killing the emulators that this thread started when `job` is cancelled or when `limit` has passed
/// since an emulator was first seen (what comes before, such as building the appliance, is not counted).
pub(super) fn watched<T>(
    job: &Job,
    limit: Option<Duration>,
    call: impl FnOnce() -> T,
) -> (T, Ending) {
    let thread = fs::read_link("/proc/thread-self").unwrap_or_default();
    let (done, wait) = channel::<()>();
    std::thread::scope(|scope| {
        let watch = scope.spawn(move || watch(&thread, job, limit, &wait));
        let value = call();
        drop(done);
        let ending = watch
            .join()
            .expect("the watching thread only reads /proc and kills");
        (value, ending)
    })
}

fn watch(thread: &Path, job: &Job, limit: Option<Duration>, wait: &Receiver<()>) -> Ending {
    let mut ending = Ending::Itself;
    let mut started = None;
    while wait.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        let emulators = emulators_of(thread);
        if started.is_none() && !emulators.is_empty() {
            started = Some(Instant::now());
        }
        if job.check().is_err() {
            ending = Ending::Cancelled;
        } else if limit
            .zip(started)
            .is_some_and(|(limit, at)| at.elapsed() > limit)
        {
            ending = Ending::TimeOver;
        }
        if ending != Ending::Itself {
            // Again at each tick: the library may be about to start the next one.
            kill_all(&emulators);
        }
    }
    ending
}

fn kill_all(processes: &[Pid]) {
    for &process in processes {
        let _ = kill_process(process, Signal::KILL);
    }
}

/// The QEMU processes that a thread (`PID/task/TID`) has started and not yet waited for.
fn emulators_of(thread: &Path) -> Vec<Pid> {
    let list = Path::new("/proc").join(thread).join("children");
    let children = fs::read_to_string(list).unwrap_or_default();
    children
        .split_ascii_whitespace()
        .filter(|child| {
            fs::read_to_string(format!("/proc/{child}/comm"))
                .is_ok_and(|name| name.starts_with("qemu-system") || name.starts_with("qemu-kvm"))
        })
        .filter_map(|child| Pid::from_raw(child.parse().ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_returns_is_left_alone() {
        let job = Job::quiet();
        assert_eq!(
            watched(&job, Some(Duration::ZERO), || 7),
            (7, Ending::Itself)
        );
    }

    #[test]
    fn an_emulator_that_never_answers_is_killed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = folder.path().join("qemu-system-fake");
        fs::copy("/bin/sleep", &program).expect("coreutils are here");
        let run = || {
            std::process::Command::new(&program)
                .arg("600")
                .status()
                .expect("it starts")
        };
        let (status, ending) = watched(&Job::quiet(), Some(Duration::from_millis(1)), run);
        assert!(!status.success());
        assert_eq!(ending, Ending::TimeOver);

        let job = Job::quiet();
        job.cancel().cancel();
        let (status, ending) = watched(&job, None, run);
        assert!(!status.success());
        assert_eq!(ending, Ending::Cancelled);
    }
}
