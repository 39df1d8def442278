//! Reads a guest's files for parsers: bounded, and with failures turned into warnings.

use crate::finders::Source;
use crate::guest::Guest;
use crate::model::{FileId, FileKind, FileTree, Warning};

/// Largest file that is read whole: a package database of a million packages.
const MAX_WHOLE: u64 = 256 << 20;
/// Largest piece that is asked for at once.
const PIECE: usize = 4 << 20;
/// More failures than this are not reported one by one.
const MAX_WARNINGS: usize = 200;

/// A guest with a list of what failed.
pub struct Reader<'a> {
    guest: &'a mut dyn Guest,
    /// Reads that failed.
    pub warnings: Vec<Warning>,
}

impl<'a> Reader<'a> {
    /// Reads from `guest`.
    pub fn new(guest: &'a mut dyn Guest) -> Self {
        Self {
            guest,
            warnings: Vec::new(),
        }
    }

    /// A regular file's whole contents; `None` with a warning when it cannot be read or is too large.
    pub fn whole(&mut self, tree: &FileTree, file: FileId) -> Option<Vec<u8>> {
        if tree.kind(file) != FileKind::Regular {
            return None;
        }
        let size = tree.size(file);
        if size > MAX_WHOLE {
            self.warn(tree, file, "too large to read");
            return None;
        }
        let mut bytes = Vec::new();
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

    fn piece(&mut self, tree: &FileTree, file: FileId, offset: u64, len: usize) -> Option<Vec<u8>> {
        match self.guest.read(tree, file, offset, len) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.warn(tree, file, &format!("cannot be read: {error}"));
                None
            }
        }
    }

    fn warn(&mut self, tree: &FileTree, file: FileId, message: &str) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Warning::new(&tree.path(file), message));
        }
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
