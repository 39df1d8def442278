//! Finds the disk's file systems and mounts the guest's own in their places.

use super::devices::partition_number;
use super::{Access, Appliance, ffi};
use crate::guest::blocks::Blocks;
use crate::guest::damage::Damage;
use crate::guest::layout::{self, LONGEST_FSTAB, ROOT_SIGNS, Volume};
use crate::guest::mode::kind_of;
use crate::guest::partition::{self, Table};
use crate::guest::{GuestError, heads};
use crate::job::Job;
use crate::model::inventory::Origin;
use crate::model::text::escape;
use crate::model::{FileKind, FileSystem, Mount};
use std::collections::BTreeMap;

/// File systems whose files the tree shows. Others (the firmware's vfat, swap, ntfs) are kept whole, in each backend.
const READ: [&str; 8] = [
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs",
];

/// What is on the first drive.
pub(super) struct FoundGuest {
    /// Its partition table.
    pub table: Table,
    /// All that could hold files.
    pub volumes: Vec<Volume>,
    /// The guest's own, in their places.
    pub mounts: Vec<Mount>,
}

impl Appliance {
    /// Mounts the first drive's root and what its fstab names, read-only or for writing, and tells what is where. What
    /// cannot be mounted, but for the root, is told with `is_read` false.
    pub fn mount_guest(&self, access: Access, job: &Job) -> Result<Vec<Mount>, GuestError> {
        Ok(self.find_guest(access, job)?.mounts)
    }

    /// As [`mount_guest`](Self::mount_guest), and tells what else is on the drive.
    pub(super) fn find_guest(&self, access: Access, job: &Job) -> Result<FoundGuest, GuestError> {
        job.items("finding the file systems", 0, None);
        let table = self.partition_table()?;
        let mut volumes = Vec::new();
        for (device, kind) in self.file_systems()? {
            job.check()?;
            volumes.push(self.volume(&device, &kind, &table));
        }
        let placed = layout::place(&volumes)?;
        let mut mounts = layout::mounts(&volumes, &placed);
        for mount in &mut mounts {
            job.check()?;
            if mount.is_read {
                self.mount_one(mount, access)?;
            }
        }
        Ok(FoundGuest {
            table,
            volumes,
            mounts,
        })
    }

    /// Mounts what was found on the same disk without an appliance: looking for it takes a third of the start's time.
    ///
    /// # Errors
    /// As well when a device holds another file system than it did.
    pub fn mount_known(&self, known: &[Mount], access: Access) -> Result<Vec<Mount>, GuestError> {
        let mut mounts = known.to_vec();
        for mount in mounts.iter().filter(|mount| mount.is_read) {
            let FileSystem { device, uuid, .. } = &mount.file_system;
            let here = self.call("look at a file system", |handle| handle.vfs_uuid(device))?;
            if *escape(here.as_bytes()) != **uuid {
                let why = format!("{device} is not the file system that it was");
                return Err(super::appliance_error("mount the guest", why.as_bytes()));
            }
        }
        self.mount_again(&mut mounts, access)?;
        Ok(mounts)
    }

    /// Mounts again what [`mount_guest`](Self::mount_guest) had mounted, and measures it anew.
    pub fn mount_again(&self, mounts: &mut [Mount], access: Access) -> Result<(), GuestError> {
        for mount in mounts.iter_mut().filter(|mount| mount.is_read) {
            self.mount_one(mount, access)?;
        }
        Ok(())
    }

    /// Whether all that a mounted file system may free lies in whole pieces of `grain` bytes of the disk.
    pub fn frees_whole(&self, mount_point: &str, grain: u64) -> Result<bool, GuestError> {
        let space = self.call("measure a file system", |handle| {
            handle.statvfs(mount_point)
        })?;
        let partitions = self.partition_table()?.partitions;
        let is_aligned = partitions
            .iter()
            .all(|(partition, _)| partition.start.is_multiple_of(grain));
        Ok(is_aligned && u64::try_from(space.bsize).is_ok_and(|size| size.is_multiple_of(grain)))
    }

    /// The first drive's partition table.
    pub(super) fn partition_table(&self) -> Result<Table, GuestError> {
        let mut disk = self.device("/dev/sda")?;
        partition::read(&mut disk).map_err(|error| {
            super::appliance_error("read the partition table", error.to_string().as_bytes())
        })
    }

    /// The facts about the first drive, with its table and what lies at the beginning of everything.
    pub(super) fn origin(
        &self,
        facts: Origin,
        table: Table,
        volumes: &[Volume],
    ) -> Result<Origin, GuestError> {
        let mut disk = self.device("/dev/sda")?;
        heads::origin(facts, table, volumes, &mut disk)
            .map_err(|error| super::appliance_error("read the disk", error.to_string().as_bytes()))
    }

    /// The first drive's size in bytes.
    pub(super) fn disk_size(&self) -> Result<u64, GuestError> {
        Ok(self.device("/dev/sda")?.size())
    }

