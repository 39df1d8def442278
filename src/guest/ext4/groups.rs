//! The groups' descriptors: where each part of the inode table is.
//!
//! They are read once, when the file system is opened. One that is damaged is taken from the copy in the second group,
//! as `e2fsck` does; where there is none, it is used as far as it leads into the file system. Else only the files of that
//! group are lost.

use super::superblock::is_copy;
use super::{Superblock, Unread, checksum, le32};
use crate::guest::blocks::Blocks;
use crate::job::Job;

/// Descriptors are read in pieces of this many bytes, a multiple of each possible length.
const PIECE: usize = 1 << 20;

/// A file system with more damage than this is told in one sentence.
const MOST_FAULTS: usize = 20;

/// Where the inodes of each group are.
#[derive(Debug)]
pub(super) struct Groups {
    /// The first block of each group's inode table; 0 where it is lost.
    tables: Vec<u64>,
    /// What is damaged, as sentences.
    pub faults: Vec<String>,
}

impl Groups {
    /// Reads and checks all of them.
    pub fn read(part: &mut dyn Blocks, superblock: &Superblock, job: &Job) -> Result<Self, Unread> {
        let mut tables = Vec::new();
        let mut damaged = Vec::new();
        let width = superblock.descriptor_size as usize;
        let end = superblock.groups() * superblock.descriptor_size;
        let mut at = 0;
        while at < end {
            job.check()?;
            let len = (end - at).min(PIECE as u64) as usize;
            let mut raw = part.bytes(superblock.descriptors + at, len)?;
            raw.resize(len, 0);
            for raw in raw.chunks_exact(width) {
                let number = tables.len() as u32;
                let table = inode_table(superblock, raw);
                if table.is_none() || !holds(superblock, number, raw) {
                    damaged.push(number);
                }
                tables.push(table.unwrap_or(0));
            }
            at += len as u64;
        }
        let mut groups = Self {
            tables,
            faults: Vec::new(),
        };
        groups.repair(part, superblock, &damaged, job)?;
        Ok(groups)
    }

    /// Takes the damaged descriptors from their copies.
    fn repair(
        &mut self,
        part: &mut dyn Blocks,
        superblock: &Superblock,
        damaged: &[u32],
        job: &Job,
    ) -> Result<(), Unread> {
        let copies = if damaged.is_empty() {
            None
        } else {
            copies(part, superblock)
        };
        for &number in damaged {
            job.check()?;
            let table = copies.and_then(|start| {
                let width = superblock.descriptor_size;
                let mut raw = vec![0; width as usize];
                part.read_at(start + u64::from(number) * width, &mut raw)
                    .ok()?;
                let is_sound = holds(superblock, number, &raw);
                inode_table(superblock, &raw).filter(|_| is_sound)
            });
            let own = &mut self.tables[number as usize];
            let what = match (table, *own) {
                (Some(_), _) => "its copy in the second group is read instead",
                (None, 0) => "the files whose inodes are in this group cannot be read",
                (None, _) => "it is read as it is",
            };
            *own = table.unwrap_or(*own);
            if self.faults.len() < MOST_FAULTS {
                self.faults.push(format!(
                    "the descriptor of block group {number} is damaged; {what}"
                ));
            }
        }
        if damaged.len() > MOST_FAULTS {
            self.faults.push(format!(
                "the descriptors of {} block groups are damaged",
                damaged.len()
            ));
        }
        Ok(())
    }

    /// The first block of a group's inode table; `None` where it is lost.
    pub fn table(&self, group: u64) -> Option<u64> {
        let table = usize::try_from(group)
            .ok()
            .and_then(|at| self.tables.get(at));
        table.copied().filter(|&table| table != 0)
    }
}

/// The inode table's first block, where that leads into the file system.
fn inode_table(superblock: &Superblock, raw: &[u8]) -> Option<u64> {
    let high = if raw.len() >= 64 { le32(raw, 40) } else { 0 };
    let table = u64::from(high) << 32 | u64::from(le32(raw, 8));
    let bytes = u64::from(superblock.inodes_per_group) * superblock.inode_size;
    let end = table.checked_add(bytes.div_ceil(superblock.block_size))?;
    (table > superblock.first_block && end <= superblock.blocks).then_some(table)
}

/// Whether a descriptor has its checksum, where there are any.
fn holds(superblock: &Superblock, number: u32, raw: &[u8]) -> bool {
    let seed = superblock.seed;
    seed.is_none_or(|seed| checksum::group_holds(seed, number, raw))
}

/// Where the copies of all descriptors are: behind the superblock's copy at the beginning of the second group.
fn copies(part: &mut dyn Blocks, superblock: &Superblock) -> Option<u64> {
    let start = (superblock.first_block + superblock.blocks_per_group) * superblock.block_size;
    let copy = part.bytes(start, 1024).ok()?;
    is_copy(&copy).then_some(start + superblock.block_size)
}
