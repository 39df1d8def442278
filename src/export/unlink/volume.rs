//! One file system that is written to: its blocks, held until they are flushed, and its records of what is free.

use super::Fault;
use super::shape::Shape;
use crate::export::disk::ext::{SUPERBLOCK, SUPERBLOCK_AT};
use crate::guest::ext4::checksum::{self, crc, high, low};
use crate::guest::ext4::{le16, le32};
use crate::guest::{BlocksMut, Part};
use std::collections::{BTreeMap, BTreeSet};

/// At most this many bytes of blocks are held.
const MOST_HELD: u64 = 64 << 20;

/// What is read at once, since inodes and folders lie together.
const CHUNK: u64 = 64 << 10;

/// At most this many bytes are written at once.
const MOST_WRITTEN: usize = 1 << 20;

/// Flags of a group whose bitmap was never written: nothing in it is in use.
const NO_INODES: u16 = 1;
pub(super) const NO_BLOCKS: u16 = 2;

/// Fields of a group's descriptor; those from byte 32 on only where it is long enough.
const FREE_BLOCKS: (usize, usize) = (12, 44);
const FREE_INODES: (usize, usize) = (14, 46);
const FOLDERS: (usize, usize) = (16, 48);
const BLOCK_SUM: (usize, usize) = (24, 56);
const INODE_SUM: (usize, usize) = (26, 58);
const OWN_SUM: usize = 30;
const LONG_DESCRIPTOR: usize = 64;

/// A file system under change.
pub(super) struct Volume<'a> {
    disk: &'a mut dyn BlocksMut,
    start: u64,
    pub shape: Shape,
    held: BTreeMap<u64, Held>,
    /// Groups whose bitmaps were changed.
    touched: BTreeSet<u64>,
    freed_blocks: u64,
    freed_inodes: u32,
}

struct Held {
    bytes: Box<[u8]>,
    is_changed: bool,
}

/// Where things of one group are.
pub(super) struct Group {
    pub block_bitmap: u64,
    pub inode_bitmap: u64,
    pub inode_table: u64,
    pub flags: u16,
}

impl<'a> Volume<'a> {
    /// The file system in the `size` bytes from `start` on; `None` for one that only a kernel should write to.
    pub fn open(disk: &'a mut dyn BlocksMut, start: u64, size: u64) -> Result<Option<Self>, Fault> {
        let shape = Shape::read(&mut Part::new(&mut *disk, start, size))?;
        Ok(shape.map(|shape| Self {
            disk,
            start,
            shape,
            held: BTreeMap::new(),
            touched: BTreeSet::new(),
            freed_blocks: 0,
            freed_inodes: 0,
        }))
    }

    /// A block's bytes.
    pub fn block(&mut self, number: u64) -> Result<&[u8], Fault> {
        Ok(&self.hold(number)?.bytes)
    }

    /// A block's bytes, to be changed.
    pub fn change(&mut self, number: u64) -> Result<&mut [u8], Fault> {
        let held = self.hold(number)?;
        held.is_changed = true;
        Ok(&mut held.bytes)
    }

    fn hold(&mut self, number: u64) -> Result<&mut Held, Fault> {
        let width = self.shape.geometry.block_size;
        if number >= self.shape.geometry.blocks {
            return Err(Fault::Broken("a block beyond the file system"));
        }
        if !self.held.contains_key(&number) {
            if self.held.len() as u64 * width > MOST_HELD {
                self.flush()?;
                self.held.clear();
            }
            let count = (CHUNK / width).max(1);
            let first = number - number % count;
            let last = (first + count).min(self.shape.geometry.blocks);
            let mut bytes = vec![0; ((last - first) * width) as usize];
            self.disk.read_at(self.start + first * width, &mut bytes)?;
            for (number, bytes) in (first..).zip(bytes.chunks(width as usize)) {
                self.held.entry(number).or_insert_with(|| Held {
                    bytes: bytes.into(),
                    is_changed: false,
                });
            }
        }
        Ok(self.held.get_mut(&number).expect("it was just read"))
    }

