//! Keeps what was read of a disk, in bounded memory, and reads ahead where it is read in order.

use super::blocks::{Blocks, check_inside};
use std::collections::HashMap;
use std::io;

/// At most this much is read at once, in bytes.
pub(super) const AHEAD: u64 = 1 << 20;

/// How a cache is measured out, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// The unit of the cache.
    pub chunk: u64,
    /// At most this much is kept.
    pub kept: u64,
}

/// For a disk that the host reads: a chunk is one qcow2 cluster of the usual size.
pub(super) const NEAR: Measure = Measure {
    chunk: 64 << 10,
    kept: 64 << 20,
};

/// For a disk behind an emulated processor, where a question takes 1 ms and each 64 KiB another: what is read twice is
/// dearer than memory, and so is what nobody asked for.
pub(super) const FAR: Measure = Measure {
    chunk: 32 << 10,
    kept: 256 << 20,
};

/// A disk with a cache before it.
pub(super) struct Cache<B> {
    disk: B,
    measure: Measure,
    chunks: HashMap<u64, Chunk>,
    clock: u64,
    /// The chunk after the last one that was fetched, and how many to fetch when that is asked for.
    next: u64,
    ahead: u64,
}

struct Chunk {
    bytes: Box<[u8]>,
    used: u64,
}

impl<B: Blocks> Cache<B> {
    /// Puts a cache before a disk.
    pub fn new(disk: B, measure: Measure) -> Self {
        Self {
            disk,
            measure,
            chunks: HashMap::new(),
            clock: 0,
            next: u64::MAX,
            ahead: 1,
        }
    }

    /// The disk behind it, for what changes no byte of it.
    pub fn disk_mut(&mut self) -> &mut B {
        &mut self.disk
    }

    /// The disk behind it.
    pub fn into_inner(self) -> B {
        self.disk
    }

    fn fetch(&mut self, number: u64) -> io::Result<()> {
        let chunk = self.measure.chunk;
        self.ahead = if number == self.next {
            (self.ahead * 2).min(AHEAD / chunk)
        } else {
            1
        };
        let mut bytes = self.chunks_from(number);
        // What nobody asked for may be what cannot be read.
        if bytes.is_err() && self.ahead > 1 {
            self.ahead = 1;
            bytes = self.chunks_from(number);
        }
        let bytes = bytes?;
        self.make_room();
        for (at, piece) in bytes.chunks(chunk as usize).enumerate() {
            let chunk = Chunk {
                bytes: piece.into(),
                used: self.clock,
            };
            self.chunks.insert(number + at as u64, chunk);
        }
        self.next = number + self.ahead;
        Ok(())
    }

    fn chunks_from(&mut self, number: u64) -> io::Result<Vec<u8>> {
        let Measure { chunk, .. } = self.measure;
        let start = number * chunk;
        let len = (self.ahead * chunk).min(self.disk.size() - start);
        let mut bytes = vec![0; len as usize];
        let read = self.disk.read_at(start, &mut bytes);
        read.map_err(|error| unreadable(start, &error))?;
        Ok(bytes)
    }

    /// Throws out the older half when it is full, so that the search for what is old is rare.
    fn make_room(&mut self) {
        let Measure { chunk, kept } = self.measure;
        if (self.chunks.len() as u64) < (kept - AHEAD) / chunk {
            return;
        }
        let mut times: Vec<u64> = self.chunks.values().map(|chunk| chunk.used).collect();
        let middle = times.len() / 2;
        let (_, &mut middle, _) = times.select_nth_unstable(middle);
        self.chunks.retain(|_, chunk| chunk.used > middle);
    }
}

/// What QEMU says is the name of an error number alone.
pub(super) fn unreadable(start: u64, error: &io::Error) -> io::Error {
    let why = match error.to_string().as_str() {
        "EIO" => "input/output error, as `qemu-img check` may explain".to_owned(),
        why => why.to_owned(),
    };
    let what = format!("the image cannot be read at byte {start} of its disk: {why}");
    io::Error::new(error.kind(), what)
}

impl<B: Blocks> Blocks for Cache<B> {
    fn size(&self) -> u64 {
        self.disk.size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_inside(offset, buffer.len(), self.size())?;
        let width = self.measure.chunk;
        let (mut at, mut rest) = (offset, buffer);
        while !rest.is_empty() {
            let (number, within) = (at / width, (at % width) as usize);
            if !self.chunks.contains_key(&number) {
                self.fetch(number)?;
            }
            self.clock += 1;
            let chunk = self
                .chunks
                .get_mut(&number)
                .expect("it was fetched just now");
            chunk.used = self.clock;
            let have = &chunk.bytes[within..];
            let count = have.len().min(rest.len());
            rest[..count].copy_from_slice(&have[..count]);
            rest = &mut rest[count..];
            at += count as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counted {
        bytes: Vec<u8>,
        reads: usize,
        /// What lies from here on cannot be read.
        broken: u64,
    }

    impl Blocks for Counted {
        fn size(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
            self.reads += 1;
            if offset + buffer.len() as u64 > self.broken {
                return Err(io::Error::other("a bad sector"));
            }
            (&self.bytes[..]).read_at(offset, buffer)
        }
    }

    #[test]
    fn what_comes_out_is_what_is_on_the_disk_and_order_is_rewarded() {
        let bytes: Vec<u8> = (0..3_000_001u32).map(|at| (at / 7) as u8).collect();
        let disk = Counted {
            bytes: bytes.clone(),
            reads: 0,
            broken: u64::MAX,
        };
        let mut cache = Cache::new(disk, NEAR);
        assert_eq!(cache.bytes(0, bytes.len() + 5).expect("it reads"), bytes);
        assert!(cache.disk.reads < 10, "{} reads", cache.disk.reads);
        assert_eq!(
            cache.bytes(65_530, 20).expect("it reads"),
            bytes[65_530..65_550]
        );
        assert!(cache.read_at(3_000_000, &mut [0; 2]).is_err());
    }

    #[test]
    fn what_is_read_ahead_of_a_bad_sector_is_no_loss() {
        let good = 5 * NEAR.chunk;
        let disk = Counted {
            bytes: vec![7; 3 << 20],
            reads: 0,
            broken: good,
        };
        let mut cache = Cache::new(disk, NEAR);
        for number in 0..5 {
            let read = cache.bytes(number * NEAR.chunk, 1);
            assert_eq!(read.expect("it is before the sector"), [7]);
        }
        assert!(cache.bytes(good, 1).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let measure = Measure {
            chunk: 4 << 10,
            kept: 3 << 20,
        };
        let disk = Counted {
            bytes: vec![7; 5 << 20],
            reads: 0,
            broken: u64::MAX,
        };
        let mut cache = Cache::new(disk, measure);
        for at in (0..5 << 20).step_by(4 << 10) {
            assert_eq!(cache.bytes(at, 1).expect("it reads"), [7]);
            assert!(cache.chunks.len() as u64 * measure.chunk <= measure.kept);
        }
    }
}
