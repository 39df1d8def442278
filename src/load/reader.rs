//! Reads a guest's files for parsers: bounded, and with failures turned into warnings.

use crate::finders::Source;
use crate::guest::Guest;
use crate::job::Job;
use crate::model::{FileId, FileKind, FileTree, Warning, Warnings};

/// Most bytes that are read of a guest, some ten times those of a big one: files may share them, or take no room.
const MAX_READ: u64 = 8 << 30;
/// Largest piece that is asked for at once.
const PIECE: usize = 4 << 20;

/// A guest with a list of what failed.
pub struct Reader<'a> {
    guest: &'a mut dyn Guest,
    job: &'a Job,
    /// Bytes that may still be read.
    left: u64,
    /// Reads that failed.
    pub warnings: Warnings,
}

impl<'a> Reader<'a> {
    /// Reads from `guest`.
    pub fn new(guest: &'a mut dyn Guest, job: &'a Job) -> Self {
        Self {
            guest,
            job,
            left: MAX_READ,
            warnings: Warnings::default(),
        }
    }

    /// A regular file's whole contents; `None` with a warning when it cannot be read or is longer than `most`.
    pub fn whole(&mut self, tree: &FileTree, file: FileId, most: u64) -> Option<Vec<u8>> {
        if tree.kind(file) != FileKind::Regular {
            return None;
        }
        let size = tree.size(file);
        if size > most {
            self.warn(tree, file, "too large to read");
            return None;
        }
        let mut bytes = Vec::with_capacity(size as usize);
        while (bytes.len() as u64) < size {
            let left = (size - bytes.len() as u64).min(PIECE as u64) as usize;
            let piece = self.piece(tree, file, bytes.len() as u64, left)?;
            if piece.is_empty() {
                self.warn(tree, file, "shorter than its inode says");
                break;
            }
            bytes.extend(piece);
        }
        Some(bytes)
    }

    /// Nothing at once when the work was cancelled: whoever asks may not look at the flag before it has all.
    fn piece(&mut self, tree: &FileTree, file: FileId, offset: u64, len: usize) -> Option<Vec<u8>> {
        self.job.check().ok()?;
        if self.left == 0 {
            return None;
        }
        self.left = self.left.saturating_sub(len as u64);
        if self.left == 0 {
            let text =
                "more was to be read than of any system: the others of its files count as empty";
            self.warnings.push(Warning::new(b"", text));
            return None;
        }
        match self.guest.read(tree, file, offset, len) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.warn(tree, file, &format!("cannot be read: {error}"));
                None
            }
        }
    }

    fn warn(&mut self, tree: &FileTree, file: FileId, message: &str) {
        self.warnings.push(Warning::new(&tree.path(file), message));
    }
}

impl Source for Reader<'_> {
    fn read(&mut self, tree: &FileTree, file: FileId, offset: u64, len: usize) -> Vec<u8> {
        let size = tree.size(file);
        if tree.kind(file) != FileKind::Regular || offset >= size || len == 0 {
            return Vec::new();
        }
        let len = (size - offset).min(len.min(PIECE) as u64) as usize;
        self.piece(tree, file, offset, len).unwrap_or_default()
    }
}
