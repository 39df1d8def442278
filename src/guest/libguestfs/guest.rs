//! A guest read through the appliance.
//!
//! An emulated processor takes a millisecond for each question about a file, and a guest has tens of thousands. So where
//! all file systems are ext2/3/4 (on LVM, with an unclean journal, in an image of a format that is not read directly),
//! the appliance only hands out their blocks and the direct reader makes files of them. It mounts them all the same:
//! that replays a journal, in the library's own overlay, and is the way for all that the direct reader does not know.

use super::devices::Devices;
use super::files::Files;
use super::{Accel, Access, Appliance, Drive};
use crate::guest::direct::Direct;
use crate::guest::image::{Graph, Image};
use crate::guest::{Attributes, Disk, Guest, GuestError};
use crate::job::Job;
use crate::model::{FileId, FileKind, FileTree, Warning};
use std::rc::Rc;

/// A guest behind a running appliance.
pub struct LibguestfsGuest {
    appliance: Rc<Appliance>,
    disk: Disk,
    reader: Reader,
    /// What is damaged in the partition table, as sentences.
    faults: Vec<String>,
}

/// Who makes files of the disk.
enum Reader {
    /// The direct reader, on blocks from the appliance.
    Direct(Box<Direct<Devices>>),
    /// The appliance's kernel.
    Kernel(Files),
}

impl LibguestfsGuest {
    /// Starts an appliance on the image, read-only, and mounts the guest's file systems.
    pub fn open(image: &Image, accel: Accel, job: &Job) -> Result<Self, GuestError> {
        let drive = Drive::Served {
            path: image.path(),
            graph: &Graph::of(image),
            access: Access::ReadOnly,
        };
        let appliance = Rc::new(Appliance::launch(&[drive], accel, job)?);
        let size = appliance.disk_size()?;
        let found = appliance.find_guest(Access::ReadOnly, job)?;
        let faults = found.table.faults.clone();
        let mut origin = image.origin("libguestfs", size);
        origin.confinement = appliance.layers().names();
        let origin = appliance.origin(origin, found.table, &found.volumes)?;
        let mut guest = Self {
            reader: Reader::Kernel(Files::of(&appliance)),
            appliance,
            disk: Disk {
                origin,
                mounts: found.mounts,
            },
            faults,
        };
        guest.read_directly(image)?;
        Ok(guest)
    }

    /// Leaves the appliance the blocks only, where that is enough.
    fn read_directly(&mut self, image: &Image) -> Result<(), GuestError> {
        let mut read = self.disk.mounts.iter().filter(|mount| mount.is_read);
        if !read.all(|mount| mount.file_system.kind.starts_with("ext")) {
            return Ok(());
        }
        let Ok(devices) = Devices::show(&self.appliance, &self.disk.mounts) else {
            return self.read_mounted();
        };
        let path = image.path().to_owned();
        match Direct::of(self.disk.clone(), path, &devices.places(), devices) {
            Some(direct) => self.reader = Reader::Direct(Box::new(direct)),
            None => self.read_mounted()?,
        }
        Ok(())
    }

    /// Mounts the guest again, for the kernel to read it.
    fn read_mounted(&mut self) -> Result<(), GuestError> {
        self.appliance.unmount_all()?;
        let mounts = &mut self.disk.mounts;
        self.appliance.mount_again(mounts, Access::ReadOnly)
    }

    fn tree(&mut self, job: &Job) -> Result<(FileTree, Vec<Warning>), GuestError> {
        if let Reader::Direct(direct) = &mut self.reader {
            match direct.walk(job) {
                Err(GuestError::Cancelled(cancelled)) => return Err(cancelled.into()),
                Err(_) => self.read_mounted()?,
                found => return found,
            }
        }
        self.reader = Reader::Kernel(Files::of(&self.appliance));
        self.appliance.walk(job)
    }
}

impl Guest for LibguestfsGuest {
    fn disk(&self) -> &Disk {
        match &self.reader {
            Reader::Direct(direct) => direct.disk(),
            Reader::Kernel(_) => &self.disk,
        }
    }

    fn walk(&mut self, job: &Job) -> Result<(FileTree, Vec<Warning>), GuestError> {
        let (tree, mut warnings) = self.tree(job)?;
        let notes = self.appliance.notes().iter().chain(&self.faults);
        warnings.extend(notes.map(|note| Warning::new(b"", note.clone())));
        Ok((tree, warnings))
    }

    fn read(
        &mut self,
        tree: &FileTree,
        file: FileId,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, GuestError> {
        match &mut self.reader {
            Reader::Direct(direct) => direct.read(tree, file, offset, len),
            Reader::Kernel(_) if tree.kind(file) != FileKind::Regular => Ok(Vec::new()),
            Reader::Kernel(files) => files.read(tree, file, offset, len),
        }
    }

    fn attributes(
        &mut self,
        tree: &FileTree,
        file: FileId,
    ) -> Result<Option<Attributes>, GuestError> {
        match &mut self.reader {
            Reader::Direct(direct) => direct.attributes(tree, file),
            Reader::Kernel(_) => Ok(None),
        }
    }
}
