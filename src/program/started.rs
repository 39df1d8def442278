//! Starts a program and ends it with this process.

use super::confine::{Folders, Layers, confine};
use super::handed::Handed;
use crossbeam_channel::{Sender, bounded};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

/// Folders where a system administrator's programs lie, which an ordinary user's path may lack.
const ADMIN: [&str; 2] = ["/usr/sbin", "/sbin"];

/// A program to start.
#[derive(Debug, Clone)]
pub struct Program {
    name: &'static str,
    arguments: Vec<OsString>,
    handed: Handed,
    folders: Vec<PathBuf>,
    readable: Vec<PathBuf>,
}

/// A program that runs. It is killed when this is dropped, and by the kernel when this process dies, however that dies.
#[derive(Debug)]
pub struct Started {
    /// The process.
    pub child: Child,
    /// What confines it.
    pub layers: Layers,
    /// Keeps the thread alive that started it: the kernel kills the program when that thread ends.
    _thread: Sender<()>,
}

impl Program {
    /// The program of this name, looked for on the host's path.
    pub fn new<A: Into<OsString>>(
        name: &'static str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            name,
            arguments: arguments.into_iter().map(Into::into).collect(),
            handed: Handed::default(),
            folders: Vec::new(),
            readable: Vec::new(),
        }
    }

    /// Hands it files that were opened before.
    #[must_use]
    pub fn with_files(self, handed: Handed) -> Self {
        Self { handed, ..self }
    }

    /// Lets it make, change and remove files in a folder.
    #[must_use]
    pub fn with_folder(mut self, folder: &Path) -> Self {
        self.folders.push(folder.to_owned());
        self
    }

    /// Lets it read all files in a folder.
    #[must_use]
    pub fn with_reading(mut self, folder: &Path) -> Self {
        self.readable.push(folder.to_owned());
        self
    }

    /// Starts it with its output on pipes, in a process group of its own: Ctrl-C in a terminal goes to a whole group, and
    /// what it means is for this program to say.
    ///
    /// # Errors
    /// When it is not there ([`io::ErrorKind::NotFound`]) or cannot be started.
    pub fn start(&self) -> io::Result<Started> {
        let path = find(self.name).ok_or(io::ErrorKind::NotFound)?;
        let (send, receive) = bounded(1);
        let (alive, ended) = bounded::<()>(0);
        let program = self.clone();
        thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(move || {
                let _ = send.send(program.start_here(&path));
                // Until the other end is dropped.
                let _ = ended.recv();
            })?;
        let (child, layers) = receive.recv().map_err(io::Error::other)??;
        Ok(Started {
            child,
            layers,
            _thread: alive,
        })
    }

    /// Confines this thread and starts the program from it.
    fn start_here(&self, path: &Path) -> io::Result<(Child, Layers)> {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(setpriv) = find("setpriv") {
            words.push(setpriv.into());
            words.extend(["--pdeathsig", "KILL", "--"].map(OsString::from));
        }
        if self.handed.has_socket() {
            // The number of the process that shall listen is known only inside it.
            let listen = "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"";
            words.extend(["/bin/sh", "-c", listen, "sh"].map(OsString::from));
        }
        words.push(path.as_os_str().to_owned());
        words.extend_from_slice(&self.arguments);
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let files: Vec<_> = self.handed.files().collect();
        let folders = Folders {
            written: &self.folders,
            read: &self.readable,
        };
        let layers = confine(path, &files, folders);
        self.handed.give(&mut command)?;
        Ok((command.spawn()?, layers))
    }
}

impl Started {
    /// Waits for its end and takes what it printed.
    ///
    /// # Errors
    /// When its output cannot be read.
    pub fn output(mut self) -> io::Result<Output> {
        let mut error = self.child.stderr.take();
        let errors = thread::spawn(move || {
            let mut said = Vec::new();
            error.as_mut().map(|pipe| pipe.read_to_end(&mut said));
            said
        });
        let mut stdout = Vec::new();
        if let Some(mut pipe) = self.child.stdout.take() {
            pipe.read_to_end(&mut stdout)?;
        }
        Ok(Output {
            status: self.child.wait()?,
            stdout,
            stderr: errors.join().unwrap_or_default(),
        })
    }
}

/// Whether there is a program of this name.
pub fn is_installed(name: &str) -> bool {
    find(name).is_some()
}

/// A program's path, its links followed.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(OsStr::new(&path)).chain(ADMIN.map(PathBuf::from));
    let mut places = folders.map(|folder| folder.join(name));
    places.find(|place| place.is_file())?.canonicalize().ok()
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests;
