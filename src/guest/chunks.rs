//! Splits a virtual disk into chunks of one size, to tell how much of one image is in another.

use super::GuestError;
use super::blocks::Blocks;
use super::cache::unreadable;
use super::image::Image;
use super::nbd::NbdDisk;
use crate::job::Job;

/// Bytes of a chunk.
pub const CHUNK: usize = 64 << 10;

/// Shows every chunk of an image's virtual disk in order, but for those that hold nothing but zeros; `heading` is the
/// step that progress is reported for.
///
/// # Errors
/// When the image cannot be read, or the job was cancelled.
pub fn each_chunk(
    image: &Image,
    heading: &str,
    job: &Job,
    mut each: impl FnMut(&[u8]),
) -> Result<(), GuestError> {
    const CHUNKS: usize = 16;
    let mut disk = NbdDisk::open(image, job)?;
    let mut buffer = vec![0; CHUNKS * CHUNK];
    let size = disk.size();
    let mut at = 0;
    while at < size {
        job.check()?;
        job.bytes(heading, at, Some(size));
        let left = usize::try_from(size - at).unwrap_or(usize::MAX);
        let part = &mut buffer[..left.min(CHUNKS * CHUNK)];
        disk.read_at(at, part).map_err(|source| GuestError::Host {
            operation: "read",
            path: image.path().to_owned(),
            source: unreadable(at, &source),
        })?;
        part.chunks(CHUNK)
            .filter(|chunk| chunk.iter().any(|&byte| byte != 0))
            .for_each(&mut each);
        at += part.len() as u64;
    }
    Ok(())
}
