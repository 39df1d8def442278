//! Where everything lies on an output's disk: pure, so that a dry run tells the size that a real run writes.
//!
//! On a new disk partitions keep numbers, order and identifiers. The root's gets smaller, what lies behind it moves up, and what may
//! hold boot code that names sectors stays where it is.

use super::room::{file_system_size, kept_on};
use super::{refusal, table};
use crate::export::error::ExportError;
use crate::export::options::Way;
use crate::model::inventory::Origin;
use crate::model::{Bytes, Inventory, Mount, Partition};
use fixedbitset::FixedBitSet;

/// Partitions begin at multiples of this, and disks end there.
pub(in crate::export) const ALIGNMENT: u64 = 1 << 20;
/// The unit of partition tables; disks with another one are not made anew.
pub(in crate::export) const SECTOR: u64 = 512;

/// Where everything lies on an output's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskLayout {
    /// Its size in bytes.
    pub size: u64,
    /// `mbr` or `gpt`.
    pub table: String,
    /// Bytes that the table takes at the disk's end, behind all partitions.
    pub tail: u64,
    /// Its partitions in the order in which they lie.
    pub parts: Vec<Part>,
}

/// A partition of an output's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number, on both disks.
    pub number: u32,
    /// First byte on the source's disk.
    pub old_start: u64,
    /// First byte on the output's.
    pub start: u64,
    /// Size in bytes.
    pub size: u64,
    /// What it is filled with.
    pub fill: Fill,
}

/// What a partition is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fill {
    /// A new file system, and the files of the old one.
    Files {
        /// Where the guest has it.
        at: Vec<u8>,
        /// `ext4`, `xfs` ...
        kind: String,
        /// How many inodes it needs at least.
        inodes: u64,
    },
    /// An empty swap area.
    Swap,
    /// The old partition's bytes.
    Blocks,
}

/// The disk that a repacked output is on.
pub(in crate::export) fn new_disk(
    inventory: &Inventory,
    gone: &FixedBitSet,
    slack: Option<Bytes>,
) -> Result<DiskLayout, ExportError> {
    let refuse = |why: String| ExportError::Way {
        way: Way::Repack,
        why,
    };
    if let Some(why) = refusal::of_image(inventory) {
        return Err(refuse(why));
    }
    let origin = &inventory.origin;
    let disk = lay_out(origin, |partition| {
        contents(inventory, gone, partition, slack)
    });
    let disk = disk.map_err(refuse)?;
    refusal::of_disk(origin, &disk, Way::Repack).map_err(refuse)?;
    Ok(disk)
}

/// Puts the partitions in the order in which they lie, each as large as `contents` says.
fn lay_out(
    origin: &Origin,
    contents: impl Fn(&Partition) -> Result<(Fill, u64), String>,
) -> Result<DiskLayout, String> {
    let mut parts: Vec<Part> = Vec::with_capacity(origin.partitions.len());
    let mut end = 0;
    for partition in in_order(&origin.partitions, origin.virtual_size)? {
        let (fill, size) = contents(partition)?;
        let names_sectors = fill == Fill::Blocks && partition.holds.is_empty();
        let start = if parts.is_empty() || names_sectors {
            partition.start
        } else {
            // Never behind where it was: what follows may have to keep its place.
            up(end).min(partition.start)
        };
        end = start.saturating_add(size);
        parts.push(Part {
            number: partition.number,
            old_start: partition.start,
            start,
            size,
            fill,
        });
    }
    let tail = table::tail(&origin.table, &origin.head);
    Ok(DiskLayout {
        size: up(end.saturating_add(tail)),
        table: origin.table.clone(),
        tail,
        parts,
    })
}

/// Partitions in the order in which they lie; an error when they overlap or do not lie on the disk.
pub(super) fn in_order(partitions: &[Partition], disk: u64) -> Result<Vec<&Partition>, String> {
    let mut sorted: Vec<&Partition> = partitions.iter().collect();
    sorted.sort_by_key(|partition| partition.start);
    let mut end = SECTOR;
    for partition in &sorted {
        let is_whole = partition.start.is_multiple_of(SECTOR) && partition.size > 0;
        if !is_whole || partition.start < end {
            return Err("its partitions overlap".to_owned());
        }
        end = partition.start.saturating_add(partition.size);
    }
    if end > disk {
        return Err("its partitions reach beyond its end".to_owned());
    }
    Ok(sorted)
}

/// The partition that a file system fills.
pub(super) fn partition_of<'a>(
    partitions: &'a [Partition],
    mount: &Mount,
) -> Option<&'a Partition> {
    partitions
        .iter()
        .find(|partition| mount.file_system.device == device(partition.number))
}

fn device(number: u32) -> String {
    format!("/dev/sda{number}")
}

