//! Makes the output's disk on the host, without the appliance, where all that is written is ext2/3/4.
//!
//! The source is read once, and read-only: files leave in memory ([`patched`]), and what file systems still use is copied
//! into a file of plain bytes ([`copy`]). On that file e2fsprogs do the rest, confined ([`tools`]). What was dropped is not in
//! the file because it was never copied; what an edit frees becomes a hole again. Every edit is read back, and `e2fsck`
//! has the last word. What e2fsprogs cannot do is left to the appliance ([`Unfit`]).

mod copy;
mod edit;
mod finish;
mod patched;
mod tools;

use super::disk::ext;
use super::error::ExportError;
use super::options::{ExportOptions, Way};
use super::step::Removal;
use super::unlink::{Fault, Paths, Space, Unlinked, space, unlink_from};
use crate::guest::image::Image;
use crate::guest::{Backend, Blocks, BlocksMut, ExtPlace, NbdDisk, ext_places};
use crate::job::Job;
use crate::model::{Inventory, Mount};
use edit::Expected;
use patched::Patched;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// More than this outside of the mounted file systems is for the appliance, which tells apart what is in use there.
const MOST_OTHER: u64 = 4 << 30;

/// What of a swap area is kept: the page with its identifiers.
const SWAP_HEAD: u64 = 4096;

/// Why the appliance must do it. Nothing is lost: the source is untouched, and there is no output yet.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// A name cannot be given to e2fsprogs.
    #[error("a file's name has characters that debugfs does not take")]
    OddName,
    /// A file gets longer.
    #[error("a record gets longer than the blocks that it has")]
    Grows,
    /// A path is on no mounted file system, or two paths are on two.
    #[error("a path lies on another file system than expected")]
    NoPlace,
    /// A file system that only a kernel should write to.
    #[error("a file system has features that only a kernel should write")]
    Features,
    /// An edit did not come out as it should.
    #[error("{0} did not come out as planned")]
    NotAsPlanned(String),
    /// Something failed for good.
    #[error(transparent)]
    Failed(#[from] ExportError),
}

impl From<Unfit> for ExportError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Failed(error) => error,
            other => Self::NeedsAppliance(other.to_string()),
        }
    }
}

impl Unfit {
    fn disk(source: io::Error) -> Self {
        ExportError::host("write", "the disk's copy".as_ref())(source).into()
    }
}

/// Why this guest's output is not made on the host; `None` when it is.
pub(super) fn refusal(inventory: &Inventory, options: &ExportOptions) -> Option<String> {
    let origin = &inventory.origin;
    if !origin.is_direct() || options.way() == Way::Repack || options.format.is_archive() {
        return Some("this output is made in the appliance".to_owned());
    }
    if let Some(missing) = tools::PROGRAMS
        .iter()
        .find(|name| !crate::program::is_installed(name))
    {
        return Some(format!("{missing} is not installed (package e2fsprogs)"));
    }
    let is_confined = origin.confinement.contains(&"landlock");
    if !is_confined && options.open.backend != Backend::Ext4 {
        return Some(
            "nothing confines e2fsprogs here; `--backend ext4` uses them still".to_owned(),
        );
    }
    let mounted: u64 = (inventory.mounts.iter().filter(|mount| mount.is_read))
        .map(|mount| mount.file_system.size)
        .sum();
    let swap = origin.partitions.iter().filter(|part| part.holds == "swap");
    let swap: u64 = swap.map(|part| part.size).sum();
    let other = origin.virtual_size.saturating_sub(mounted + swap);
    (other > MOST_OTHER).then(|| "most of the disk is outside of its file systems".to_owned())
}

/// The disk's copy under work.
pub(super) struct Host<'a> {
    disk: File,
    path: PathBuf,
    places: Vec<ExtPlace>,
    mounts: Vec<Mount>,
    expected: Expected,
    inner: &'a Job,
}

/// Turns the signal about a file that grows beyond the user's limit (`ulimit -f`) into an error of the write, once.
fn outlive_limits() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // Where it cannot be caught, the kernel ends the program, and nothing but a work folder is left.
        let _ =
            signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
    });
}

/// What copying left to do.
pub(super) struct Copied<'a> {
    /// The copy.
    pub host: Host<'a>,
    /// What is still to be removed.
    pub left: Paths,
}

