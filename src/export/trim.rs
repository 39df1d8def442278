//! Discards freed space inside the appliance, so that its old contents are not in the output: free blocks of file systems, and
//! whole swap areas.

use super::disk::ext;
use super::disk::leftovers::{leftovers, lines_about};
use super::error::ExportError;
use super::image::OVERLAY_CLUSTER;
use super::surgery::Surgery;
use crate::guest::GuestError;
use crate::guest::libguestfs::Access;
use crate::model::{FileSystem, Mount};

impl Surgery<'_> {
    /// Unmounts, so that the journal lets freed blocks go, mounts again and tells the disk what is free; says where
    /// that did not work. `command_line` is the kernel's.
    pub fn trim(&mut self, command_line: &str) -> Result<Vec<String>, ExportError> {
        let coarse = self.coarse()?;
        let mut missed = self.leftovers(command_line)?;
        self.within("unmount", |appliance| {
            appliance.sync().and_then(|()| appliance.unmount_all())
        })?;
        for system in &coarse {
            missed.extend(self.zero_free(system)?);
        }
        let mut mounts = std::mem::take(&mut self.mounts);
        self.within("mount the guest again", |appliance| {
            appliance.mount_again(&mut mounts, Access::Write)
        })?;
        self.mounts = mounts;
        for mount in self.mounts.iter().filter(|mount| mount.is_read) {
            let at = String::from_utf8_lossy(&mount.at);
            match self.within("trim", |appliance| appliance.trim(&at)) {
                Err(ExportError::Guest(GuestError::Appliance { why, .. })) => {
                    missed.push(format!(
                        "freed space of {} stays in the output: {why}",
                        mount.file_system.device
                    ));
                }
                other => other?,
            }
        }
        Ok(missed)
    }

    /// File systems whose freed pieces may be smaller than what the overlay forgets.
    fn coarse(&self) -> Result<Vec<FileSystem>, ExportError> {
        let mut coarse = Vec::new();
        for mount in self.mounts.iter().filter(|mount| mount.is_read) {
            let at = String::from_utf8_lossy(&mount.at);
            if !self.within("measure", |appliance| {
                appliance.frees_whole(&at, OVERLAY_CLUSTER)
            })? {
                coarse.push(mount.file_system.clone());
            }
        }
        Ok(coarse)
    }

    /// Clears free blocks one by one, where that is known how; else says so.
    fn zero_free(&self, system: &FileSystem) -> Result<Option<String>, ExportError> {
        if system.kind.starts_with("ext") {
            self.within("clear free blocks", |appliance| {
                appliance.zero_free(&system.device)
            })?;
            return Ok(None);
        }
        Ok(Some(format!(
            "pieces of freed files may stay in the output: {} ({}) frees less than {OVERLAY_CLUSTER} bytes at a time",
            system.device, system.kind
        )))
    }

    /// What file systems may still hold of files that went, however their blocks are cleared; one phrase each.
    fn leftovers(&self, command_line: &str) -> Result<Vec<String>, ExportError> {
        let mut lines = Vec::new();
        let fstab = self.within("read fstab", |appliance| {
            Ok(appliance.small_file(b"/etc", b"fstab").unwrap_or_default())
        })?;
        let systems = (self.mounts.iter()).filter(|mount| mount.is_read);
        for Mount {
            at, file_system, ..
        } in systems
        {
            let FileSystem { device, kind, .. } = file_system;
            if !kind.starts_with("ext") {
                continue;
            }
            let raw = self.within("read the superblock", |appliance| {
                appliance.read_device(device, ext::SUPERBLOCK_AT, ext::SUPERBLOCK)
            })?;
            let mut options = lines_about(&fstab, at);
            if at == b"/" {
                options.extend_from_slice(command_line.as_bytes());
            }
            let found = leftovers(&raw, &options);
            lines.extend(found.iter().map(|what| format!("{device} {what}")));
        }
        Ok(lines)
    }

    /// Clears the guest's swap areas, which keep their identifiers.
    pub fn clear_swap(&self) -> Result<(), ExportError> {
        self.within("clear swap areas", |appliance| {
            (appliance.swap_areas()?.iter()).try_for_each(|device| appliance.clear_swap(device))
        })
    }
}
