//! A disk that is only read, with changes beside it in memory.

use crate::guest::{Blocks, BlocksMut};
use std::collections::BTreeMap;
use std::io;

/// Bytes that are held together.
const PAGE: usize = 4096;

/// What was changed: pages by their number.
pub(super) type Pages = BTreeMap<u64, Box<[u8; PAGE]>>;

/// A disk and what was written to it. The disk itself stays as it is.
pub(super) struct Patched<B> {
    below: B,
    pages: Pages,
}

impl<B: Blocks> Patched<B> {
    /// The disk without any change.
    pub fn new(below: B) -> Self {
        Self {
            below,
            pages: Pages::new(),
        }
    }

    /// The disk and the changes.
    pub fn into_parts(self) -> (B, Pages) {
        (self.below, self.pages)
    }
}

/// Puts the changes into bytes that were read from `offset` on.
pub(super) fn patch(pages: &Pages, offset: u64, bytes: &mut [u8]) {
    let width = PAGE as u64;
    let end = offset + bytes.len() as u64;
    for (number, page) in pages.range(offset / width..end.div_ceil(width)) {
        let start = number * width;
        let (from, to) = (start.max(offset), (start + width).min(end));
        bytes[(from - offset) as usize..(to - offset) as usize]
            .copy_from_slice(&page[(from - start) as usize..(to - start) as usize]);
    }
}

impl<B: Blocks> Blocks for Patched<B> {
    fn size(&self) -> u64 {
        self.below.size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.below.read_at(offset, buffer)?;
        patch(&self.pages, offset, buffer);
        Ok(())
    }
}

impl<B: Blocks> BlocksMut for Patched<B> {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let width = PAGE as u64;
        let mut done = 0;
        while done < bytes.len() {
            let at = offset + done as u64;
            let (number, within) = (at / width, (at % width) as usize);
            let len = (PAGE - within).min(bytes.len() - done);
            if !self.pages.contains_key(&number) {
                let page = self.below.bytes(number * width, PAGE)?;
                let mut held = Box::new([0; PAGE]);
                held[..page.len()].copy_from_slice(&page);
                self.pages.insert(number, held);
            }
            let page = self.pages.get_mut(&number).expect("it was just held");
            page[within..within + len].copy_from_slice(&bytes[done..done + len]);
            done += len;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_the_disk_stays() {
        let disk: Vec<u8> = (0..20_000_u32).map(|at| at as u8).collect();
        let mut patched = Patched::new(&disk[..]);
        let mut wanted = disk.clone();
        for (at, len) in [(0, 1), (4095, 2), (8000, 5000), (19_990, 10)] {
            let bytes = vec![0xee; len];
            patched.write_at(at, &bytes).expect("inside");
            wanted[at as usize..at as usize + len].fill(0xee);
        }
        assert_eq!(patched.bytes(0, disk.len()).expect("inside"), wanted);
        assert_eq!(patched.bytes(4090, 10).expect("inside"), wanted[4090..4100]);
        let (below, pages) = patched.into_parts();
        assert_eq!((below, pages.len()), (&disk[..], 5));
    }
}
