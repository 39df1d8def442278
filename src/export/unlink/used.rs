//! Which parts of an ext file system are in use, and which are free.

use super::volume::{Group, NO_BLOCKS, Volume};
use super::{Fault, shape::Shape};
use crate::export::disk::ext::{SUPERBLOCK, SUPERBLOCK_AT};
use crate::guest::ext4::{le16, le32};
use crate::guest::{BlocksMut, ExtPlace};
use crate::job::Job;
use std::ops::Range;

/// The first block of a backup group's superblock, and the features that say which groups have one.
const SPARSE_SUPER: u32 = 0x1;
const SPARSE_SUPER2: u32 = 0x200;
const RESIZE_INODE: u32 = 0x10;

/// Bytes of a disk, in order, none twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::export) struct Space {
    /// In use: contents, and all that describes them.
    pub used: Vec<Range<u64>>,
    /// The rest of the file system.
    pub free: Vec<Range<u64>>,
}

/// What is in use in the file system at `place`; `None` for one that only a kernel should write to.
pub(in crate::export) fn space(
    disk: &mut dyn BlocksMut,
    place: &ExtPlace,
    job: &Job,
) -> Result<Option<Space>, Fault> {
    let Some(mut volume) = Volume::open(disk, place.start, place.size)? else {
        return Ok(None);
    };
    let map = Map::of(&mut volume, job)?;
    Ok(Some(map.space(place, &volume.shape)))
}

/// One bit a block, set where it is in use.
struct Map {
    bits: fixedbitset::FixedBitSet,
}

impl Map {
    fn of(volume: &mut Volume<'_>, job: &Job) -> Result<Self, Fault> {
        let layout = Layout::of(volume)?;
        let blocks = usize::try_from(volume.shape.geometry.blocks)
            .map_err(|_| Fault::Broken("more blocks than memory"))?;
        let mut map = Self {
            bits: fixedbitset::FixedBitSet::with_capacity(blocks),
        };
        // What lies before the first group is the boot sector.
        map.set(0, volume.shape.geometry.first_block);
        for number in 0..layout.groups {
            job.check()?;
            map.add_group(volume, &layout, number)?;
        }
        Ok(map)
    }

    /// Marks `count` blocks from `first` on, as far as they are inside.
    fn set(&mut self, first: u64, count: u64) {
        let len = self.bits.len() as u64;
        let (first, end) = (first.min(len), first.saturating_add(count).min(len));
        self.bits.insert_range(first as usize..end as usize);
    }

    fn add_group(
        &mut self,
        volume: &mut Volume<'_>,
        layout: &Layout,
        number: u64,
    ) -> Result<(), Fault> {
        let Group {
            block_bitmap,
            inode_bitmap,
            inode_table,
            flags,
        } = volume.group(number)?;
        self.set(block_bitmap, 1);
        self.set(inode_bitmap, 1);
        self.set(inode_table, layout.table_blocks);
        let per_group = volume.shape.geometry.blocks_per_group;
        let first = volume.shape.geometry.first_block + number * per_group;
        if layout.has_superblock(number) {
            self.set(first, layout.superblock_blocks);
        }
        // The bitmap of a group without contents was never written.
        if flags & NO_BLOCKS != 0 {
            return Ok(());
        }
        let bitmap = volume.block(block_bitmap)?;
        for (at, byte) in (first..)
            .step_by(8)
            .zip(&bitmap[..(per_group / 8) as usize])
        {
            match byte {
                0 => {}
                0xff => self.set(at, 8),
                byte => (0..8)
                    .filter(|bit| byte >> bit & 1 == 1)
                    .for_each(|bit| self.set(at + bit, 1)),
            }
        }
        Ok(())
    }

    fn space(&self, place: &ExtPlace, shape: &Shape) -> Space {
        let width = shape.geometry.block_size;
        let end = place.start + place.size;
        let mut space = Space::default();
        let mut from = place.start;
        let mut was_used = None;
        for block in 0..self.bits.len() {
            let is_used = self.bits.contains(block);
            if was_used.is_some_and(|was| was != is_used) {
                let at = (place.start + block as u64 * width).min(end);
                space.push(was_used == Some(true), from..at);
                from = at;
            }
            was_used = Some(is_used);
        }
        let last = (place.start + shape.geometry.blocks * width).min(end);
        space.push(was_used == Some(true), from..last);
        // Behind the file system: nobody says that it is free.
        space.push(true, last..end);
        space
    }
}

impl Space {
    fn push(&mut self, is_used: bool, range: Range<u64>) {
        let list = if is_used {
            &mut self.used
        } else {
            &mut self.free
        };
        if !range.is_empty() {
            list.push(range);
        }
    }
}

/// Where groups keep what describes the file system as a whole.
struct Layout {
    groups: u64,
    /// Blocks of a group's inode table.
    table_blocks: u64,
    /// A superblock, the groups' descriptors and the room for more of them.
    superblock_blocks: u64,
    read_only: u32,
    compatible: u32,
    /// The two groups with copies, under `sparse_super2`.
    backups: [u32; 2],
}

impl Layout {
    fn of(volume: &mut Volume<'_>) -> Result<Self, Fault> {
        let width = volume.shape.geometry.block_size;
        let at = (SUPERBLOCK_AT % width) as usize;
        let raw = volume.block(SUPERBLOCK_AT / width)?[at..at + SUPERBLOCK].to_vec();
        let geometry = &volume.shape.geometry;
        let groups = (geometry.blocks - volume.shape.geometry.first_block)
            .div_ceil(volume.shape.geometry.blocks_per_group);
        let compatible = le32(&raw, 92);
        let reserved = if compatible & RESIZE_INODE == 0 {
            0
        } else {
            u64::from(le16(&raw, 206))
        };
        let descriptors = (groups * geometry.descriptor_size).div_ceil(width);
        Ok(Self {
            groups,
            table_blocks: (u64::from(geometry.inodes_per_group) * geometry.inode_size)
                .div_ceil(width),
            superblock_blocks: 1 + descriptors + reserved,
            read_only: le32(&raw, 100),
            compatible,
            backups: [le32(&raw, 588), le32(&raw, 592)],
        })
    }

    /// Whether a group starts with a superblock (`ext4_bg_has_super` in Linux).
    fn has_superblock(&self, group: u64) -> bool {
        if group == 0 {
            return true;
        }
        if self.compatible & SPARSE_SUPER2 != 0 {
            return self
                .backups
                .iter()
                .any(|&backup| u64::from(backup) == group);
        }
        let is_power_of = |base: u64| {
            let mut power = base;
            while power < group {
                power *= base;
            }
            power == group
        };
        self.read_only & SPARSE_SUPER == 0 || group == 1 || [3, 5, 7].into_iter().any(is_power_of)
    }
}
