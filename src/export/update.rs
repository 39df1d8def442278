//! The cost of an update from the previous release's image: the chunks of the new disk that the old one lacks.

use super::error::ExportError;
use super::options::ExportOptions;
use crate::guest::image::Image;
use crate::guest::{CHUNK, GuestError, each_chunk};
use crate::job::Job;
use crate::model::text;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// What somebody must fetch who has the previous image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UpdateCost {
    /// The previous image's path, escaped.
    pub previous: String,
    /// Bytes of a chunk.
    pub chunk: u64,
    /// Chunks of the new virtual disk that hold something.
    pub chunks: u64,
    /// Those of them that the previous one has nowhere, each contents once.
    pub new_chunks: u64,
    /// The same in bytes, as they are on the virtual disk: compression comes on top.
    pub new_bytes: u64,
}

/// Refuses a previous release that the output could not be compared with.
pub(super) fn check(options: &ExportOptions) -> Result<(), ExportError> {
    let Some(previous) = &options.previous else {
        return Ok(());
    };
    if options.format.is_archive() {
        return Err(ExportError::Guest(GuestError::Unsupported {
            what: format!("{} has no disk to compare", options.format.name()),
            hint: "leave --previous out, or write a disk image".to_owned(),
        }));
    }
    Image::probe(previous, None)?;
    Ok(())
}

/// Compares the virtual disks of two images.
pub(super) fn cost(
    previous: &Image,
    new: &Image,
    heading: &str,
    job: &Job,
) -> Result<UpdateCost, ExportError> {
    let digest = |chunk: &[u8]| <[u8; 32]>::from(Sha256::digest(chunk));
    let mut there = HashSet::new();
    each_chunk(previous, heading, job, |chunk| {
        there.insert(digest(chunk));
    })?;
    let path = previous.path().as_os_str().as_encoded_bytes();
    let mut cost = UpdateCost {
        previous: text::escape(path).into_owned(),
        chunk: CHUNK as u64,
        chunks: 0,
        new_chunks: 0,
        new_bytes: 0,
    };
    each_chunk(new, heading, job, |chunk| {
        cost.chunks += 1;
        if there.insert(digest(chunk)) {
            cost.new_chunks += 1;
            cost.new_bytes += chunk.len() as u64;
        }
    })?;
    Ok(cost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A raw disk of whole chunks, each filled with one letter; a blank for zeros.
    fn disk(folder: &Path, name: &str, chunks: &str) -> Image {
        let byte = |letter| if letter == b' ' { 0 } else { letter };
        let bytes: Vec<u8> = chunks
            .bytes()
            .flat_map(|letter| vec![byte(letter); CHUNK])
            .collect();
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("writable");
        Image::probe(&path, Some("raw")).expect("a raw image")
    }

    #[test]
    fn only_what_the_previous_disk_has_nowhere_is_counted_and_only_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = disk(folder.path(), "old", "abc d");
        for (new, chunks, new_chunks) in [
            ("abc d", 4, 0),
            ("dcba ", 4, 0),
            ("xbx y", 4, 2),
            ("     ", 0, 0),
        ] {
            let image = disk(folder.path(), "new", new);
            let cost = cost(&old, &image, "compare", &Job::quiet()).expect("both are read");
            assert_eq!(
                (cost.chunks, cost.new_chunks),
                (chunks, new_chunks),
                "{new}"
            );
            assert_eq!(cost.new_bytes, new_chunks * CHUNK as u64);
        }
    }
}