/// What comes onto a partition, and the bytes that it takes.
pub(super) fn contents(
    inventory: &Inventory,
    gone: &FixedBitSet,
    partition: &Partition,
    slack: Option<Bytes>,
) -> Result<(Fill, u64), String> {
    let device = device(partition.number);
    let mount = inventory
        .mounts
        .iter()
        .find(|mount| mount.file_system.device == device && mount.is_read);
    let Some(mount) = mount else {
        let fill = if partition.holds == "swap" {
            Fill::Swap
        } else {
            Fill::Blocks
        };
        return Ok((fill, partition.size));
    };
    let kind = mount.file_system.kind.as_str();
    if !matches!(kind, "ext2" | "ext3" | "ext4" | "xfs") {
        return Err(format!("{device} is {kind}, which cannot be made anew"));
    }
    let (bytes, inodes) = kept_on(inventory, gone, mount);
    let fill = Fill::Files {
        at: mount.at.clone(),
        kind: kind.to_owned(),
        inodes: inodes + inodes / 4 + 1024,
    };
    let size = if mount.at == b"/" {
        file_system_size(kind, bytes, slack).min(partition.size)
    } else {
        partition.size
    };
    Ok((fill, size))
}

/// Up to the next multiple of the alignment.
pub(in crate::export) fn up(bytes: u64) -> u64 {
    bytes.div_ceil(ALIGNMENT).saturating_mul(ALIGNMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(number: u32, kind: &str, holds: &str, start: u64, size: u64) -> Partition {
        Partition {
            number,
            start: start << 20,
            size: size << 20,
            kind: kind.to_owned(),
            holds: holds.to_owned(),
            ..Partition::default()
        }
    }

    fn laid_out(partitions: &[Partition], table: &str, root: u64) -> DiskLayout {
        let contents = |partition: &Partition| {
            let files = |at: &[u8]| Fill::Files {
                at: at.to_vec(),
                kind: partition.holds.clone(),
                inodes: 1,
            };
            Ok(match partition.holds.as_str() {
                "ext4" if partition.size > 2 << 30 => (files(b"/"), root << 20),
                "ext4" => (files(b"/boot"), partition.size),
                "swap" => (Fill::Swap, partition.size),
                _ => (Fill::Blocks, partition.size),
            })
        };
        lay_out(&origin(partitions, table), contents).expect("nothing unusual")
    }

    fn origin(partitions: &[Partition], table: &str) -> Origin {
        Origin {
            virtual_size: 20 << 30,
            table: table.to_owned(),
            partitions: partitions.to_vec(),
            ..Origin::default()
        }
    }

    fn places(disk: &DiskLayout) -> Vec<(u32, u64, u64)> {
        let parts = disk.parts.iter();
        parts
            .map(|part| (part.number, part.start >> 20, part.size >> 20))
            .collect()
    }

    #[test]
    fn what_lies_behind_the_root_moves_up() {
        let disk = laid_out(
            &[
                partition(1, "83", "ext4", 1, 10_000),
                partition(2, "82", "swap", 10_001, 512),
                partition(3, "83", "ext4", 11_000, 300),
            ],
            "mbr",
            900,
        );
        assert_eq!(places(&disk), [(1, 1, 900), (2, 901, 512), (3, 1413, 300)]);
        assert_eq!(disk.size >> 20, 1713);
    }

    #[test]
    fn boot_code_stays_where_it_is_and_gpt_gets_its_end() {
        let disk = laid_out(
            &[
                partition(1, "linux", "ext4", 128, 10_000),
                partition(14, "bios", "", 1, 3),
                partition(15, "esp", "vfat", 4, 124),
            ],
            "gpt",
            900,
        );
        assert_eq!(places(&disk), [(14, 1, 3), (15, 4, 124), (1, 128, 900)]);
        assert_eq!(disk.size >> 20, 1029);
        let late = [
            partition(1, "linux", "ext4", 1, 10_000),
            partition(2, "bios", "", 10_001, 1),
        ];
        assert_eq!(
            places(&laid_out(&late, "gpt", 900)),
            [(1, 1, 900), (2, 10_001, 1)]
        );
    }

    #[test]
    fn partitions_that_overlap_or_leave_the_disk_are_refused() {
        let blocks = |partition: &Partition| Ok((Fill::Blocks, partition.size));
        for (start, size) in [(5, 10), (0, 10), (11, 30_000), (11, 0)] {
            let partitions = [
                partition(1, "83", "", 1, 10),
                partition(2, "83", "", start, size),
            ];
            assert!(lay_out(&origin(&partitions, "mbr"), blocks).is_err());
        }
        let mut odd = partition(1, "83", "", 1, 10);
        odd.start += 7;
        assert!(lay_out(&origin(&[odd], "mbr"), blocks).is_err());
    }

    #[test]
    fn a_long_table_has_its_room_at_the_end() {
        let mut origin = origin(&[partition(1, "linux", "ext4", 1, 1023)], "gpt");
        origin.head = vec![0; 2 << 10];
        origin.head[512..520].copy_from_slice(b"EFI PART");
        origin.head[512 + 80..512 + 84].copy_from_slice(&16384u32.to_le_bytes());
        origin.head[512 + 84..512 + 88].copy_from_slice(&128u32.to_le_bytes());
        let blocks = |partition: &Partition| Ok((Fill::Blocks, partition.size));
        let disk = lay_out(&origin, blocks).expect("nothing unusual");
        assert_eq!(disk.tail, (2 << 20) + SECTOR);
        assert_eq!(disk.size >> 20, 1027);
    }
}
