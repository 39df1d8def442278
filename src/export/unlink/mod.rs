//! Takes files off the ext4 file systems of the overlay without the appliance.
//!
//! Under emulation a kernel needs 0.4 ms for a file, a hundred times what it takes here, and removing is the longest
//! part of an export. Only what is plain goes here: files whose blocks are extents of their own, links and
//! special files, from file systems whose features are all known ([`Shape`]). The rest is left for the appliance's kernel, and
//! in a later step `e2fsck` checks what was written here like anything else. The format is that of the kernel's
//! Documentation/filesystems/ext4. Unlike the kernel, it writes no times and no new journal, and erases names and inodes.

mod checksum;
mod folder;
mod inode;
mod shape;
#[cfg(test)]
mod tests;
mod volume;

use super::error::ExportError;
use crate::guest::{ExtPlace, GuestError, NbdDisk, ext_places};
use crate::job::{Cancelled, Job};
use folder::Trail;
use std::io;
use std::path::Path;
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

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unlinked {
    /// They are gone.
    Done {
        /// All but these, which the kernel must remove.
        left: Vec<Vec<u8>>,
        /// Bytes of room that are free now.
        freed: u64,
    },
    /// A file system is damaged: the overlay must be made anew, and nothing is removed.
    Damaged,
}

/// Removes `files` (absolute paths in tree order, no folder among them) from the overlay; `told` hears how many are done.
///
/// # Errors
/// When the overlay cannot be read or written, and on a cancel.
pub(super) fn unlink(
    overlay: &Path,
    files: &[Vec<u8>],
    job: &Job,
    mut told: impl FnMut(u64),
) -> Result<Unlinked, ExportError> {
    let disk = NbdDisk::open_overlay(overlay, job)?;
    let Some((mut disk, places)) = ext_places(disk, overlay, job)? else {
        return Ok(Unlinked::Done {
            left: files.to_vec(),
            freed: 0,
        });
    };
    let mut left = Vec::new();
    let mut freed = 0;
    let mut done = 0;
    for (at, own) in by_place(&places, files).into_iter().enumerate() {
        let Some(place) = places.get(at) else {
            left.extend(own.into_iter().cloned());
            continue;
        };
        let mut all = |count: usize| {
            done += count as u64;
            told(done);
        };
        match from_one(&mut disk, place, &own, job, &mut all) {
            Ok((rest, bytes)) => {
                left.extend(rest.into_iter().cloned());
                freed += bytes;
            }
            Err(Fault::Broken(_)) => return Ok(Unlinked::Damaged),
            Err(Fault::Cancelled(cancelled)) => {
                return Err(GuestError::Cancelled(cancelled).into());
            }
            Err(Fault::Disk(source)) => return Err(ExportError::host("write", overlay)(source)),
        }
    }
    disk.finish().map_err(ExportError::host("write", overlay))?;
    Ok(Unlinked::Done { left, freed })
}

/// The files of each place, and last those of none. A file belongs to the longest mount point that it lies under.
fn by_place<'a>(places: &[ExtPlace], files: &'a [Vec<u8>]) -> Vec<Vec<&'a Vec<u8>>> {
    let mut sorted = vec![Vec::new(); places.len() + 1];
    for file in files {
        let own = places
            .iter()
            .enumerate()
            .filter(|(_, place)| below(&place.at, file).is_some())
            .max_by_key(|(_, place)| place.at.len());
        sorted[own.map_or(places.len(), |(at, _)| at)].push(file);
    }
    sorted
}

/// The rest of a path under a mount point.
fn below<'a>(mount: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    let mount = mount.strip_suffix(b"/").unwrap_or(mount);
    path.strip_prefix(mount)
        .filter(|rest| rest.first() == Some(&b'/'))
}

/// Removes files from one file system; those that it leaves, and the bytes that are free now.
fn from_one<'a>(
    disk: &mut NbdDisk,
    place: &ExtPlace,
    files: &[&'a Vec<u8>],
    job: &Job,
    told: &mut dyn FnMut(usize),
) -> Result<(Vec<&'a Vec<u8>>, u64), Fault> {
    let Some(mut volume) = Volume::open(disk, place.start, place.size)? else {
        return Ok((files.to_vec(), 0));
    };
    let mut trail = Trail::default();
    let mut left = Vec::new();
    for batch in files.chunks(BATCH) {
        job.check()?;
        for &file in batch {
            let rest = below(&place.at, file).expect("sorted by place");
            if !trail.unlink(&mut volume, rest)? {
                left.push(file);
            }
        }
        told(batch.len());
    }
    let freed = volume.finish()?;
    Ok((left, freed))
}
