//! A guest read through the appliance.

use super::{Accel, Access, Appliance, Drive};
use crate::guest::image::Image;
use crate::guest::{Disk, Guest, GuestError, MAX_READ};
use crate::job::Job;
use crate::model::text::escape;
use crate::model::{FileId, FileKind, FileTree, Warning};

/// A guest behind a running appliance.
pub struct LibguestfsGuest {
    appliance: Appliance,
    disk: Disk,
}

impl LibguestfsGuest {
    /// Starts an appliance on the image, read-only, and mounts the guest's file systems.
    pub fn open(image: &Image, accel: Accel, job: &Job) -> Result<Self, GuestError> {
        let drive = Drive {
            path: image.path(),
            format: image.format(),
            access: Access::ReadOnly,
        };
        let appliance = Appliance::launch(&[drive], accel, job)?;
        let size = appliance.disk_size()?;
        let found = appliance.find_guest(Access::ReadOnly, job)?;
        let origin = appliance.origin(
            image.origin("libguestfs", size),
            found.table,
            &found.volumes,
        )?;
        let disk = Disk {
            origin,
            mounts: found.mounts,
        };
        Ok(Self { appliance, disk })
    }
}

impl Guest for LibguestfsGuest {
    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn walk(&mut self, job: &Job) -> Result<(FileTree, Vec<Warning>), GuestError> {
        let (tree, mut warnings) = self.appliance.walk(job)?;
        warnings.extend(
            self.appliance
                .notes()
                .iter()
                .map(|note| Warning::new(b"", note.clone())),
        );
        Ok((tree, warnings))
    }

    fn read(
        &mut self,
        tree: &FileTree,
        file: FileId,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, GuestError> {
        if tree.kind(file) != FileKind::Regular {
            return Ok(Vec::new());
        }
        let path = tree.path(file);
        if tree.size(file).saturating_sub(offset).min(len as u64) > MAX_READ {
            return Err(GuestError::Inside {
                operation: "read",
                path: escape(&path).into_owned(),
                why: "it is too big to read at once".to_owned(),
            });
        }
        self.appliance.read(&path, offset, len)
    }
}