impl<'a> Host<'a> {
    /// Copies the disk without what is removed, free space and swap.
    pub fn copy(
        image: &Image,
        removal: &Removal,
        inventory: &Inventory,
        path: &Path,
        (outer, inner): (&Job, &'a Job),
        heading: &str,
    ) -> Result<Copied<'a>, Unfit> {
        outlive_limits();
        let disk = NbdDisk::open(image, inner).map_err(ExportError::from)?;
        let size = disk.size();
        let found = ext_places(disk, image.path(), inner).map_err(ExportError::from)?;
        let (disk, places) = found.ok_or(Unfit::Features)?;
        let mut disk = Patched::new(disk);
        let total = Some(removal.files.len() as u64);
        let told = |done| outer.items(heading, done, total);
        let left = match unlink_from(&mut disk, image.path(), &places, removal, inner, told)? {
            Unlinked::Done { left, .. } => left,
            Unlinked::Damaged => return Err(Unfit::Features),
        };
        let spaces = spaces(&mut disk, &places, inner)?;
        let used: Vec<Range<u64>> = spaces.iter().flat_map(|space| space.used.clone()).collect();
        let ranges = with_the_rest(used, &places, inventory, size);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path);
        let file = file.map_err(ExportError::host("create", path))?;
        file.set_len(size)
            .map_err(ExportError::host("create", path))?;
        let (disk, pages) = disk.into_parts();
        let total = ranges.iter().map(|range| range.end - range.start).sum();
        let told = |done| outer.bytes(heading, done, Some(total));
        copy::copy(image, disk, &pages, &ranges, &file, inner, told)?;
        let host = Self {
            disk: file,
            path: path.to_owned(),
            places,
            mounts: inventory.mounts.clone(),
            expected: Expected::default(),
            inner,
        };
        Ok(Copied { host, left })
    }

    fn bytes(&self, at: u64, len: usize) -> Result<Vec<u8>, Unfit> {
        let mut bytes = vec![0; len];
        self.disk
            .read_exact_at(&mut bytes, at)
            .map_err(Unfit::disk)?;
        Ok(bytes)
    }

    fn block_size(&self, place: &ExtPlace) -> Result<u64, Unfit> {
        let raw = self.bytes(place.start + ext::SUPERBLOCK_AT, ext::SUPERBLOCK)?;
        Ok(ext::block_size(&raw))
    }

    fn device_of(&self, place: &ExtPlace) -> String {
        let mount = self.mounts.iter().find(|mount| mount.at == place.at);
        mount.map_or_else(String::new, |mount| mount.file_system.device.clone())
    }

    /// As reports name it: device and kind.
    fn name_of(&self, place: &ExtPlace) -> String {
        let mount = self.mounts.iter().find(|mount| mount.at == place.at);
        let kind = mount.map_or("ext4", |mount| &mount.file_system.kind);
        format!("{} ({kind})", self.device_of(place))
    }
}

fn spaces(disk: &mut dyn BlocksMut, places: &[ExtPlace], job: &Job) -> Result<Vec<Space>, Unfit> {
    let mut all = Vec::new();
    for place in places {
        match space(disk, place, job) {
            Ok(Some(found)) => all.push(found),
            Ok(None) | Err(Fault::Broken(_)) => return Err(Unfit::Features),
            Err(Fault::Cancelled(cancelled)) => return Err(ExportError::from(cancelled).into()),
            Err(Fault::Disk(source)) => return Err(Unfit::disk(source)),
        }
    }
    Ok(all)
}

/// Adds what lies outside of the file systems, without the contents of swap areas; in order.
fn with_the_rest(
    mut used: Vec<Range<u64>>,
    places: &[ExtPlace],
    inventory: &Inventory,
    size: u64,
) -> Vec<Range<u64>> {
    let swap = inventory.origin.partitions.iter();
    let swap = swap.filter(|part| part.holds == "swap").map(|part| {
        let head = SWAP_HEAD.min(part.size);
        part.start + head..part.start + part.size
    });
    let systems = places
        .iter()
        .map(|place| place.start..place.start + place.size);
    let mut known: Vec<Range<u64>> = systems.chain(swap).collect();
    known.sort_by_key(|range| range.start);
    let mut from = 0;
    for range in known {
        if from < range.start {
            used.push(from..range.start.min(size));
        }
        from = from.max(range.end);
    }
    if from < size {
        used.push(from..size);
    }
    used.sort_by_key(|range| range.start);
    used
}

/// The copy as what readers of disk structures take. Nothing is written through it.
struct Plain<'a>(&'a File);

impl Blocks for Plain<'_> {
    fn size(&self) -> u64 {
        self.0.metadata().map_or(0, |facts| facts.len())
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

impl BlocksMut for Plain<'_> {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }
}
