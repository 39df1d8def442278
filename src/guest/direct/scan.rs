//! What is on a disk: partitions, what each holds, and which of them this reader can read.

use super::cut_off;
use crate::guest::GuestError;
use crate::guest::blocks::{Blocks, Part};
use crate::guest::ext4::{Ext, Unread};
use crate::guest::identify::identify;
use crate::guest::layout::{LONGEST_FSTAB, ROOT_SIGNS, Volume};
use crate::guest::partition::{self, Table, is_container};
use crate::job::Job;
use crate::model::{FileKind, FileSystem};
use std::path::Path;

/// Kinds that this reader does not know and that libguestfs may.
const FOREIGN: [&str; 4] = ["xfs", "btrfs", "LVM2_member", "crypto_LUKS"];

/// The disk itself, where it has no partitions.
const WHOLE: &str = "/dev/sda";

/// Partitions up to this size hold boot code rather than a root.
const SMALL: u64 = 16 << 20;

/// An ext file system and the part of the disk that it fills.
pub(super) struct System {
    /// First byte.
    pub start: u64,
    /// Length in bytes.
    pub size: u64,
    /// Its reader.
    pub ext: Ext,
}

/// What is on a disk.
pub(super) struct Scan {
    /// The partition table.
    pub table: Table,
    /// What each partition holds.
    pub volumes: Vec<Volume>,
    /// Those of the volumes that can be read.
    pub systems: Vec<Option<System>>,
    /// What libguestfs may read and this reader does not.
    pub missed: Option<String>,
    /// What may be a root of a kind that is not known here.
    pub unknown: Option<String>,
}

impl Scan {
    /// Looks at the whole disk.
    pub fn run(bytes: &mut dyn Blocks, path: &Path, job: &Job) -> Result<Self, GuestError> {
        let read = |source| GuestError::Host {
            operation: "read",
            path: path.to_owned(),
            source,
        };
        let table = partition::read(bytes).map_err(read)?;
        let mut scan = Self {
            table,
            volumes: Vec::new(),
            systems: Vec::new(),
            missed: None,
            unknown: None,
        };
        let mut places: Vec<(String, String, u64, u64)> = scan
            .table
            .partitions
            .iter()
            .filter(|(row, _)| !is_container(row))
            .map(|(row, uuid)| {
                (
                    format!("/dev/sda{}", row.number),
                    uuid.clone(),
                    row.start,
                    row.size,
                )
            })
            .collect();
        if scan.table.kind.is_empty() {
            places.push((WHOLE.to_owned(), String::new(), 0, bytes.size()));
        }
        for (device, part_uuid, start, size) in places {
            job.check()?;
            let mut part = Part::new(bytes, start, size);
            let identity = identify(&mut part).map_err(read)?;
            let mut volume = Volume {
                file_system: FileSystem {
                    device,
                    kind: identity.kind.to_owned(),
                    uuid: identity.uuid,
                    label: identity.label,
                    size,
                    used: None,
                },
                part_uuid,
                ..Volume::default()
            };
            let ext = scan.look_into(&mut part, &mut volume, path)?;
            scan.systems
                .push(ext.map(|ext| System { start, size, ext }));
            scan.volumes.push(volume);
        }
        Ok(scan)
    }

    /// Opens an ext file system and looks for what makes it a root; notes what is beyond this reader.
    fn look_into(
        &mut self,
        part: &mut dyn Blocks,
        volume: &mut Volume,
        path: &Path,
    ) -> Result<Option<Ext>, GuestError> {
        let kind = volume.file_system.kind.as_str();
        if FOREIGN.contains(&kind) {
            self.missed = Some(format!("{} is {kind}", volume.file_system.device));
        }
        if kind.is_empty() && volume.file_system.device != WHOLE && part.size() > SMALL {
            self.unknown = Some(format!("{} is of no known kind", volume.file_system.device));
        }
        if !kind.starts_with("ext") {
            return Ok(None);
        }
        let opened = Ext::open(part).and_then(|ext| {
            volume.is_root = is_root(&ext, part)?;
            volume.fstab = fstab(&ext, part)?;
            Ok(ext)
        });
        match opened {
            Ok(ext) => {
                volume.is_read = true;
                volume.file_system.used = Some(ext.used());
                Ok(Some(ext))
            }
            Err(error @ Unread::CutOff { .. }) => Err(cut_off(path, &error)),
            Err(Unread::Cancelled(cancelled)) => Err(GuestError::Cancelled(cancelled)),
            Err(error) => {
                self.missed = Some(format!("{} has {error}", volume.file_system.device));
                Ok(None)
            }
        }
    }
}

fn is_root(ext: &Ext, part: &mut dyn Blocks) -> Result<bool, Unread> {
    for sign in ROOT_SIGNS {
        if ext.lookup(part, sign)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn fstab(ext: &Ext, part: &mut dyn Blocks) -> Result<Option<Vec<u8>>, Unread> {
    match ext.lookup(part, b"/etc/fstab")? {
        Some(inode) if inode.kind() == Some(FileKind::Regular) => {
            ext.read(part, &inode, 0, LONGEST_FSTAB).map(Some)
        }
        _ => Ok(None),
    }
}
