//! Runs one of the host's programs to its end: confined, with progress, and cancellable.

use super::error::ExportError;
use crate::job::{Cancelled, Job};
use crate::model::text;
use crate::program::{Handed, Program, Started};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

/// How much of what a program says is kept.
const KEPT_BYTES: usize = 64 * 1024;
/// How often a running program looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(100);

/// One call of a program.
#[derive(Debug)]
pub(super) struct Call {
    /// Its name, looked up on the host's path.
    pub program: &'static str,
    /// What it is asked for, for the error: `convert the image`.
    pub operation: &'static str,
    /// What is started.
    start: Program,
}

/// What a program answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// How it ended.
    pub status: ExitStatus,
    /// The last bytes of its standard output.
    pub output: Vec<u8>,
    /// The last bytes of its standard error.
    pub complaint: Vec<u8>,
}

impl Call {
    /// A call of `program` with these arguments.
    pub fn new<A: Into<OsString>>(
        program: &'static str,
        operation: &'static str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            program,
            operation,
            start: Program::new(program, arguments),
        }
    }

    /// Hands it files that were opened before.
    #[must_use]
    pub fn with_files(self, handed: Handed) -> Self {
        Self {
            start: self.start.with_files(handed),
            ..self
        }
    }

    /// Lets it read all files in a folder.
    #[must_use]
    pub fn with_reading(self, folder: &Path) -> Self {
        Self {
            start: self.start.with_reading(folder),
            ..self
        }
    }

    /// Lets it write in a folder.
    #[must_use]
    pub fn with_folder(self, folder: &Path) -> Self {
        Self {
            start: self.start.with_folder(folder),
            ..self
        }
    }

    /// Runs it to its end; `heard` sees every piece of its standard output.
    ///
    /// # Errors
    /// When it cannot be started or the job was cancelled; how it ended is for the caller to judge.
    pub fn answer(&self, job: &Job, mut heard: impl FnMut(&[u8])) -> Result<Answer, ExportError> {
        job.check()?;
        let mut started = self.start()?;
        let child = &mut started.child;
        let (sender, pieces) = bounded(16);
        let complaint = child
            .stderr
            .take()
            .map(|pipe| thread::spawn(move || tail(pipe)));
        let speaker = child
            .stdout
            .take()
            .map(|pipe| thread::spawn(move || pass_on(pipe, &sender)));
        let mut output = Vec::new();
        let listened = listen(&pieces, job, |piece| {
            heard(piece);
            keep(&mut output, piece);
        });
        if listened.is_err() {
            // It may be gone already, which is what is wanted.
            let _ = child.kill();
        }
        let status = child
            .wait()
            .map_err(|error| self.failure(&error.to_string()))?;
        drop(pieces);
        drop(speaker.map(thread::JoinHandle::join));
        listened?;
        let complaint = complaint
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default();
        Ok(Answer {
            status,
            output,
            complaint,
        })
    }

    /// Runs it and wants success.
    pub fn run(&self, job: &Job) -> Result<Vec<u8>, ExportError> {
        self.run_heard(job, |_| ())
    }

    /// Runs it with an ear on its standard output and wants success.
    pub fn run_heard(&self, job: &Job, heard: impl FnMut(&[u8])) -> Result<Vec<u8>, ExportError> {
        let answer = self.answer(job, heard)?;
        if answer.status.success() {
            return Ok(answer.output);
        }
        Err(self.failure(&answer.complaint_text()))
    }

    /// The typed error of this call.
    pub fn failure(&self, why: &str) -> ExportError {
        ExportError::Program {
            program: self.program,
            operation: self.operation,
            why: why.to_owned(),
        }
    }

    fn start(&self) -> Result<Started, ExportError> {
        self.start.start().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ExportError::Missing(self.program),
            _ => self.failure(&error.to_string()),
        })
    }
}

impl Answer {
    /// What it complained about, one safe line.
    pub fn complaint_text(&self) -> String {
        let said = if self.complaint.trim_ascii().is_empty() {
            &self.output
        } else {
            &self.complaint
        };
        match one_line(said) {
            line if line.is_empty() => self.status.to_string(),
            line => line,
        }
    }
}

/// The last lines of what a program said as one safe line.
pub(super) fn one_line(said: &[u8]) -> String {
    let lines: Vec<&[u8]> = said
        .split(|&byte| byte == b'\n' || byte == b'\r')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(4)..];
    text::escape(&last.join(&b"; "[..])).into_owned()
}

fn listen(
    pieces: &Receiver<Vec<u8>>,
    job: &Job,
    mut heard: impl FnMut(&[u8]),
) -> Result<(), Cancelled> {
    loop {
        job.check()?;
        match pieces.recv_timeout(LOOK) {
            Ok(piece) => heard(&piece),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

fn pass_on(mut pipe: impl Read, pieces: &Sender<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = pipe.read(&mut buffer) {
        if pieces.send(buffer[..len].to_vec()).is_err() {
            return;
        }
    }
}

fn tail(mut pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(len @ 1..) = pipe.read(&mut buffer) {
        keep(&mut kept, &buffer[..len]);
    }
    kept
}

fn keep(kept: &mut Vec<u8>, piece: &[u8]) {
    kept.extend_from_slice(piece);
    if kept.len() > 2 * KEPT_BYTES {
        kept.drain(..kept.len() - KEPT_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_quoted_safely() {
        let call = Call::new(
            "sh",
            "try",
            ["-c", "printf 'bad \\033[31m news\\n' >&2; exit 3"],
        );
        let error = call.run(&Job::quiet()).expect_err("it exits with 3");
        assert_eq!(error.to_string(), "sh cannot try: bad \\x1b[31m news");
        let silent = Call::new("sh", "try", ["-c", "exit 3"]).run(&Job::quiet());
        assert_eq!(
            silent.expect_err("fails").to_string(),
            "sh cannot try: exit status: 3"
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Call::new("qemu-img-of-no-host", "try", [""; 0])
            .run(&Job::quiet())
            .expect_err("not there");
        assert!(error.to_string().contains("qemu-img-of-no-host"), "{error}");
    }

    #[test]
    fn a_cancelled_program_is_ended() {
        let job = Job::quiet();
        let cancel = job.cancel();
        let call = Call::new("sh", "wait", ["-c", "echo started; exec cat /dev/zero"]);
        let error = call
            .run_heard(&job, |_| cancel.cancel())
            .expect_err("cancelled");
        assert!(error.is_cancelled());
    }

    #[test]
    fn what_is_kept_of_endless_output_is_bounded() {
        let mut kept = Vec::new();
        for _ in 0..100 {
            keep(&mut kept, &[b'x'; 4096]);
        }
        assert!(kept.len() <= 2 * KEPT_BYTES);
    }
}
