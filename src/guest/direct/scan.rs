//! What is on a disk: partitions, what each holds, and which of them this reader can read.

use super::{Opened, cut_off};
use crate::guest::GuestError;
use crate::guest::blocks::{Blocks, Part};
use crate::guest::damage::{self, Damage};
use crate::guest::ext4::{Ext, Unread, is_copy};
use crate::guest::identify::identify;
use crate::guest::layout::{LONGEST_FSTAB, ROOT_SIGNS, Volume};
use crate::guest::partition::{self, Table, is_container};
use crate::job::Job;
use crate::model::{FileKind, FileSystem};
use std::path::Path;

/// Kinds that this reader does not know and that libguestfs may.
const FOREIGN: [&str; 7] = [
    "xfs",
    "btrfs",
    "LVM2_member",
    "crypto_LUKS",
    "f2fs",
    "jfs",
    "reiserfs",
];

/// The sign of a root that tells what else is mounted.
const FSTAB: &[u8] = b"/etc/fstab";

/// The MBR type of what stands for a GPT's partitions, and holds none itself.
const PROTECTIVE: &str = "ee";

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
    /// The refusal where what is missing at the disk's end may hold the root.
    pub cut_off: Option<GuestError>,
    /// What is damaged and leaves the rest readable, as sentences.
    pub faults: Vec<String>,
}

/// A part of the disk that may hold a file system.
struct Place {
    device: String,
    part_uuid: String,
    start: u64,
    size: u64,
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
            faults: table.faults.clone(),
            table,
            volumes: Vec::new(),
            systems: Vec::new(),
            missed: None,
            unknown: None,
            cut_off: None,
        };
        for place in scan.places(bytes.size()) {
            job.check()?;
            let mut part = Part::new(bytes, place.start, place.size);
            let identity = identify(&mut part);
            let found = identity.as_ref().ok().cloned().unwrap_or_default();
            let mut volume = Volume {
                file_system: FileSystem {
                    device: place.device.clone(),
                    kind: found.kind.to_owned(),
                    uuid: found.uuid,
                    label: found.label,
                    size: place.size,
                    used: None,
                },
                part_uuid: place.part_uuid.clone(),
                ..Volume::default()
            };
            let opened = match identity {
                Ok(_) => scan.look_into(&mut part, &mut volume, job),
                Err(error) => Err(Unread::Disk(error)),
            };
            let ext = scan.note(opened, &mut volume, &place, path)?;
            scan.systems.push(ext.map(|ext| System {
                start: place.start,
                size: place.size,
                ext,
            }));
            scan.volumes.push(volume);
        }
        Ok(scan)
    }

    /// Where file systems may be: in each partition, or on the disk itself where it has none.
    fn places(&self, size: u64) -> Vec<Place> {
        if self.table.kind.is_empty() {
            return vec![Place {
                device: WHOLE.to_owned(),
                part_uuid: String::new(),
                start: 0,
                size,
            }];
        }
        let rows = self.table.partitions.iter();
        rows.filter(|(row, _)| !is_container(row) && row.kind != PROTECTIVE && row.start < size)
            .map(|(row, uuid)| Place {
                device: format!("/dev/sda{}", row.number),
                part_uuid: uuid.clone(),
                start: row.start,
                size: row.size,
            })
            .collect()
    }

    /// Opens an ext file system and looks for what makes it a root; notes what is beyond this reader.
    fn look_into(
        &mut self,
        part: &mut dyn Blocks,
        volume: &mut Volume,
        job: &Job,
    ) -> Result<Option<Ext>, Unread> {
        let FileSystem { device, kind, .. } = &volume.file_system;
        if FOREIGN.contains(&kind.as_str()) {
            self.missed = Some(format!("{device} is {kind}"));
        }
        if kind.is_empty() {
            if lost_superblock(part)? {
                "ext4".clone_into(&mut volume.file_system.kind);
                return Err(Unread::Broken("its superblock is lost".to_owned()));
            }
            if device != WHOLE && part.size() > SMALL {
                self.unknown = Some(format!("{device} is of no known kind"));
            }
        }
        if !kind.starts_with("ext") {
            return Ok(None);
        }
        let ext = Ext::open(part, job)?;
        let mut fault = None;
        for sign in ROOT_SIGNS {
            let looked = ext.lookup(part, sign, job)?;
            fault = fault.or(looked.fault);
            let Some(inode) = looked.inode else {
                continue;
            };
            volume.is_root = true;
            if sign == FSTAB && inode.kind() == Some(FileKind::Regular) {
                let text = ext.read(part, &inode, 0, LONGEST_FSTAB, &mut ext.seen(job));
                match text.map_err(Unread::of_piece) {
                    Ok(text) => volume.fstab = Some(text),
                    Err(why) => fault = Some(why?),
                }
            }
        }
        if let Some(what) = fault.filter(|_| !volume.is_root) {
            // What makes it a root may be there all the same.
            volume.damage = Some(Damage::found(&what, None));
        }
        Ok(Some(ext))
    }

    /// What to do where no root was found: libguestfs may find one, or something is damaged, or there is none.
    pub fn without_root<B>(self, error: GuestError) -> Result<Opened<B>, GuestError> {
        let is_none = !self.volumes.iter().any(|volume| volume.is_root);
        if let Some(error) = self.cut_off.filter(|_| is_none) {
            return Err(error);
        }
        let is_damaged = matches!(error, GuestError::Damaged { .. });
        match self.missed.or(self.unknown.filter(|_| !is_damaged)) {
            Some(why) => Ok(Opened::Partly(None, why)),
            None if is_none && !is_damaged && !self.table.faults.is_empty() => {
                Err(damage::no_table(&self.table.faults))
            }
            None => Err(error),
        }
    }

    /// Notes what came of looking into a volume.
    fn note(
        &mut self,
        opened: Result<Option<Ext>, Unread>,
        volume: &mut Volume,
        place: &Place,
        path: &Path,
    ) -> Result<Option<Ext>, GuestError> {
        let error = match opened {
            Ok(ext) => {
                volume.is_read = ext.is_some();
                volume.file_system.used = ext.as_ref().map(Ext::used);
                if let Some(damage) = &mut volume.damage {
                    damage.start = Some(place.start);
                }
                return Ok(ext);
            }
            Err(Unread::Cancelled(cancelled)) => return Err(GuestError::Cancelled(cancelled)),
            Err(Unread::Unsupported(what)) => {
                self.missed = Some(format!("{} has {what}", place.device));
                return Ok(None);
            }
            Err(error) => error,
        };
        if matches!(&error, Unread::CutOff { end, .. } if *end <= place.size || place.is_disk()) {
            self.cut_off = Some(cut_off(path, &error));
        }
        volume.damage = Some(Damage::found(&error.to_string(), Some(place.start)));
        let complaint = volume.complaint().unwrap_or_default();
        self.faults
            .push(format!("{complaint}; its files are not shown"));
        Ok(None)
    }
}

impl Place {
    /// Whether it is the disk itself.
    fn is_disk(&self) -> bool {
        self.device == WHOLE
    }
}

/// Whether the superblock at the beginning is gone, and one of its copies is where `mke2fs` puts it.
fn lost_superblock(part: &mut dyn Blocks) -> Result<bool, Unread> {
    // The first block of the second group, for blocks of 1, 2 and 4 KiB.
    const COPIES: [u64; 3] = [8193 << 10, 16384 << 11, 32768 << 12];
    for copy in COPIES {
        if is_copy(&part.bytes(copy, 1024)?) {
            return Ok(true);
        }
    }
    Ok(false)
}
