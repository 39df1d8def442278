//! A disk image read directly: partitions, ext2/3/4 file systems and the guest's fstab, without an appliance.
//!
//! About a second for a guest for which the appliance takes ten or more, and nothing but `qemu-nbd` is needed. What it
//! cannot read it says before it shows a tree, so that libguestfs can take over.

#[cfg(test)]
mod mutated;
mod places;
mod scan;
#[cfg(test)]
mod tests;

use super::blocks::{Blocks, Part};
use super::cache::{Cache, FAR, NEAR};
use super::damage::{self, Damage};
use super::ext4::{Covered, Ext, Fault, Growth, Place, Unread, walk};
use super::image::Image;
use super::layout::{self, Placed, Volume};
use super::nbd::NbdDisk;
use super::{Attributes, Disk, Guest, GuestError, MAX_READ, heads};
use crate::job::Job;
use crate::model::inventory::Origin;
use crate::model::text::escape;
use crate::model::{FileId, FileKind, FileTree, TreeBuilder, Warning};
pub(crate) use places::{ExtPlace, ext_places};
use scan::{Scan, System};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A guest on a disk that is read directly.
pub(super) struct Direct<B> {
    bytes: Cache<B>,
    disk: Disk,
    path: PathBuf,
    /// File systems by their place in `disk.mounts`; `None` for those that are not read.
    systems: Vec<Option<System>>,
    /// File system and inode number of each file of the last tree.
    inodes: Vec<(u32, u32)>,
    /// Those of the files whose contents cannot be read.
    unreadable: HashSet<(u32, u32)>,
    /// What is damaged on the disk outside of the guest's files, as sentences.
    faults: Vec<String>,
}

/// What came of looking at a disk.
pub(super) enum Opened<B> {
    /// All of it can be read.
    Guest(Direct<B>),
    /// A part of it is beyond this reader; here is the guest without that part, if its root can be read, and why.
    Partly(Option<Direct<B>>, String),
}

impl Direct<NbdDisk> {
    /// Opens an image.
    pub fn open(image: &Image, job: &Job) -> Result<Opened<NbdDisk>, GuestError> {
        job.items("opening the disk", 0, None);
        let disk = NbdDisk::open(image, job)?;
        let mut origin = image.origin("ext4", disk.size());
        origin.confinement = disk.layers().names();
        Self::on(disk, origin, image.path().to_owned(), job)
    }
}

impl<B: Blocks> Direct<B> {
    /// The guest whose mounts are known, each with first byte and length of its file system in `bytes`, which are slow to
    /// come. `None` where one of them that
    /// is read is none of ext2/3/4, or beyond this reader.
    pub fn of(disk: Disk, path: PathBuf, places: &[(u64, u64)], bytes: B) -> Option<Self> {
        let job = Job::quiet();
        let mut bytes = Cache::new(bytes, FAR);
        let systems = disk.mounts.iter().zip(places);
        let systems = systems.map(|(mount, &(start, size))| {
            if !mount.is_read {
                return Some(None);
            }
            let ext = Ext::open(&mut Part::new(&mut bytes, start, size), &job).ok()?;
            Some(Some(System { start, size, ext }))
        });
        let systems = systems.collect::<Option<_>>()?;
        Some(Self {
            bytes,
            disk,
            path,
            systems,
            inodes: Vec::new(),
            unreadable: HashSet::new(),
            faults: Vec::new(),
        })
    }

    /// Looks at a disk: its partitions, their file systems, the root and its fstab.
    pub fn on(disk: B, origin: Origin, path: PathBuf, job: &Job) -> Result<Opened<B>, GuestError> {
        let mut bytes = Cache::new(disk, NEAR);
        let scan = Scan::run(&mut bytes, &path, job)?;
        let placed = match layout::place(&scan.volumes) {
            Ok(placed) => placed,
            Err(error) => return scan.without_root(error),
        };
        let origin = heads::origin(origin, scan.table, &scan.volumes, &mut bytes);
        let origin = origin.map_err(|source| GuestError::Host {
            operation: "read",
            path: path.clone(),
            source,
        })?;
        let disk = Disk {
            mounts: layout::mounts(&scan.volumes, &placed),
            origin,
        };
        let guest = Self {
            bytes,
            disk,
            path,
            systems: in_order(scan.systems, &placed),
            inodes: Vec::new(),
            unreadable: HashSet::new(),
            faults: scan.faults,
        };
        Ok(match scan.missed {
            None => Opened::Guest(guest),
            Some(why) => Opened::Partly(Some(guest), why),
        })
    }

