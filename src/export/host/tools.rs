//! e2fsprogs on a file of plain bytes. The programs get the opened file and nothing else, and are confined.

use crate::export::error::ExportError;
use crate::export::program::{Answer, Call, one_line};
use crate::guest::ExtPlace;
use crate::job::Job;
use crate::program::Handed;
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use std::fs::File;
use std::io::{self, Write};

/// Its name is needed in several places.
const RESIZE: &str = "resize2fs";

/// The programs that an export without the appliance needs.
pub(super) const PROGRAMS: [&str; 3] = ["e2fsck", "debugfs", RESIZE];

/// A file system in a file of plain bytes.
pub(super) struct System<'a> {
    /// The disk.
    pub disk: &'a File,
    /// Where it lies on the disk.
    pub place: &'a ExtPlace,
    /// Who may cancel.
    pub job: &'a Job,
}

impl System<'_> {
    /// Checks and repairs what can be repaired without asking; what it says and how it ended.
    pub fn repair(&self) -> Result<Answer, ExportError> {
        self.run("e2fsck", "repair the file system", &["-f", "-p"], &[])
    }

    /// Checks without changing anything.
    pub fn check(&self) -> Result<Answer, ExportError> {
        self.run("e2fsck", "check the file system", &["-f", "-n"], &[])
    }

    /// Says how small the file system can become, in blocks.
    pub fn least(&self) -> Result<Answer, ExportError> {
        self.run(RESIZE, "measure the file system", &["-P"], &[])
    }

    /// Makes the file system smaller.
    pub fn resize(&self, size: u64) -> Result<(), ExportError> {
        let size = format!("{}K", size / 1024);
        let answer = self.run(RESIZE, "shrink the file system", &[], &[&size])?;
        if answer.status.success() {
            return Ok(());
        }
        Err(ExportError::Program {
            program: RESIZE,
            operation: "shrink the file system",
            why: one_line(&answer.complaint),
        })
    }

    fn run(
        &self,
        program: &'static str,
        operation: &'static str,
        before: &[&str],
        after: &[&str],
    ) -> Result<Answer, ExportError> {
        let mut handed = Handed::default();
        let device = self.device(&mut handed)?;
        let words = (before.iter().copied())
            .chain([&*device])
            .chain(after.iter().copied());
        let mut call = Call::new(program, operation, words).with_files(handed);
        if program == RESIZE {
            // It refuses to work where it cannot see what is mounted (`/proc/mounts`).
            call = call.with_reading("/proc".as_ref());
        }
        call.answer(self.job, |_| ())
    }

    /// Runs commands of debugfs(8), one a line; what it printed.
    pub fn edit(&self, script: &Script) -> Result<Vec<u8>, ExportError> {
        let mut handed = Handed::default();
        let device = self.device(&mut handed)?;
        let mut names = Vec::new();
        for content in &script.contents {
            let file = in_memory(content).map_err(unmade)?;
            names.push(handed.add(&file).map_err(unmade)?);
        }
        let mut text = Vec::new();
        for line in &script.lines {
            match *line {
                Line::Plain(ref line) => text.extend_from_slice(line),
                Line::Write(content, ref path) => {
                    text.extend_from_slice(format!("write {} ", names[content]).as_bytes());
                    text.extend_from_slice(path);
                }
            }
            text.push(b'\n');
        }
        let commands = handed
            .add(&in_memory(&text).map_err(unmade)?)
            .map_err(unmade)?;
        let mode: &[&str] = if script.is_reading { &[] } else { &["-w"] };
        let words = mode.iter().copied().chain(["-f", &commands, &device]);
        Call::new("debugfs", "edit the file system", words)
            .with_files(handed)
            .run(self.job)
    }

    /// The file system's name for e2fsprogs.
    fn device(&self, handed: &mut Handed) -> Result<String, ExportError> {
        let name = handed.add(self.disk).map_err(unmade)?;
        Ok(format!("{name}?offset={}", self.place.start))
    }
}

fn unmade(source: io::Error) -> ExportError {
    ExportError::host("hand over", "the disk's copy".as_ref())(source)
}

/// A file without a name that everybody may read; a copy of it gets the same mode.
fn in_memory(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("content", MemfdFlags::CLOEXEC)?);
    fchmod(&file, Mode::from_raw_mode(0o644))?;
    file.write_all(content)?;
    Ok(file)
}

/// Commands for debugfs.
#[derive(Debug, Default)]
pub(super) struct Script {
    lines: Vec<Line>,
    contents: Vec<Vec<u8>>,
    is_reading: bool,
}

#[derive(Debug)]
enum Line {
    Plain(Vec<u8>),
    /// A file with the content of this number, at this path.
    Write(usize, Vec<u8>),
}

impl Script {
    /// Commands that change nothing.
    pub fn reading() -> Self {
        Self {
            is_reading: true,
            ..Self::default()
        }
    }

    /// A command with words and paths; paths are quoted.
    pub fn add(&mut self, words: &[Word<'_>]) -> Result<(), Odd> {
        let mut line = Vec::new();
        for word in words {
            if !line.is_empty() {
                line.push(b' ');
            }
            match word {
                Word::Plain(text) => line.extend_from_slice(text.as_bytes()),
                Word::Path(path) => line.extend(quoted(path)?),
            }
        }
        self.lines.push(Line::Plain(line));
        Ok(())
    }

    /// A new file of this content.
    pub fn write(&mut self, path: &[u8], content: &[u8]) -> Result<(), Odd> {
        self.lines
            .push(Line::Write(self.contents.len(), quoted(path)?));
        self.contents.push(content.to_vec());
        Ok(())
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

/// A word of a command.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word<'a> {
    /// As it is.
    Plain(&'a str),
    /// A name of the guest.
    Path(&'a [u8]),
}

/// A name that cannot stand in a line of debugfs.
#[derive(Debug)]
pub(super) struct Odd;

/// The path as one word. Lines end at newlines, and a quotation mark cannot be escaped in all versions.
fn quoted(path: &[u8]) -> Result<Vec<u8>, Odd> {
    let is_odd = |byte: &u8| byte.is_ascii_control() || matches!(byte, b'"' | b'\\');
    if path.iter().any(is_odd) {
        return Err(Odd);
    }
    Ok([b"\"", path, b"\""].concat())
}
