//! Where the ext file systems of a guest's disk are, for what writes to them on an overlay.

use super::{Direct, Opened};
use crate::guest::GuestError;
use crate::guest::blocks::Blocks;
use crate::job::Job;
use crate::model::inventory::Origin;
use std::path::Path;

/// An ext file system on a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExtPlace {
    /// Where it is mounted.
    pub at: Vec<u8>,
    /// Its first byte on the disk.
    pub start: u64,
    /// Its length in bytes.
    pub size: u64,
}

/// The mounted ext file systems of a guest's disk, and the disk again; `None` when some of it cannot be read directly.
///
/// # Errors
/// When the disk cannot be read, and on a cancel.
pub(crate) fn ext_places<B: Blocks>(
    disk: B,
    path: &Path,
    job: &Job,
) -> Result<Option<(B, Vec<ExtPlace>)>, GuestError> {
    let opened = Direct::on(disk, Origin::default(), path.to_owned(), job)?;
    let Opened::Guest(guest) = opened else {
        return Ok(None);
    };
    let mounts = guest.disk.mounts.into_iter();
    let places = mounts.zip(guest.systems).filter_map(|(mount, system)| {
        // A damaged file system is for its checker alone.
        let system = system.filter(|system| mount.is_read && system.ext.faults().is_empty())?;
        Some(ExtPlace {
            at: mount.at,
            start: system.start,
            size: system.size,
        })
    });
    Ok(Some((guest.bytes.into_inner(), places.collect())))
}
