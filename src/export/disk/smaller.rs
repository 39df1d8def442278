//! A disk that stays as it is but for its last partition and its end.

use super::geometry::{DiskLayout, Fill, Part, contents, in_order, up};
use super::room::slack_of;
use super::{refusal, table};
use crate::export::error::ExportError;
use crate::export::options::Way;
use crate::model::{Bytes, Inventory};
use fixedbitset::FixedBitSet;

/// The disk as it is, for the way that makes its last partition smaller: which must hold ext, and be mounted.
pub(in crate::export) fn shrinkable(inventory: &Inventory) -> Result<DiskLayout, ExportError> {
    let origin = &inventory.origin;
    let refuse = |why: String| ExportError::Way {
        way: Way::Shrink,
        why,
    };
    let none = FixedBitSet::with_capacity(inventory.tree.len());
    if let Some(why) = refusal::of_image(inventory) {
        return Err(refuse(why));
    }
    let old = in_order(&origin.partitions, origin.virtual_size).map_err(refuse)?;
    let parts = old.iter().map(|partition| {
        Ok(Part {
            number: partition.number,
            old_start: partition.start,
            start: partition.start,
            size: partition.size,
            fill: contents(inventory, &none, partition, None)?.0,
        })
    });
    let parts: Vec<Part> = parts.collect::<Result<_, _>>().map_err(refuse)?;
    match parts.last().map(|part| &part.fill) {
        Some(Fill::Files { kind, .. }) if kind.starts_with("ext") => {}
        _ => {
            let why = "its last partition is no ext file system of the guest";
            return Err(refuse(why.to_owned()));
        }
    }
    let disk = DiskLayout {
        size: origin.virtual_size,
        table: origin.table.clone(),
        tail: table::tail(&origin.table, &origin.head),
        parts,
    };
    refusal::of_disk(origin, &disk, Way::Shrink).map_err(refuse)?;
    Ok(disk)
}

/// The disk with its last partition as small as a file system there can be and the room to grow; `None` where that saves
/// nothing. Partition and disk end at a multiple of the alignment.
pub(in crate::export) fn shrunk(
    disk: &DiskLayout,
    least: u64,
    slack: Option<Bytes>,
) -> Option<DiskLayout> {
    let mut smaller = disk.clone();
    let part = smaller.parts.last_mut()?;
    let end = up((part.start)
        .saturating_add(least)
        .saturating_add(slack_of(least, slack)));
    let size = up(end.saturating_add(disk.tail));
    if end >= part.start.saturating_add(part.size) || size >= disk.size {
        return None;
    }
    part.size = end - part.start;
    smaller.size = size;
    Some(smaller)
}

/// Of `Estimated minimum size of the filesystem: 12345` the number.
pub(in crate::export) fn least_blocks(said: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(said).ok()?;
    text.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::geometry::SECTOR;
    use super::*;

    #[test]
    fn a_disk_never_becomes_larger_by_shrinking() {
        let part = Part {
            number: 1,
            old_start: 1 << 20,
            start: 1 << 20,
            size: 4000 << 20,
            fill: Fill::Blocks,
        };
        let mut disk = DiskLayout {
            size: 4002 << 20,
            table: "gpt".to_owned(),
            tail: 33 * SECTOR,
            parts: vec![part],
        };
        let smaller = |disk: &DiskLayout, least: u64| {
            let smaller = shrunk(disk, least << 20, Some(Bytes(0)));
            smaller.map(|smaller| (smaller.parts[0].size >> 20, smaller.size >> 20))
        };
        assert_eq!(smaller(&disk, 3999), Some((3999, 4001)));
        assert_eq!(smaller(&disk, 4000), None);
        assert_eq!(smaller(&disk, 5000), None);
        assert_eq!(smaller(&disk, u64::MAX >> 20), None);
        // A disk that ends right behind the table: a whole MiB more for the table would make it larger.
        disk.size = (4001 << 20) + 33 * SECTOR;
        disk.parts[0].size += 10 * SECTOR;
        assert_eq!(smaller(&disk, 4000), None);
    }

    #[test]
    fn the_least_size_is_read_whatever_stands_before_it() {
        let said = b"Estimated minimum size of the filesystem: 165034\n";
        assert_eq!(least_blocks(said), Some(165_034));
        assert_eq!(least_blocks(b"resize2fs: no\n"), None);
    }
}
