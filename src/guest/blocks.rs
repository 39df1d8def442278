//! A disk or a part of one as bytes at offsets: what all readers of disk structures take.

use std::io;

/// Something that is read at offsets.
pub(crate) trait Blocks {
    /// Its length in bytes.
    fn size(&self) -> u64;

    /// Fills `buffer` from `offset` on; an error when that is not all inside.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// The `len` bytes from `offset` on, as many as there are.
    fn bytes(&mut self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let rest = self.size().saturating_sub(offset);
        let len = usize::try_from(rest).map_or(len, |rest| rest.min(len));
        let mut buffer = vec![0; len];
        // A damaged structure may name places that no disk has: nothing is there.
        if len > 0 {
            self.read_at(offset, &mut buffer)?;
        }
        Ok(buffer)
    }
}

/// Something that is written, too: the overlay of an export, never an image.
pub(crate) trait BlocksMut: Blocks {
    /// Writes all of `bytes` at `offset`; an error when that is not all inside.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
}

/// Fails unless `len` bytes from `offset` on are inside `size`.
pub(super) fn check_inside(offset: u64, len: usize, size: u64) -> io::Result<()> {
    match offset.checked_add(len as u64) {
        Some(end) if end <= size => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "beyond the end of the disk",
        )),
    }
}

impl Blocks for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_inside(offset, buffer.len(), self.size())?;
        let start = usize::try_from(offset).expect("inside a slice");
        buffer.copy_from_slice(&self[start..start + buffer.len()]);
        Ok(())
    }
}

/// A part of another: a partition.
pub(crate) struct Part<'a> {
    whole: &'a mut dyn Blocks,
    start: u64,
    size: u64,
}

impl<'a> Part<'a> {
    /// The `size` bytes from `start` on, cut at the end of the whole.
    pub fn new(whole: &'a mut dyn Blocks, start: u64, size: u64) -> Self {
        let start = start.min(whole.size());
        let size = size.min(whole.size() - start);
        Self { whole, start, size }
    }
}

impl Blocks for Part<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_inside(offset, buffer.len(), self.size)?;
        self.whole.read_at(self.start + offset, buffer)
    }
}