    /// Adds the file system of one mount; its mount point must be in the tree already. Returns the mounts on it.
    fn grow(
        &mut self,
        at: usize,
        id: u32,
        growth: &mut Growth,
        job: &Job,
    ) -> Result<Vec<(usize, u32)>, GuestError> {
        let mounts = &self.disk.mounts;
        let covered = covered(
            mounts.iter().map(|mount| (&mount.at[..], mount.is_read)),
            at,
        );
        let Some(system) = self.systems[at].as_ref() else {
            return Ok(Vec::new());
        };
        let mut part = Part::new(&mut self.bytes, system.start, system.size);
        let place = Place {
            file_system: at as u32,
            root: id,
            path: mounts[at].at.len(),
            covered,
        };
        let found = system.ext.root_entry(&mut part).and_then(|(entry, inode)| {
            growth.builder.add_path(&mounts[at].at, entry);
            growth.note(id, (at as u32, inode));
            walk(&system.ext, &mut part, place, growth, job)
        });
        match found.map_err(Unread::of_piece) {
            Ok(found) => Ok(found),
            // The rest of the guest can be read without it.
            Err(Ok(what)) if at > 0 => {
                growth.faults.push(Fault {
                    id,
                    name: None,
                    what: format!("the file system cannot be read: {what}"),
                });
                Ok(Vec::new())
            }
            Err(Ok(what)) => Err(self.damaged(&what)),
            Err(Err(error)) => {
                Err(self.inside("read the tree of", &self.disk.mounts[at].at, error))
            }
        }
    }

    /// The refusal where not even the root's own folder can be read.
    fn damaged(&self, what: &str) -> GuestError {
        let mount = &self.disk.mounts[0];
        let start = self.systems[0].as_ref().map(|system| system.start);
        let volume = Volume {
            file_system: mount.file_system.clone(),
            damage: Some(Damage::found(what, start)),
            ..Volume::default()
        };
        damage::no_root(&[volume])
    }

    fn inside(&self, operation: &'static str, path: &[u8], error: Unread) -> GuestError {
        match error {
            Unread::Cancelled(cancelled) => GuestError::Cancelled(cancelled),
            Unread::CutOff { .. } => cut_off(&self.path, &error),
            Unread::Unsupported(what) => unsupported(&what),
            Unread::Broken(_) | Unread::Disk(_) | Unread::TooMany => GuestError::Inside {
                operation,
                path: escape(path).into_owned(),
                why: error.to_string(),
            },
        }
    }
}

/// The refusal that sends a user, or the automatic choice, to libguestfs.
pub(super) fn unsupported(what: &str) -> GuestError {
    GuestError::Unsupported {
        what: format!("this disk cannot be read directly: {what}"),
        hint: "`--backend libguestfs` reads it through the appliance".to_owned(),
    }
}

/// The file systems of the mounts, in the mounts' order.
fn in_order(mut systems: Vec<Option<System>>, placed: &[Placed]) -> Vec<Option<System>> {
    placed
        .iter()
        .map(|placed| systems[placed.volume].take())
        .collect()
}

/// The read mounts that lie directly on mount `at`, their paths relative to it.
fn covered<'a>(mounts: impl Iterator<Item = (&'a [u8], bool)>, at: usize) -> Vec<Covered> {
    let all: Vec<(&[u8], bool)> = mounts.collect();
    let base = path_parts(all[at].0);
    all.iter()
        .enumerate()
        .filter(|(other, (path, is_read))| *other != at && *is_read && path.first() == Some(&b'/'))
        .filter_map(|(mount, (path, _))| {
            let mut rest = path_parts(path);
            if rest.len() <= base.len() || rest[..base.len()] != base[..] {
                return None;
            }
            rest.drain(..base.len());
            rest.reverse();
            Some(Covered { rest, mount })
        })
        .collect()
}

