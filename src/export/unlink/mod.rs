//! Takes files off the ext4 file systems of the overlay without the appliance.
//!
//! Under emulation a kernel needs 0.4 ms for a file, a hundred times what it takes here, and removing is the longest
//! part of an export. Only what is plain goes here: files whose blocks are extents of their own, links and
//! special files, from file systems whose features are all known ([`Shape`]). The rest is left for the appliance's kernel, and
//! in a later step `e2fsck` checks what was written here like anything else. The format is that of the kernel's
//! Documentation/filesystems/ext4. Unlike the kernel, it writes no times and no new journal, and erases names and inodes.

mod folder;
mod inode;
mod shape;
#[cfg(test)]
mod tests;
mod used;
mod volume;

use super::error::ExportError;
use super::step::Removal;
use crate::guest::image::Graph;
use crate::guest::{BlocksMut, ExtPlace, GuestError, NbdDisk, ext_places};
use crate::job::{Cancelled, Job};
use folder::Trail;
use std::io;
use std::path::Path;
pub(super) use used::{Space, space};
use volume::Volume;

/// How many files are removed between two looks at the job.
const BATCH: usize = 1000;

/// Why a file system cannot be changed here; what was changed is worthless then.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// Not as an ext file system must be.
    #[error("{0}")]
    Broken(&'static str),
    /// The disk below failed.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// Somebody asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Absolute paths of what is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paths<P = Vec<u8>> {
    /// Whatever is no folder, in tree order.
    pub files: Vec<P>,
    /// Folders that are empty then, the deepest first.
    pub folders: Vec<P>,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unlinked {
    /// They are gone.
    Done {
        /// All but these, which the kernel must remove.
        left: Paths,
        /// Bytes of room that are free now.
        freed: u64,
    },
    /// A file system is damaged: the overlay must be made anew, and nothing is removed.
    Damaged,
}

/// Removes files and folders from the overlay; `told` hears how many files are done.
///
/// # Errors
/// When the overlay cannot be read or written, and on a cancel.
pub(super) fn unlink(
    (overlay, graph): (&Path, &Graph),
    removal: &Removal,
    job: &Job,
    told: impl FnMut(u64),
) -> Result<Unlinked, ExportError> {
    let disk = NbdDisk::open_overlay(overlay, graph, job)?;
    let Some((mut disk, places)) = ext_places(disk, overlay, job)? else {
        return Ok(Unlinked::Done {
            left: Paths::of(removal),
            freed: 0,
        });
    };
    let done = unlink_from(&mut disk, overlay, &places, removal, job, told)?;
    if matches!(done, Unlinked::Done { .. }) {
        disk.finish().map_err(ExportError::host("write", overlay))?;
    }
    Ok(done)
}

/// Removes files and folders from these file systems of a disk; `path` is for errors.
///
/// # Errors
/// When the disk cannot be read or written, and on a cancel.
pub(super) fn unlink_from(
    disk: &mut dyn BlocksMut,
    path: &Path,
    places: &[ExtPlace],
    removal: &Removal,
    job: &Job,
    mut told: impl FnMut(u64),
) -> Result<Unlinked, ExportError> {
    let mut left = Paths::default();
    let mut freed = 0;
    let mut done = 0;
    for (at, own) in by_place(places, removal).into_iter().enumerate() {
        let Some(place) = places.get(at) else {
            left.add(&own);
            continue;
        };
        let mut more = |count: usize| {
            done += count as u64;
            told(done);
        };
        match from_one(disk, place, own, job, &mut more) {
            Ok((rest, bytes)) => {
                left.add(&rest);
                freed += bytes;
            }
            Err(Fault::Broken(_)) => return Ok(Unlinked::Damaged),
            Err(Fault::Cancelled(cancelled)) => {
                return Err(GuestError::Cancelled(cancelled).into());
            }
            Err(Fault::Disk(source)) => return Err(ExportError::host("write", path)(source)),
        }
    }
    Ok(Unlinked::Done { left, freed })
}

impl<P> Default for Paths<P> {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            folders: Vec::new(),
        }
    }
}

impl Paths {
    /// All that a step removes.
    pub fn of(removal: &Removal) -> Self {
        Self {
            files: removal.files.clone(),
            folders: removal.folders.clone(),
        }
    }

    fn add(&mut self, more: &Paths<&Vec<u8>>) {
        self.files.extend(more.files.iter().copied().cloned());
        self.folders.extend(more.folders.iter().copied().cloned());
    }
}

/// What goes of each place, and last what is of none. A path belongs to the longest mount point that it lies under; a
/// mount point itself is for the kernel, which keeps it.
fn by_place<'a>(places: &[ExtPlace], removal: &'a Removal) -> Vec<Paths<&'a Vec<u8>>> {
    let own = |path: &[u8]| {
        let place = places
            .iter()
            .enumerate()
            .filter(|(_, place)| below(&place.at, path).is_some())
            .max_by_key(|(_, place)| place.at.len());
        let is_mount_point = places.iter().any(|place| *place.at == *path);
        place
            .filter(|_| !is_mount_point)
            .map_or(places.len(), |(at, _)| at)
    };
    let mut sorted = vec![Paths::default(); places.len() + 1];
    for file in &removal.files {
        sorted[own(file)].files.push(file);
    }
    for folder in &removal.folders {
        sorted[own(folder)].folders.push(folder);
    }
    sorted
}

/// The rest of a path under a mount point.
pub(super) fn below<'a>(mount: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    let mount = mount.strip_suffix(b"/").unwrap_or(mount);
    path.strip_prefix(mount)
        .filter(|rest| rest.first() == Some(&b'/'))
}

/// Removes files and folders from one file system; those that it leaves, and the bytes that are free now.
fn from_one<'a>(
    disk: &mut dyn BlocksMut,
    place: &ExtPlace,
    all: Paths<&'a Vec<u8>>,
    job: &Job,
    told: &mut dyn FnMut(usize),
) -> Result<(Paths<&'a Vec<u8>>, u64), Fault> {
    let Some(mut volume) = Volume::open(disk, place.start, place.size)? else {
        return Ok((all, 0));
    };
    let mut trail = Trail::default();
    let mut left = Paths::default();
    let rest = |path: &'a [u8]| below(&place.at, path).expect("sorted by place");
    for batch in all.files.chunks(BATCH) {
        job.check()?;
        for &file in batch {
            if !trail.unlink(&mut volume, rest(file))? {
                left.files.push(file);
            }
        }
        told(batch.len());
    }
    for batch in all.folders.chunks(BATCH) {
        job.check()?;
        for &folder in batch {
            if !trail.remove_folder(&mut volume, rest(folder))? {
                left.folders.push(folder);
            }
        }
    }
    let freed = volume.finish()?;
    Ok((left, freed))
}
