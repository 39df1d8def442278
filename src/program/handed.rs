//! Files that a program inherits by number instead of opening them by name.

use command_fds::{CommandFdExt, FdMapping};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Command;
use std::sync::Arc;

/// The number of the first handed file: below it lie the standard streams and a socket.
const FIRST: i32 = 10;

/// The number of a listening socket, which systemd's protocol fixes.
const SOCKET: i32 = 3;

/// Files for one program.
#[derive(Debug, Clone, Default)]
pub struct Handed {
    files: Vec<Arc<OwnedFd>>,
    socket: Option<Arc<OwnedFd>>,
}

impl Handed {
    /// Adds a file; the answer is the name by which the program opens it.
    ///
    /// # Errors
    /// When this process has too many files open.
    pub fn add(&mut self, file: &File) -> io::Result<String> {
        let number = FIRST + i32::try_from(self.files.len()).expect("few files");
        self.files.push(Arc::new(file.try_clone()?.into()));
        Ok(format!("/dev/fd/{number}"))
    }

    /// Hands a listening socket over in the way of systemd's socket activation (`sd_listen_fds(3)`): as file 3.
    pub fn listen(&mut self, socket: OwnedFd) {
        self.socket = Some(Arc::new(socket));
    }

    /// Whether there is a socket.
    pub(super) fn has_socket(&self) -> bool {
        self.socket.is_some()
    }

    /// All files but the socket.
    pub(super) fn files(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.files.iter().map(|file| file.as_fd())
    }

    /// Lets `command` inherit the files under their numbers.
    ///
    /// # Errors
    /// When this process has too many files open.
    pub fn give(&self, command: &mut Command) -> io::Result<()> {
        let files = (FIRST..).zip(&self.files);
        let files = files.chain(self.socket.iter().map(|socket| (SOCKET, socket)));
        let mappings: io::Result<Vec<FdMapping>> = files
            .map(|(child_fd, file)| {
                let parent_fd = file.try_clone()?;
                Ok(FdMapping {
                    parent_fd,
                    child_fd,
                })
            })
            .collect();
        command
            .fd_mappings(mappings?)
            .map(drop)
            .map_err(|_| io::Error::other("two files have one number"))
    }
}
