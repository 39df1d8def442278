//! Copies what stays of a disk into a file of plain bytes: what file systems do not use is not read.

use super::patched::{Pages, patch};
use crate::export::error::ExportError;
use crate::guest::image::Image;
use crate::guest::{Blocks, NbdDisk};
use crate::job::{Cancelled, Job};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What is read at once.
const PIECE: u64 = 1 << 20;

/// The unit in which zeros are left out.
const HOLE: usize = 4096;

/// Copies these ranges of the image's disk, with the changes, to the same places of the file.
///
/// Two readers share the work: one of them can have its clusters unpacked while the other one's are written.
pub(super) fn copy(
    image: &Image,
    first: NbdDisk,
    pages: &Pages,
    ranges: &[Range<u64>],
    to: &File,
    job: &Job,
    told: impl Fn(u64) + Sync,
) -> Result<(), ExportError> {
    let pieces: Vec<Range<u64>> = ranges.iter().cloned().flat_map(pieces).collect();
    let half = pieces.len() / 2;
    let done = AtomicU64::new(0);
    let work = |disk: NbdDisk, pieces: &[Range<u64>]| {
        let more = |bytes| told(done.fetch_add(bytes, Ordering::Relaxed) + bytes);
        copy_pieces(disk, pages, pieces, to, job, more)
    };
    let failed = |error: Failed| match error {
        Failed::Cancelled(cancelled) => ExportError::Cancelled(cancelled),
        Failed::Read(source) => ExportError::host("read", image.path())(source),
        Failed::Write(source) => ExportError::host("write", "the disk's copy".as_ref())(source),
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let disk = NbdDisk::open(image, job)?;
            work(disk, &pieces[half..]).map_err(failed)
        });
        let own = work(first, &pieces[..half]).map_err(failed);
        let other = other.join().expect("copying does not panic");
        own.and(other)
    })
}

enum Failed {
    Cancelled(Cancelled),
    Read(io::Error),
    Write(io::Error),
}

/// A range in pieces that begin and end at multiples of [`PIECE`], where it does not begin or end within one.
fn pieces(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let mut from = range.start;
    std::iter::from_fn(move || {
        let to = ((from / PIECE + 1) * PIECE).min(range.end);
        let piece = from..to;
        from = to;
        (!piece.is_empty()).then_some(piece)
    })
}

fn copy_pieces(
    mut disk: NbdDisk,
    pages: &Pages,
    pieces: &[Range<u64>],
    to: &File,
    job: &Job,
    told: impl Fn(u64),
) -> Result<(), Failed> {
    let mut buffer = vec![0; PIECE as usize];
    for piece in pieces {
        job.check().map_err(Failed::Cancelled)?;
        let bytes = &mut buffer[..(piece.end - piece.start) as usize];
        disk.read_at(piece.start, bytes).map_err(Failed::Read)?;
        patch(pages, piece.start, bytes);
        for (at, run) in contents(bytes) {
            to.write_all_at(run, piece.start + at)
                .map_err(Failed::Write)?;
        }
        told(bytes.len() as u64);
    }
    Ok(())
}

/// The runs of blocks that hold anything but zeros, and where they begin.
fn contents(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let is_empty = |at: usize| {
            let end = (at + HOLE).min(bytes.len());
            bytes[at..end].iter().all(|&byte| byte == 0)
        };
        while at < bytes.len() && is_empty(at) {
            at += HOLE;
        }
        let start = at.min(bytes.len());
        while at < bytes.len() && !is_empty(at) {
            at += HOLE;
        }
        let end = at.min(bytes.len());
        (start < end).then(|| (start as u64, &bytes[start..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_range_without_a_gap() {
        let range = 5..3 * PIECE + 7;
        let all: Vec<_> = pieces(range.clone()).collect();
        assert_eq!(all.first().map(|piece| piece.start), Some(range.start));
        assert_eq!(all.last().map(|piece| piece.end), Some(range.end));
        assert!(all.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(pieces(8..8).count(), 0);
    }

    #[test]
    fn zeros_are_left_out_in_whole_blocks() {
        let mut bytes = vec![0; 5 * HOLE + 100];
        bytes[HOLE + 3] = 1;
        bytes[2 * HOLE] = 1;
        bytes[5 * HOLE + 99] = 1;
        let runs: Vec<_> = contents(&bytes)
            .map(|(at, run)| (at as usize, run.len()))
            .collect();
        assert_eq!(runs, [(HOLE, 2 * HOLE), (5 * HOLE, 100)]);
    }
}
