//! The contents of a mounted guest's files. Small pieces come from a cache: programs and libraries are looked at many
//! times, some hundred bytes each. It is the cache of disks: each file has a span of its own in one long disk.

use super::Appliance;
use crate::guest::blocks::Blocks;
use crate::guest::cache::{AHEAD, Cache, Measure};
use crate::guest::{GuestError, MAX_READ};
use crate::model::text::escape;
use crate::model::{FileId, FileTree};
use std::io;
use std::rc::Rc;

/// Bytes of a span: as many as all files of a tree can have at 64 bits.
const SPAN: u64 = 1 << 40;

const MEASURE: Measure = Measure {
    chunk: 16 << 10,
    kept: 256 << 20,
};

/// The contents of a tree's files, read by the appliance's kernel. The cache is for one tree.
pub(super) struct Files(Cache<Spans>);

struct Spans {
    appliance: Rc<Appliance>,
    /// Path and length of the file that is being read.
    path: Vec<u8>,
    size: u64,
}

impl Files {
    /// Those of the guest that is mounted in this appliance.
    pub fn of(appliance: &Rc<Appliance>) -> Self {
        let spans = Spans {
            appliance: Rc::clone(appliance),
            path: Vec::new(),
            size: 0,
        };
        Self(Cache::new(spans, MEASURE))
    }

    /// Up to `len` bytes of a regular file from `offset` on; fewer at its end.
    pub fn read(
        &mut self,
        tree: &FileTree,
        file: FileId,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, GuestError> {
        let path = tree.path(file);
        let size = tree.size(file);
        let count = size.saturating_sub(offset).min(len as u64);
        let inside = |why: String| GuestError::Inside {
            operation: "read",
            path: escape(&path).into_owned(),
            why,
        };
        if count == 0 {
            return Ok(Vec::new());
        }
        if count > MAX_READ {
            return Err(inside("it is too big to read at once".to_owned()));
        }
        let count = usize::try_from(count).expect("bounded");
        let spans = self.0.disk_mut();
        // What is read ahead of a file must not reach into the next one's span.
        if count as u64 > MEASURE.chunk || size > SPAN - AHEAD {
            return spans.appliance.read(&path, offset, count);
        }
        spans.path.clone_from(&path);
        spans.size = size;
        let mut bytes = vec![0; count];
        let start = file.index() as u64 * SPAN + offset;
        let read = self.0.read_at(start, &mut bytes);
        read.map_err(|error| match error.downcast::<GuestError>() {
            Ok(error) => error,
            Err(error) => inside(error.to_string()),
        })?;
        Ok(bytes)
    }
}

impl Blocks for Spans {
    fn size(&self) -> u64 {
        u64::MAX
    }

    /// What is beyond a file's end is zeros.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let within = offset % SPAN;
        let rest = usize::try_from(self.size.saturating_sub(within)).unwrap_or(usize::MAX);
        let (there, beyond) = buffer.split_at_mut(rest.min(buffer.len()));
        let bytes = self
            .appliance
            .read(&self.path, within, there.len())
            .map_err(io::Error::other)?;
        if bytes.len() != there.len() {
            return Err(io::Error::other("it is shorter than its folder says"));
        }
        there.copy_from_slice(&bytes);
        beyond.fill(0);
        Ok(())
    }
}
