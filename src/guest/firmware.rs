//! What starts an image's boot loader: told from its partitions, without an appliance.

use super::GuestError;
use super::blocks::Blocks;
use super::heads::beginning;
use super::image::Image;
use super::nbd::NbdDisk;
use super::partition::{self, Table};
use crate::job::Job;
use crate::model::Partition;
use std::io;

/// Partition types, GPT and MBR, of the EFI system partition.
const ESP: [&str; 2] = ["c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "ef"];
/// Where GRUB puts its core on a GPT disk that a BIOS starts.
const BIOS_BOOT: &str = "21686148-6449-6e6f-744e-656564454649";
/// How many bytes of the first sector, and of a partition's, a BIOS runs.
const BOOT_CODE: usize = 440;
/// Loaders that have their name in the first sector and go on by themselves; other code there only starts the active partition's.
const LOADERS: [&[u8]; 2] = [b"GRUB", b"LILO"];
/// Where the entries of an MBR begin, and the length of each.
const ENTRIES: usize = 446;
const ENTRY: usize = 16;
/// The first byte of an active entry.
const ACTIVE: u8 = 0x80;

/// Whether only a UEFI firmware can start an image.
pub fn boots_only_by_uefi(image: &Image, job: &Job) -> Result<bool, GuestError> {
    let mut disk = NbdDisk::open(image, job)?;
    look(&mut disk).map_err(|source| GuestError::Host {
        operation: "read",
        path: image.path().to_owned(),
        source,
    })
}

/// A BIOS can start a GPT disk with a partition for GRUB, and an MBR disk with boot code that leads somewhere.
fn look(disk: &mut dyn Blocks) -> io::Result<bool> {
    let table = partition::read(disk)?;
    if !table.partitions.iter().any(|(row, _)| is_one_of(row, &ESP)) {
        return Ok(false);
    }
    let is_for_bios = match table.kind {
        "gpt" => (table.partitions.iter()).any(|(row, _)| is_one_of(row, &[BIOS_BOOT])),
        _ => leads_somewhere(disk, &table)?,
    };
    Ok(!is_for_bios)
}

fn is_one_of(partition: &Partition, kinds: &[&str]) -> bool {
    (kinds.iter()).any(|kind| partition.kind.eq_ignore_ascii_case(kind))
}

/// Whether an MBR's boot code is a loader's, or starts one in an active partition: parted(8) gives every table code that
/// looks for one. The EFI system partition's own first sector says only that it is not bootable.
fn leads_somewhere(disk: &mut dyn Blocks, table: &Table) -> io::Result<bool> {
    let head = disk.bytes(0, ENTRIES + 4 * ENTRY)?;
    let Some(code) = head.get(..BOOT_CODE) else {
        return Ok(false);
    };
    if code.iter().all(|&byte| byte == 0) {
        return Ok(false);
    }
    if (LOADERS.iter()).any(|name| code.windows(name.len()).any(|word| word == *name)) {
        return Ok(true);
    }
    let entries = head[ENTRIES..].chunks_exact(ENTRY);
    for (number, _) in (1..).zip(entries).filter(|(_, entry)| entry[0] == ACTIVE) {
        let mut rows = table.partitions.iter().map(|(row, _)| row);
        let active = rows.find(|row| row.number == number && !is_one_of(row, &ESP));
        if let Some(row) = active
            && (beginning(disk, row.start, BOOT_CODE)?.iter()).any(|&byte| byte != 0)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::tools;

    const SIZE: usize = 8 << 20;

    /// A disk that parted(8) makes by these words.
    fn made_by_parted(words: &str) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.as_file()
            .set_len(SIZE as u64)
            .expect("it can be sparse");
        let mut command = tools::program("parted");
        command.arg("-s").arg(file.path()).args(words.split(' '));
        assert!(command.status().expect("parted is installed").success());
        std::fs::read(file.path()).expect("readable")
    }

    fn is_uefi_only(disk: &[u8]) -> bool {
        look(&mut &disk[..]).expect("a slice reads")
    }

    #[test]
    fn a_gpt_disk_without_a_place_for_grub_is_for_uefi() {
        let esp = "mklabel gpt mkpart a fat32 1MiB 2MiB set 1 esp on mkpart b ext4 2MiB 3MiB";
        assert!(is_uefi_only(&made_by_parted(esp)));
        assert!(!is_uefi_only(&made_by_parted(&format!(
            "{esp} set 2 bios_grub on"
        ))));
        assert!(!is_uefi_only(&made_by_parted(
            "mklabel gpt mkpart a ext4 1MiB 2MiB"
        )));
        assert!(!is_uefi_only(&[]));
    }

    #[test]
    fn boot_code_that_leads_nowhere_does_not_make_an_mbr_disk_one_for_the_bios() {
        let esp = "mklabel msdos mkpart primary fat32 1MiB 2MiB set 1 esp on mkpart primary ext4 2MiB 3MiB";
        let mut disk = made_by_parted(&format!("{esp} set 2 boot on"));
        assert!(
            disk[..BOOT_CODE].iter().any(|&byte| byte != 0),
            "parted's own"
        );
        assert!(is_uefi_only(&disk));
        disk[1 << 20] = 0xeb;
        assert!(is_uefi_only(&disk), "the firmware's own partition");
        disk[2 << 20] = 0xeb;
        assert!(!is_uefi_only(&disk), "the active partition has a loader");
        let mut disk = made_by_parted(esp);
        disk[2 << 20] = 0xeb;
        assert!(is_uefi_only(&disk), "it is not active");
        disk[0x180..0x184].copy_from_slice(b"GRUB");
        assert!(!is_uefi_only(&disk));
        disk[..BOOT_CODE].fill(0);
        assert!(is_uefi_only(&disk));
    }
}
