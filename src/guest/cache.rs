//! Keeps what was read of a disk, in bounded memory, and reads ahead where it is read in order.

use super::blocks::{Blocks, check_inside};
use std::collections::HashMap;
use std::io;

/// The unit of the cache: one qcow2 cluster of the usual size.
const CHUNK: u64 = 64 << 10;

/// At most this many chunks are kept: 64 MiB.
const KEPT: usize = 1024;

/// At most this many chunks are read at once: 1 MiB.
const AHEAD: u64 = 16;

/// A disk with a cache before it.
pub(super) struct Cache<B> {
    disk: B,
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
    pub fn new(disk: B) -> Self {
        Self {
            disk,
            chunks: HashMap::new(),
            clock: 0,
            next: u64::MAX,
            ahead: 1,
        }
    }

    /// The disk behind it.
    pub fn into_inner(self) -> B {
        self.disk
    }

    fn fetch(&mut self, number: u64) -> io::Result<()> {
        self.ahead = if number == self.next {
            (self.ahead * 2).min(AHEAD)
        } else {
            1
        };
        let start = number * CHUNK;
        let len = (self.ahead * CHUNK).min(self.disk.size() - start);
        let mut bytes = vec![0; len as usize];
        self.disk.read_at(start, &mut bytes)?;
        self.make_room();
        for (at, piece) in bytes.chunks(CHUNK as usize).enumerate() {
            let chunk = Chunk {
                bytes: piece.into(),
                used: self.clock,
            };
            self.chunks.insert(number + at as u64, chunk);
        }
        self.next = number + self.ahead;
        Ok(())
    }

    /// Throws out the older half when it is full, so that the search for what is old is rare.
    fn make_room(&mut self) {
        if self.chunks.len() + AHEAD as usize <= KEPT {
            return;
        }
        let mut times: Vec<u64> = self.chunks.values().map(|chunk| chunk.used).collect();
        let middle = times.len() / 2;
        let (_, &mut middle, _) = times.select_nth_unstable(middle);
        self.chunks.retain(|_, chunk| chunk.used > middle);
    }
}

impl<B: Blocks> Blocks for Cache<B> {
    fn size(&self) -> u64 {
        self.disk.size()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_inside(offset, buffer.len(), self.size())?;
        let (mut at, mut rest) = (offset, buffer);
        while !rest.is_empty() {
            let (number, within) = (at / CHUNK, (at % CHUNK) as usize);
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
    }

    impl Blocks for Counted {
        fn size(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
            self.reads += 1;
            (&self.bytes[..]).read_at(offset, buffer)
        }
    }

    #[test]
    fn what_comes_out_is_what_is_on_the_disk_and_order_is_rewarded() {
        let bytes: Vec<u8> = (0..3_000_001u32).map(|at| (at / 7) as u8).collect();
        let mut cache = Cache::new(Counted {
            bytes: bytes.clone(),
            reads: 0,
        });
        assert_eq!(cache.bytes(0, bytes.len() + 5).expect("it reads"), bytes);
        assert!(cache.disk.reads < 10, "{} reads", cache.disk.reads);
        assert_eq!(
            cache.bytes(65_530, 20).expect("it reads"),
            bytes[65_530..65_550]
        );
        assert!(cache.read_at(3_000_000, &mut [0; 2]).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let mut cache = Cache::new(Counted {
            bytes: vec![7; (KEPT + 300) * CHUNK as usize],
            reads: 0,
        });
        for number in 0..(KEPT + 300) as u64 {
            assert_eq!(cache.bytes(number * CHUNK, 1).expect("it reads"), [7]);
            assert!(cache.chunks.len() <= KEPT);
        }
    }
}