fn path_parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

impl<B: Blocks> Guest for Direct<B> {
    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn walk(&mut self, job: &Job) -> Result<(FileTree, Vec<Warning>), GuestError> {
        let mut growth = Growth::default();
        let mut todo = vec![(0, TreeBuilder::ROOT)];
        let mut done = vec![false; self.systems.len()];
        while let Some((at, id)) = todo.pop() {
            done[at] = true;
            todo.extend(self.grow(at, id, &mut growth, job)?);
        }
        let faults = self.faults.iter();
        let mut warnings: Vec<Warning> = faults.map(|what| Warning::new(b"", &**what)).collect();
        let mut unplaced = Vec::new();
        for (at, done) in done.into_iter().enumerate() {
            let mount = &mut self.disk.mounts[at];
            if mount.is_read && !done {
                mount.is_read = false;
                let what = "there is no folder to mount it on; it is not shown";
                unplaced.push(Warning::new(&mount.at, what));
            }
            let faults = self.systems[at].as_ref().map(|system| system.ext.faults());
            let faults = faults.into_iter().flatten();
            warnings.extend(faults.map(|what| Warning::new(&mount.at, what)));
        }
        let (tree, order) = growth.builder.finish();
        self.inodes = order
            .iter()
            .map(|&id| growth.inodes.get(id as usize).copied().unwrap_or_default())
            .collect();
        let mut place = vec![FileId::ROOT; growth.inodes.len()];
        for (at, &id) in order.iter().enumerate() {
            if let Some(place) = place.get_mut(id as usize) {
                *place = FileId(at as u32);
            }
        }
        let lost = growth.more_faults;
        for fault in growth.faults {
            let id = fault.id as usize;
            let file = place.get(id).copied().unwrap_or(FileId::ROOT);
            warnings.push(fault.into_warning(&tree, file));
        }
        if lost > 0 {
            warnings.push(Warning::new(b"", format!("{lost} more files are damaged")));
        }
        self.unreadable = growth.unreadable;
        self.disk.origin.damage = damage::sentences(&warnings);
        warnings.extend(unplaced);
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
        let (at, number) = self.inodes.get(file.index()).copied().unwrap_or_default();
        let Some(system) = self.systems.get(at as usize).and_then(Option::as_ref) else {
            return Ok(Vec::new());
        };
        let mut part = Part::new(&mut self.bytes, system.start, system.size);
        let job = Job::quiet();
        let bytes = system.ext.inode(&mut part, number).and_then(|inode| {
            if self.unreadable.contains(&(at, number)) {
                return Err(Unread::Broken("its blocks are damaged".to_owned()));
            }
            if inode.size.saturating_sub(offset).min(len as u64) > MAX_READ {
                return Err(Unread::Broken("it is too big to read at once".to_owned()));
            }
            let mut seen = system.ext.seen(&job);
            system.ext.read(&mut part, &inode, offset, len, &mut seen)
        });
        bytes.map_err(|error| self.inside("read", &tree.path(file), error))
    }

    fn attributes(
        &mut self,
        tree: &FileTree,
        file: FileId,
    ) -> Result<Option<Attributes>, GuestError> {
        let (at, number) = self.inodes.get(file.index()).copied().unwrap_or_default();
        let Some(system) = self.systems.get(at as usize).and_then(Option::as_ref) else {
            return Ok(None);
        };
        let mut part = Part::new(&mut self.bytes, system.start, system.size);
        match system.ext.attributes(&mut part, number) {
            Ok(attributes) => Ok(Some(attributes)),
            Err(Unread::Unsupported(_)) => Ok(None),
            Err(error) => Err(self.inside("read attributes of", &tree.path(file), error)),
        }
    }
}

fn cut_off(path: &Path, error: &Unread) -> GuestError {
    GuestError::Image {
        path: path.to_owned(),
        why: format!("it is truncated: a file system does not fit in it ({error})"),
    }
}
