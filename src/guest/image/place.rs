//! Where the files of an image may lie: beside it, or where the user said so.

use super::{host, unusable};
use crate::guest::GuestError;
use std::fs::{File, Metadata};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The folders and files from which an image may take its contents.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// The image that the user named.
    image: PathBuf,
    /// All links followed.
    allowed: Vec<PathBuf>,
}

impl Places {
    /// The folder in which the image's name lies, the folder in which its file lies, and what the user allowed besides.
    pub fn of(image: &Path, allowed: &[PathBuf]) -> Self {
        let real = image.canonicalize().ok();
        let folders = [Some(image), real.as_deref()];
        let folders = folders.into_iter().flatten().filter_map(Path::parent);
        let named = allowed.iter().map(PathBuf::as_path);
        Self {
            image: image.to_owned(),
            allowed: (folders.chain(named))
                .filter_map(|path| path.canonicalize().ok())
                .collect(),
        }
    }

    /// Opens a file that an image names, if it lies in one of the places. What counts is where the opened file lies.
    pub fn open(&self, path: &Path) -> Result<(File, Metadata), GuestError> {
        let (file, facts) = open_regular(path)?;
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());
        let real = std::fs::read_link(link).map_err(|source| host("find", path, source))?;
        if self.allowed.iter().any(|place| real.starts_with(place)) {
            return Ok((file, facts));
        }
        Err(GuestError::Outside {
            image: self.image.clone(),
            file: real,
        })
    }
}

/// Opens a file only if it is a plain one with something in it; never waits for a pipe's other end.
pub(super) fn open_regular(path: &Path) -> Result<(File, Metadata), GuestError> {
    let facts = std::fs::metadata(path).map_err(|source| host("open", path, source))?;
    let kind = facts.file_type();
    let what = match () {
        () if kind.is_dir() => "it is a folder",
        () if kind.is_fifo() => "it is a named pipe",
        () if kind.is_socket() => "it is a socket",
        () if kind.is_char_device() => "it is a character device",
        () if kind.is_block_device() => "it is a block device; copy it to a file first",
        () if facts.len() == 0 => "it is empty",
        () => "",
    };
    if !what.is_empty() {
        return Err(unusable(path, what));
    }
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)
        .map_err(|source| host("open", path, source))?;
    let opened = file
        .metadata()
        .map_err(|source| host("open", path, source))?;
    if !opened.is_file() {
        return Err(unusable(path, "it is no plain file"));
    }
    Ok((file, opened))
}
