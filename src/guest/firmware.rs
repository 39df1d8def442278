//! What starts an image's boot loader: told from its partitions, without an appliance.

use super::GuestError;
use super::blocks::Blocks;
use super::image::Image;
use super::nbd::NbdDisk;
use super::partition::{self, Table};
use crate::job::Job;
use std::io;

/// Partition types, GPT and MBR, of the EFI system partition.
const ESP: [&str; 2] = ["c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "ef"];
/// Where GRUB puts its core on a GPT disk that a BIOS starts.
const BIOS_BOOT: &str = "21686148-6449-6e6f-744e-656564454649";
/// How many bytes of the first sector a BIOS runs.
const BOOT_CODE: usize = 440;

/// Whether only a UEFI firmware can start an image.
pub fn boots_only_by_uefi(image: &Image, job: &Job) -> Result<bool, GuestError> {
    let mut disk = NbdDisk::open(image, job)?;
    look(&mut disk).map_err(|source| GuestError::Host {
        operation: "read",
        path: image.path().to_owned(),
        source,
    })
}

fn look(disk: &mut dyn Blocks) -> io::Result<bool> {
    let table = partition::read(disk)?;
    let code = disk.bytes(0, BOOT_CODE)?;
    Ok(is_uefi_only(&table, &code))
}

/// A BIOS can start a GPT disk with a partition for GRUB, and an MBR disk with boot code.
fn is_uefi_only(table: &Table, code: &[u8]) -> bool {
    let has = |kinds: &[&str]| {
        let mut types = table
            .partitions
            .iter()
            .map(|(partition, _)| &partition.kind);
        types.any(|kind| kinds.iter().any(|other| kind.eq_ignore_ascii_case(other)))
    };
    let is_for_bios = match table.kind {
        "gpt" => has(&[BIOS_BOOT]),
        _ => code.iter().any(|&byte| byte != 0),
    };
    has(&ESP) && !is_for_bios
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Partition;

    #[test]
    fn a_disk_for_the_bios_is_not_given_to_uefi() {
        let table = |kind, types: &[&str]| Table {
            kind,
            partitions: types
                .iter()
                .map(|&kind| {
                    let partition = Partition {
                        kind: kind.to_owned(),
                        ..Partition::default()
                    };
                    (partition, String::new())
                })
                .collect(),
        };
        let (esp, linux) = (ESP[0], "0fc63daf-8483-4772-8e79-3d69d8477de4");
        for (table, code, expected) in [
            (table("gpt", &[esp, linux]), 0, true),
            (table("gpt", &[esp, linux]), 1, true),
            (table("gpt", &[BIOS_BOOT, esp, linux]), 0, false),
            (table("gpt", &[linux]), 0, false),
            (table("mbr", &["ef", "83"]), 0, true),
            (table("mbr", &["ef", "83"]), 1, false),
            (table("", &[]), 0, false),
        ] {
            assert_eq!(is_uefi_only(&table, &[code]), expected, "{table:?} {code}");
        }
    }
}