    /// Writes all changed blocks, those that follow each other at once.
    fn flush(&mut self) -> Result<(), Fault> {
        let width = self.shape.geometry.block_size;
        let mut run = Vec::new();
        let mut next = 0;
        for (&number, held) in self.held.iter_mut().filter(|(_, held)| held.is_changed) {
            if number != next || run.len() >= MOST_WRITTEN {
                write_run(self.disk, self.start + next * width, &mut run)?;
            }
            run.extend_from_slice(&held.bytes);
            held.is_changed = false;
            next = number + 1;
        }
        write_run(self.disk, self.start + next * width, &mut run)?;
        Ok(())
    }

    /// The block and the offset in it of an inode.
    pub fn inode_place(&mut self, number: u32) -> Result<(u64, usize), Fault> {
        let geometry = &self.shape.geometry;
        if number == 0 || number > geometry.inodes {
            return Err(Fault::Broken("an inode that does not exist"));
        }
        let (size, width) = (geometry.inode_size, geometry.block_size);
        let at = u64::from((number - 1) % geometry.inodes_per_group) * size;
        let group = u64::from((number - 1) / geometry.inodes_per_group);
        let table = self.group(group)?.inode_table;
        let block = table.checked_add(at / width);
        let block = block.ok_or(Fault::Broken("an inode table beyond the file system"))?;
        Ok((block, (at % width) as usize))
    }

    fn descriptor_place(&self, group: u64) -> (u64, usize) {
        let geometry = &self.shape.geometry;
        let at = geometry.descriptors + group * geometry.descriptor_size;
        (
            at / geometry.block_size,
            (at % geometry.block_size) as usize,
        )
    }

    fn descriptor_len(&self) -> usize {
        self.shape.geometry.descriptor_size as usize
    }

    /// Where things of a group are.
    pub fn group(&mut self, group: u64) -> Result<Group, Fault> {
        let (block, at) = self.descriptor_place(group);
        let len = self.descriptor_len();
        let raw = &self.block(block)?[at..at + len];
        let place = |low: usize, high: usize| {
            let high = if len >= LONG_DESCRIPTOR {
                le32(raw, high)
            } else {
                0
            };
            u64::from(high) << 32 | u64::from(le32(raw, low))
        };
        Ok(Group {
            block_bitmap: place(0, 32),
            inode_bitmap: place(4, 36),
            inode_table: place(8, 40),
            flags: le16(raw, 18),
        })
    }

    /// Marks blocks as free.
    pub fn free_blocks(&mut self, first: u64, count: u64) -> Result<(), Fault> {
        let end = first.checked_add(count);
        let beyond = first < self.shape.geometry.first_block
            || end.is_none_or(|end| end > self.shape.geometry.blocks);
        if beyond {
            return Err(Fault::Broken("a file has blocks beyond the file system"));
        }
        let (mut first, mut rest) = (first - self.shape.geometry.first_block, count);
        while rest > 0 {
            let per_group = self.shape.geometry.blocks_per_group;
            let (group, at) = (first / per_group, first % per_group);
            let here = rest.min(per_group - at);
            let Group {
                block_bitmap,
                flags,
                ..
            } = self.group(group)?;
            if flags & NO_BLOCKS != 0 {
                return Err(Fault::Broken("a file has blocks in an unused group"));
            }
            clear(self.change(block_bitmap)?, at, here)?;
            self.count(group, FREE_BLOCKS, here.cast_signed())?;
            self.freed_blocks += here;
            first += here;
            rest -= here;
        }
        Ok(())
    }

    /// Marks an inode as free.
    pub fn free_inode(&mut self, number: u32, is_folder: bool) -> Result<(), Fault> {
        let per_group = self.shape.geometry.inodes_per_group;
        let (group, at) = (
            u64::from((number - 1) / per_group),
            u64::from((number - 1) % per_group),
        );
        let Group {
            inode_bitmap,
            flags,
            ..
        } = self.group(group)?;
        if flags & NO_INODES != 0 {
            return Err(Fault::Broken("an inode in an unused group"));
        }
        clear(self.change(inode_bitmap)?, at, 1)?;
        self.count(group, FREE_INODES, 1)?;
        if is_folder {
            self.count(group, FOLDERS, -1)?;
        }
        self.freed_inodes += 1;
        Ok(())
    }

