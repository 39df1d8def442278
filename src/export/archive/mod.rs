//! Outputs without a disk: all files as one tar archive, or as one layer of a container image.
//!
//! The appliance packs the files ([`Surgery::archive`](super::surgery::Surgery::archive)) onto a scratch drive, which is a
//! sparse file beside the output: cut to its length it is the archive. The same image and marks give the same bytes: names
//! are in order, and no time is later than the newest of the source's files that lies in the past.

mod layout;
mod listing;
#[cfg(test)]
mod tests;

pub use layout::Layout;
pub use listing::{Each, Listing, list};

use super::epoch;
use super::error::ExportError;
use super::options::{ExportOptions, OutputFormat};
use super::report::hex;
use crate::job::{Cancelled, Job};
use crate::load::Loaded;
use crate::model::{FileId, FileKind};
use crate::plan::Plan;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// What an entry takes besides its contents: headers for long names, times, attributes, and the last block's rest.
const ENTRY_BYTES: u64 = 4 << 10;
/// The least that a scratch drive has.
const SPARE_BYTES: u64 = 64 << 20;

/// How long the archive may become.
pub(super) fn most(plan: &Plan) -> u64 {
    let entries = plan.after.files.saturating_mul(ENTRY_BYTES);
    let whole = (plan.after.apparent.0)
        .saturating_add(entries)
        .saturating_add(SPARE_BYTES);
    // Lengths of the host's files are signed.
    whole.min(1 << 62).next_multiple_of(1 << 20)
}

/// Makes the empty drive that the archive is written to.
pub(super) fn create_scratch(path: &Path, plan: &Plan) -> Result<(), ExportError> {
    File::create_new(path)
        .and_then(|file| file.set_len(most(plan)))
        .map_err(ExportError::host("create", path))
}

/// Cuts the drive to the archive that is on it.
pub(super) fn cut(path: &Path, length: u64) -> Result<(), ExportError> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(length))
        .map_err(ExportError::host("cut", path))
}

/// The latest time that a file of an archive has, in seconds since 1970: `SOURCE_DATE_EPOCH`, else that of the source's
/// newest file.
pub(super) fn newest(loaded: &Loaded) -> i64 {
    if let Some(epoch) = epoch::wished() {
        return i64::try_from(epoch).unwrap_or(i64::MAX);
    }
    let now = epoch::now();
    let tree = &loaded.inventory.tree;
    let times = tree.ids().map(|file| tree.modified(file));
    times.filter(|&time| time <= now).max().unwrap_or(0)
}

/// What a person should know of any archive of this guest.
pub(super) fn losses(loaded: &Loaded, plan: &Plan, format: OutputFormat) -> Vec<String> {
    let tree = &loaded.inventory.tree;
    let kept = |kind: FileKind| {
        let is_lost = |file: &FileId| tree.kind(*file) == kind && plan.keeps_file(*file);
        tree.ids().filter(is_lost).count()
    };
    let mut lines = vec![format!(
        "{} holds files and no disk: no boot loader, no partitions, no swap; holes in files are zeros in it, and inode \
         flags (chattr) are not in it",
        format.name()
    )];
    match kept(FileKind::Socket) {
        0 => {}
        1 => lines.push("one socket is not in it".to_owned()),
        many => lines.push(format!("{many} sockets are not in it")),
    }
    lines
}

/// Makes the output of the archive; `progress` hears how many of its bytes are through.
pub(super) fn write(
    archive: &Path,
    product: &Path,
    loaded: &Loaded,
    options: &ExportOptions,
    job: &Job,
    progress: impl FnMut(u64),
) -> Result<(), ExportError> {
    match options.format {
        OutputFormat::Oci => {
            let layout = Layout::of(loaded, options.compression);
            layout.write(archive, product, job, progress)
        }
        _ => fs::rename(archive, product).map_err(ExportError::host("rename", archive)),
    }
}

/// Wraps a failure of one of the host's files; a cancelled job travels as such a failure, too.
fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ExportError {
    move |error| match error.get_ref() {
        Some(inner) if inner.is::<Cancelled>() => ExportError::Cancelled(Cancelled),
        _ => ExportError::host(operation, path)(error),
    }
}

/// Copies to the end, with a look at the job; how many bytes.
fn copy(
    from: &mut dyn Read,
    to: &mut dyn Write,
    job: &Job,
    mut progress: impl FnMut(u64),
) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 20];
    let mut done = 0;
    loop {
        job.check().map_err(io::Error::other)?;
        match from.read(&mut buffer)? {
            0 => return Ok(done),
            len => {
                to.write_all(&buffer[..len])?;
                done += len as u64;
                progress(done);
            }
        }
    }
}

/// Passes bytes on and remembers their hash and number.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    length: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            length: 0,
        }
    }

    /// What it wrote to or read from, `sha256:` and the hash, and how many bytes.
    fn finish(self) -> (W, String, u64) {
        let digest = format!("sha256:{}", hex(&self.hash.finalize()));
        (self.inner, digest, self.length)
    }

    fn note(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.inner.write(bytes)?;
        self.note(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.note(&buffer[..len]);
        Ok(len)
    }
}
