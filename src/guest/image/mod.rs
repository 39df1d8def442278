//! A disk image on the host: what format it has, and whether it may be opened at all.
//!
//! Everything here reads the headers itself, before any program of QEMU sees the file: QEMU's own probing would let a
//! raw disk's first sector decide which other files of the host are opened. The format found here is always given to
//! QEMU explicitly. Other files are opened only along a chain of backing files that passes the same checks.

mod chain;
mod magic;
mod qcow2;
mod vmdk;

use super::GuestError;
use crate::model::inventory::Origin;
use magic::Format;
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// An image that passed all checks that need no QEMU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    shown: String,
    path: PathBuf,
    format: Format,
    taken: u64,
    below: Vec<PathBuf>,
}

impl Image {
    /// Looks at the file and at those that it builds on. `format` overrides what its first bytes say.
    pub fn probe(path: &Path, format: Option<&str>) -> Result<Self, GuestError> {
        let absolute = std::path::absolute(path).map_err(|source| host("find", path, source))?;
        let forced = format.map(|name| Format::named(name).ok_or_else(|| unknown_format(name)));
        let (file, facts) = open_regular(&absolute)?;
        let format = match forced {
            Some(format) => format?,
            None => magic::probe(&file).map_err(|source| host("read", path, source))?,
        };
        let below = chain::check(&absolute, format)?;
        Ok(Self {
            below,
            shown: path.display().to_string(),
            path: absolute,
            format,
            taken: facts.blocks().saturating_mul(512),
        })
    }

    /// The file, absolute; symlinks as given, since relative backing files start from its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The backing files that it builds on, the nearest first.
    pub fn below(&self) -> &[PathBuf] {
        &self.below
    }

    /// The format's name, as QEMU takes it.
    pub fn format(&self) -> &'static str {
        self.format.name()
    }

    /// Where the facts come from, read by `backend` from a virtual disk of `virtual_size` bytes.
    pub fn origin(&self, backend: &str, virtual_size: u64) -> Origin {
        Origin {
            image: self.shown.clone(),
            format: self.format().to_owned(),
            virtual_size,
            file_size: self.taken,
            backend: backend.to_owned(),
            ..Origin::default()
        }
    }
}

fn unknown_format(name: &str) -> GuestError {
    GuestError::Unsupported {
        what: format!(
            "no image format \"{}\"",
            crate::model::text::escape(name.as_bytes())
        ),
        hint: format!("the formats are {}", magic::NAMES),
    }
}

/// Opens a file only if it is a plain one with something in it; never waits for a pipe's other end.
fn open_regular(path: &Path) -> Result<(File, Metadata), GuestError> {
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

fn host(operation: &'static str, path: &Path, source: std::io::Error) -> GuestError {
    GuestError::Host {
        operation,
        path: path.to_owned(),
        source,
    }
}

fn unusable(path: &Path, why: impl Into<String>) -> GuestError {
    GuestError::Image {
        path: path.to_owned(),
        why: why.into(),
    }
}