    /// Adds to a counter of a group.
    fn count(
        &mut self,
        group: u64,
        (low_at, high_at): (usize, usize),
        more: i64,
    ) -> Result<(), Fault> {
        self.touched.insert(group);
        let (block, at) = self.descriptor_place(group);
        let len = self.descriptor_len();
        let raw = &mut self.change(block)?[at..at + len];
        let is_long = len >= LONG_DESCRIPTOR;
        let upper = if is_long { le16(raw, high_at) } else { 0 };
        let sum = (i64::from(upper) << 16 | i64::from(le16(raw, low_at))) + more;
        let sum = u32::try_from(sum).map_err(|_| Fault::Broken("a group's counter overflows"))?;
        raw[low_at..low_at + 2].copy_from_slice(&low(sum));
        if is_long {
            raw[high_at..high_at + 2].copy_from_slice(&high(sum));
        } else if sum > u32::from(u16::MAX) {
            return Err(Fault::Broken("a group's counter overflows"));
        }
        Ok(())
    }

    /// Brings counters and checksums up to date and writes all that is still held; bytes that were freed.
    pub fn finish(mut self) -> Result<u64, Fault> {
        if let Some(seed) = self.shape.geometry.seed {
            for group in std::mem::take(&mut self.touched) {
                self.sum_group(group, seed)?;
            }
        }
        self.sum_superblock()?;
        self.flush()?;
        Ok(self.freed_blocks * self.shape.geometry.block_size)
    }

    fn sum_group(&mut self, number: u64, seed: u32) -> Result<(), Fault> {
        let Group {
            block_bitmap,
            inode_bitmap,
            ..
        } = self.group(number)?;
        let bytes = (self.shape.geometry.blocks_per_group / 8) as usize;
        let block_sum = crc(seed, &self.block(block_bitmap)?[..bytes]);
        let bytes = self.shape.geometry.inodes_per_group as usize / 8;
        let inode_sum = crc(seed, &self.block(inode_bitmap)?[..bytes]);
        let (block, at) = self.descriptor_place(number);
        let len = self.descriptor_len();
        let raw = &mut self.change(block)?[at..at + len];
        for (sum, (low_at, high_at)) in [(block_sum, BLOCK_SUM), (inode_sum, INODE_SUM)] {
            raw[low_at..low_at + 2].copy_from_slice(&low(sum));
            if len >= LONG_DESCRIPTOR {
                raw[high_at..high_at + 2].copy_from_slice(&high(sum));
            }
        }
        let number = u32::try_from(number).map_err(|_| Fault::Broken("too many groups"))?;
        let sum = checksum::group(seed, number, raw);
        raw[OWN_SUM..OWN_SUM + 2].copy_from_slice(&low(sum));
        Ok(())
    }

    fn sum_superblock(&mut self) -> Result<(), Fault> {
        let width = self.shape.geometry.block_size;
        let free = self.shape.geometry.free + self.freed_blocks;
        let (freed_inodes, seed) = (self.freed_inodes, self.shape.geometry.seed);
        let is_wide = self.descriptor_len() >= LONG_DESCRIPTOR;
        let at = (SUPERBLOCK_AT % width) as usize;
        let raw = &mut self.change(SUPERBLOCK_AT / width)?[at..at + SUPERBLOCK];
        raw[12..16].copy_from_slice(&(free as u32).to_le_bytes());
        if is_wide {
            raw[0x158..0x15c].copy_from_slice(&((free >> 32) as u32).to_le_bytes());
        }
        let inodes = le32(raw, 16).saturating_add(freed_inodes);
        raw[16..20].copy_from_slice(&inodes.to_le_bytes());
        if seed.is_some() {
            let sum = checksum::superblock(raw);
            raw[1020..].copy_from_slice(&sum.to_le_bytes());
        }
        Ok(())
    }
}

/// Writes what was gathered, which ends at `end`.
fn write_run(disk: &mut dyn BlocksMut, end: u64, run: &mut Vec<u8>) -> Result<(), Fault> {
    if !run.is_empty() {
        disk.write_at(end - run.len() as u64, run)?;
        run.clear();
    }
    Ok(())
}

/// Clears bits, all of which must be set: no block or inode belongs to two files.
fn clear(bitmap: &mut [u8], first: u64, count: u64) -> Result<(), Fault> {
    for bit in first..first + count {
        let (byte, mask) = ((bit / 8) as usize, 1u8 << (bit % 8));
        let byte = bitmap
            .get_mut(byte)
            .filter(|byte| **byte & mask != 0)
            .ok_or(Fault::Broken("what a file has is free already"))?;
        *byte &= !mask;
    }
    Ok(())
}
