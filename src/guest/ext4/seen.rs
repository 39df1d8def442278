//! What one look at a file system has seen. A block of names belongs to one folder, and a block of an extent tree to one
//! file: whoever comes to it a second time is damaged or hostile. So the cost of a look follows the size of the disk.

use super::{Superblock, Unread};
use crate::guest::MAX_FILES;
use crate::job::{Cancelled, Job};
use std::collections::{HashMap, HashSet};

/// Folders of [`MAX_FILES`] names of full length take less than this many bytes.
const MOST_FOLDER_BYTES: u64 = 4 << 30;

/// Between two looks at the job there are this many small steps.
const STEPS: u32 = 1024;

/// The blocks that were seen, what may still be read, and the job that may end it all.
pub(in crate::guest) struct Seen<'a> {
    job: &'a Job,
    steps: u32,
    /// Blocks of folders that may still be read: no sound file system has more of them than blocks.
    folder_blocks: u64,
    /// Blocks that belong to a folder that was read.
    folders: HashSet<u64>,
    /// Blocks of extent trees: whose they are, and the question in which they were read last.
    nodes: HashMap<u64, (u32, u64)>,
    question: u64,
    /// Names that may still be found.
    pub names: usize,
}

impl<'a> Seen<'a> {
    /// Nothing seen yet.
    pub fn new(superblock: &Superblock, job: &'a Job) -> Self {
        Self {
            job,
            steps: 0,
            folder_blocks: superblock
                .blocks
                .min(MOST_FOLDER_BYTES / superblock.block_size),
            folders: HashSet::new(),
            nodes: HashMap::new(),
            question: 0,
            names: MAX_FILES,
        }
    }

    /// The job.
    pub(super) fn job(&self) -> &'a Job {
        self.job
    }

    /// One small step of many.
    pub(super) fn step(&mut self) -> Result<(), Cancelled> {
        self.steps = (self.steps + 1) % STEPS;
        if self.steps == 0 {
            self.job.check()?;
        }
        Ok(())
    }

    /// Takes a folder's blocks from what may still be read.
    pub(super) fn take_folder(&mut self, blocks: u64) -> Result<(), Unread> {
        match self.folder_blocks.checked_sub(blocks) {
            Some(rest) => {
                self.folder_blocks = rest;
                Ok(())
            }
            None => Err(Unread::broken("the folders are larger than the disk")),
        }
    }

    /// Takes one name from those that may still be found.
    pub(super) fn take_name(&mut self) -> Result<(), Unread> {
        match self.names.checked_sub(1) {
            Some(rest) => {
                self.names = rest;
                Ok(())
            }
            None => Err(Unread::TooMany),
        }
    }

    /// Whether a block of names is seen for the first time.
    pub(super) fn is_new_folder_block(&mut self, block: u64) -> bool {
        self.folders.insert(block)
    }

    /// Begins another question about the blocks of a file.
    pub(super) fn ask(&mut self) {
        self.question += 1;
    }

    /// Whether a block of an extent tree is seen for the first time in this question, and is no other file's.
    pub(super) fn is_own_node(&mut self, block: u64, inode: u32) -> bool {
        let now = (inode, self.question);
        let before = self.nodes.insert(block, now);
        before.is_none_or(|before| before.0 == inode && before.1 != now.1)
    }
}