    fn mount_one(&self, mount: &mut Mount, access: Access) -> Result<(), GuestError> {
        let options = match access {
            Access::ReadOnly => "ro",
            Access::Write => "rw",
        };
        let device = mount.file_system.device.clone();
        let at = std::str::from_utf8(&mount.at).ok();
        let mounted = at.filter(|_| self.is_folder(&mount.at)).map(|at| {
            self.call("mount a file system of the guest", |handle| {
                handle.mount_options(options, &device, at)
            })
        });
        match mounted {
            Some(Ok(())) => mount.file_system.used = self.used(&mount.at),
            Some(Err(error)) if mount.at == b"/" => return Err(error),
            // A mount point that is no text or no folder: the file system stays whole and is not shown.
            Some(Err(_)) | None => mount.is_read = false,
        }
        Ok(())
    }

    /// Whether each part of a path is a folder of the guest. The library mounts without looking: a symlink on the way could
    /// lead it into the appliance's own folders.
    fn is_folder(&self, path: &[u8]) -> bool {
        let mut folder = b"/".to_vec();
        path.split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
            .all(|name| {
                let kind = self.kind(&folder, name);
                folder.extend_from_slice(name);
                folder.push(b'/');
                kind == Some(FileKind::Directory)
            })
    }

    /// What a name in a folder is; no link is followed.
    fn kind(&self, folder: &[u8], name: &[u8]) -> Option<FileKind> {
        let stats = ffi::lstat_list(&self.handle, folder, &[name]);
        kind_of(stats.ok()?.pop()??.mode)
    }

    fn used(&self, at: &[u8]) -> Option<u64> {
        let at = std::str::from_utf8(at).ok()?;
        let space = self
            .call("measure a file system", |handle| handle.statvfs(at))
            .ok()?;
        let blocks = space.blocks.checked_sub(space.bfree)?;
        u64::try_from(blocks.checked_mul(space.frsize)?).ok()
    }

    /// Device and type of every file system, of the first drive and of volumes on it.
    pub(super) fn file_systems(&self) -> Result<BTreeMap<String, String>, GuestError> {
        let found = self.call("list the file systems", guestfs::Handle::list_filesystems)?;
        Ok(found
            .into_iter()
            .filter(|(device, _)| {
                let other_drive = device
                    .strip_prefix("/dev/sd")
                    .is_some_and(|rest| !rest.starts_with('a') && !rest.contains('/'));
                !other_drive
            })
            .collect())
    }

    fn volume(&self, device: &str, kind: &str, table: &Table) -> Volume {
        let number = partition_number(device);
        let row = table
            .partitions
            .iter()
            .find(|(partition, _)| Some(partition.number) == number);
        let ask = |call: &dyn Fn(&guestfs::Handle) -> Result<String, guestfs::Error>| {
            self.call("look at a file system", call)
                .map(|text| escape(text.as_bytes()).into_owned())
                .unwrap_or_default()
        };
        let size = self
            .call("measure a file system", |handle| {
                handle.blockdev_getsize64(device)
            })
            .ok()
            .and_then(|size| u64::try_from(size).ok());
        let mut volume = Volume {
            file_system: FileSystem {
                device: device.to_owned(),
                kind: if kind == "unknown" {
                    String::new()
                } else {
                    kind.to_owned()
                },
                uuid: ask(&|handle| handle.vfs_uuid(device)),
                label: ask(&|handle| handle.vfs_label(device)),
                size: size.unwrap_or_default(),
                used: None,
            },
            part_uuid: row.map(|(_, uuid)| uuid.clone()).unwrap_or_default(),
            is_read: READ.contains(&kind),
            ..Volume::default()
        };
        if volume.is_read {
            let start = row.map(|(partition, _)| partition.start);
            self.look_into(device, start, &mut volume);
        }
        volume
    }

    fn look_into(&self, device: &str, start: Option<u64>, volume: &mut Volume) {
        let mounted = self.call("mount a file system of the guest", |handle| {
            handle.mount_ro(device, "/")
        });
        if let Err(error) = mounted {
            volume.is_read = false;
            volume.damage = Some(Damage {
                what: format!("cannot be mounted: {error}"),
                start,
            });
            return;
        }
        volume.is_root = ROOT_SIGNS
            .iter()
            .any(|path| self.exists(path).unwrap_or(false));
        volume.fstab = self.small_file(b"/etc", b"fstab");
        if self.unmount_all().is_err() {
            volume.is_read = false;
        }
    }

    /// A regular file's contents; `None` for anything else, so that a pipe in its place cannot block.
    pub fn small_file(&self, folder: &[u8], name: &[u8]) -> Option<Vec<u8>> {
        if self.kind(folder, name) != Some(FileKind::Regular) {
            return None;
        }
        self.read(&[folder, b"/", name].concat(), 0, LONGEST_FSTAB)
            .ok()
    }
}
