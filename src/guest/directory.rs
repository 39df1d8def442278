//! A guest that is a folder of the host: an unpacked root, a mounted one, a container's.
//!
//! Symlinks are never followed, by no part of a path: the walk does not, and a file is opened part by part with
//! `O_NOFOLLOW`, so nothing outside the folder is ever read.

use super::mode::kind_of;
use super::{Disk, Guest, GuestError, MAX_FILES, MAX_READ};
use crate::job::Job;
use crate::model::inventory::Origin;
use crate::model::text::escape;
use crate::model::{Entry, FileId, FileKind, FileSystem, FileTree, Mount, TreeBuilder, Warning};
use rustix::fs::{Mode, OFlags};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// A folder as a guest.
pub(super) struct Directory {
    root: PathBuf,
    disk: Disk,
}

impl Directory {
    /// Opens the folder.
    pub fn open(path: &Path) -> Result<Self, GuestError> {
        let host = |source| GuestError::Host {
            operation: "open",
            path: path.to_owned(),
            source,
        };
        let root = path.canonicalize().map_err(host)?;
        std::fs::read_dir(&root).map_err(host)?;
        let disk = Disk {
            origin: Origin {
                image: path.display().to_string(),
                format: "directory".to_owned(),
                backend: "directory".to_owned(),
                ..Origin::default()
            },
            mounts: vec![Mount {
                at: b"/".to_vec(),
                file_system: FileSystem {
                    device: path.display().to_string(),
                    kind: "directory".to_owned(),
                    ..FileSystem::default()
                },
                is_read: true,
            }],
        };
        Ok(Self { root, disk })
    }
}

impl Guest for Directory {
    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn walk(&mut self, job: &Job) -> Result<(FileTree, Vec<Warning>), GuestError> {
        let mut walk = Walk::new(&self.root);
        for found in WalkDir::new(&self.root)
            .follow_links(false)
            .sort_by_file_name()
        {
            walk.count += 1;
            if walk.count.is_multiple_of(1024) {
                job.check()?;
                job.items("reading the file tree", walk.count as u64, None);
            }
            if walk.count > MAX_FILES {
                return Err(GuestError::System(format!(
                    "more than {MAX_FILES} files are in this folder"
                )));
            }
            match found {
                Ok(file) => walk.add(&file),
                Err(error) => walk.warn(&error),
            }
        }
        Ok((walk.builder.finish().0, walk.warnings))
    }

    fn read(
        &mut self,
        tree: &FileTree,
        file: FileId,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, GuestError> {
        if tree.kind(file) != FileKind::Regular {
            return Ok(Vec::new());
        }
        let path = tree.path(file);
        let bytes = open_below(&self.root, &path).and_then(|file| read_at(&file, offset, len));
        bytes.map_err(|error| GuestError::Inside {
            operation: "read",
            path: escape(&path).into_owned(),
            why: error.to_string(),
        })
    }
}

/// Opens a regular file below `root`, no part of its path being a symlink.
fn open_below(root: &Path, path: &[u8]) -> io::Result<File> {
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at: OwnedFd = rustix::fs::open(root, folder, Mode::empty())?;
    let mut parts: Vec<&[u8]> = path
        .split(|&b| b == b'/')
        .filter(|part| !part.is_empty())
        .collect();
    let last = parts.pop().ok_or(io::ErrorKind::IsADirectory)?;
    for part in parts {
        at = rustix::fs::openat(&at, part, folder, Mode::empty())?;
    }
    // Without NONBLOCK a pipe that took the file's place since the walk would block.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(&at, last, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is no plain file any more",
        ));
    }
    Ok(file)
}

fn read_at(file: &File, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let rest = file.metadata()?.len().saturating_sub(offset);
    let len = usize::try_from(rest).map_or(len, |rest| rest.min(len));
    if len as u64 > MAX_READ {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is too big to read at once",
        ));
    }
    let mut buffer = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

struct Walk<'a> {
    root: &'a Path,
    builder: TreeBuilder,
    /// The provisional ids of the folders from the root down to the last entry.
    folders: Vec<u32>,
    devices: HashMap<u64, u32>,
    warnings: Vec<Warning>,
    count: usize,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Path) -> Self {
        Self {
            root,
            builder: TreeBuilder::default(),
            folders: Vec::new(),
            devices: HashMap::new(),
            warnings: Vec::new(),
            count: 0,
        }
    }

    fn add(&mut self, file: &walkdir::DirEntry) {
        let facts = match file.metadata() {
            Ok(facts) => facts,
            Err(error) => return self.warn(&error),
        };
        let Some(mut entry) = self.entry(&facts) else {
            return;
        };
        if entry.kind == FileKind::Symlink {
            match std::fs::read_link(file.path()) {
                Ok(target) => entry.target = target.into_os_string().into_vec(),
                Err(error) => self.warn_at(file.path(), &error),
            }
        }
        let is_folder = entry.kind == FileKind::Directory;
        self.folders.truncate(file.depth());
        if file.depth() == 0 {
            self.builder.set_root(entry);
            self.folders.push(TreeBuilder::ROOT);
            return;
        }
        // What lies in a folder that could not be looked at has no place.
        let Some(&parent) = self.folders.get(file.depth().wrapping_sub(1)) else {
            return;
        };
        if let Some(id) = self.builder.add(parent, file.file_name().as_bytes(), entry)
            && is_folder
        {
            self.folders.push(id);
        }
    }

    fn entry(&mut self, facts: &Metadata) -> Option<Entry> {
        let kind = kind_of(facts.mode())?;
        let mut entry = Entry {
            mode: facts.mode() & 0o7777,
            uid: facts.uid(),
            gid: facts.gid(),
            size: facts.size(),
            allocated: facts.blocks().saturating_mul(512),
            modified: facts.mtime(),
            number: facts.ino(),
            ..Entry::new(kind)
        };
        if facts.nlink() > 1 && kind != FileKind::Directory {
            let next = self.devices.len() as u32;
            let device = *self.devices.entry(facts.dev()).or_insert(next);
            entry.inode = Some((device, facts.ino()));
        }
        Some(entry)
    }

    fn warn(&mut self, error: &walkdir::Error) {
        let path = error.path().unwrap_or(self.root).to_owned();
        match error.io_error() {
            Some(error) => self.warn_at(&path, error),
            None => self.warn_at(&path, &"it cannot be read"),
        }
    }

    fn warn_at(&mut self, path: &Path, why: &dyn std::fmt::Display) {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let guest = [b"/", below.as_os_str().as_bytes()].concat();
        self.warnings.push(Warning::new(
            &guest,
            format!("the file cannot be read: {why}"),
        ));
    }
}
