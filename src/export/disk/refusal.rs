//! Reasons why an image cannot be put on a new or smaller disk, judged by bytes already read, so that a dry run refuses what a
//! real run would refuse.

use super::geometry::{DiskLayout, Fill, partition_of};
use super::{ext, table, xfs};
use crate::export::options::Way;
use crate::model::inventory::{MOST_HEAD, Origin};
use crate::model::{Inventory, Partition};

/// MBR types of a container for logical partitions.
const EXTENDED: [&str; 3] = ["05", "0f", "85"];
/// Loaders that find their files by name, and the firmware or boot code that starts them by place.
const LOADERS: [&str; 2] = ["grub", "systemd-boot"];
/// What an ext file system leaves to boot code.
const BOOT_SECTORS: usize = 1024;

/// Why no way that moves anything works for an image.
pub(super) fn of_image(inventory: &Inventory) -> Option<String> {
    let origin = &inventory.origin;
    let loader = inventory.boot.loader.as_str();
    if origin.table.is_empty() || origin.partitions.is_empty() {
        return Some("it has no partition table".to_owned());
    }
    if origin.partitions.iter().any(is_container) {
        return Some("it has an extended partition".to_owned());
    }
    if loader.is_empty() {
        return Some("no boot loader was found that would find its files on a new disk".to_owned());
    }
    if !LOADERS.contains(&loader) {
        return Some(format!(
            "{loader} would not find its files on a new disk, which it names by their sectors"
        ));
    }
    let lost = inventory
        .mounts
        .iter()
        .find(|mount| partition_of(origin.partitions.as_slice(), mount).is_none())?;
    let system = &lost.file_system;
    Some(format!(
        "{} ({}) is on no partition of its own",
        system.device, system.kind
    ))
}

fn is_container(partition: &Partition) -> bool {
    EXTENDED.contains(&partition.kind.as_str())
}

/// Fails where this disk cannot be made of the image's: its table, its boot code or a file system forbids it. What
/// was not read is no reason; the appliance then finds out.
pub(super) fn of_disk(origin: &Origin, disk: &DiskLayout, way: Way) -> Result<(), String> {
    if way == Way::Repack {
        check_gap(origin, disk)?;
    }
    if !origin.head.is_empty() {
        let mut head = origin.head.clone();
        let len = usize::try_from(table::head_len(disk)).expect("the head is small");
        head.resize(len, 0);
        table::rewritten(head, disk)?;
    }
    let moved = match way {
        Way::Repack => &disk.parts[..],
        _ => &disk.parts[disk.parts.len().saturating_sub(1)..],
    };
    for part in moved {
        let Fill::Files { kind, inodes, .. } = &part.fill else {
            continue;
        };
        let found = (origin.partitions.iter()).find(|partition| partition.number == part.number);
        let Some(head) = found.map(|partition| &partition.head[..]) else {
            continue;
        };
        let name = |why: String| format!("partition {}: {why}", part.number);
        if kind != "xfs" {
            check_boot_sectors(head).map_err(name)?;
        }
        if way == Way::Repack {
            match kind.as_str() {
                _ if head.is_empty() => {}
                "xfs" => xfs::check(head).map_err(name)?,
                _ => {
                    let superblock = head.get(BOOT_SECTORS..).unwrap_or_default();
                    ext::make(superblock, "", part.size, *inodes).map_err(name)?;
                }
            }
        }
    }
    Ok(())
}

/// What lies before the first partition is taken over as far as [`table::head_len`]; it must not be more.
fn check_gap(origin: &Origin, disk: &DiskLayout) -> Result<(), String> {
    let first = disk.parts.first().map_or(0, |part| part.old_start);
    if origin.head.len() as u64 > table::head_len(disk) {
        return Err(
            "there is something far before its first partition, which would be lost".to_owned(),
        );
    }
    if first > MOST_HEAD {
        return Err(
            "its first partition begins so late that what lies before it was not looked at"
                .to_owned(),
        );
    }
    Ok(())
}

/// A loader in a partition's first sectors finds its rest by sectors of the file system.
fn check_boot_sectors(head: &[u8]) -> Result<(), String> {
    let why = "it has boot code in its first sectors, which names sectors of its file system";
    let is_blank = head.iter().take(BOOT_SECTORS).all(|&byte| byte == 0);
    is_blank.then_some(()).ok_or_else(|| why.to_owned())
}
