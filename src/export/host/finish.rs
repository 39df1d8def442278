//! Brings the disk's copy in order: shrinks, checks, clears what is free, and reads back what was written.

use super::{Host, Plain, Unfit, spaces};
use crate::export::disk::geometry::DiskLayout;
use crate::export::disk::leftovers::{leftovers, lines_about};
use crate::export::disk::smaller::{least_blocks, shrunk};
use crate::export::disk::{ext, table};
use crate::export::error::ExportError;
use crate::export::options::Way;
use crate::export::program::one_line;
use crate::export::surgery::Checked;
use crate::guest::{Backend, ExtPlace, OpenOptions, open};
use crate::model::Bytes;
use crate::model::text::escape;
use rustix::fs::{FallocateFlags, fallocate};
use std::ops::Range;
use std::os::unix::fs::FileExt;

impl Host<'_> {
    /// Shrinks the last partition's file system, the partition and the disk; the disk as it is then.
    pub fn shrink(&mut self, disk: &DiskLayout, slack: Option<Bytes>) -> Result<DiskLayout, Unfit> {
        let refused = |why: String| ExportError::Way {
            way: Way::Shrink,
            why,
        };
        let part = disk.parts.last().expect("it was found to be there");
        let place = self.places.iter().find(|place| place.start == part.start);
        let place = place.ok_or(Unfit::NoPlace)?.clone();
        self.repair(&place)?;
        let system = self.system(&place);
        let blocks = least_blocks(&system.least()?.output);
        let blocks = blocks
            .ok_or_else(|| refused("`resize2fs` does not say how small it can be".to_owned()))?;
        let least = blocks.saturating_mul(self.block_size(&place)?);
        let Some(disk) = shrunk(disk, least, slack) else {
            return Ok(disk.clone());
        };
        system.resize(disk.parts.last().map_or(0, |part| part.size))?;
        let head = self.bytes(
            0,
            usize::try_from(table::head_len(&disk)).unwrap_or(usize::MAX),
        )?;
        for (at, bytes) in table::rewritten(head, &disk).map_err(refused)? {
            if at < disk.size {
                self.disk.write_all_at(&bytes, at).map_err(Unfit::disk)?;
            }
        }
        self.disk.set_len(disk.size).map_err(Unfit::disk)?;
        let new_size = disk.parts.last().map_or(0, |part| part.size);
        for own in self
            .places
            .iter_mut()
            .filter(|own| own.start == place.start)
        {
            own.size = new_size;
        }
        Ok(disk)
    }

    /// Brings every file system in order and clears what is free in it; what is sound then.
    pub fn check(&mut self) -> Result<Checked, Unfit> {
        let mut checked = Checked::default();
        for place in self.places.clone() {
            self.repair(&place)?;
            let answer = self.system(&place).check()?;
            let name = self.name_of(&place);
            if !answer.status.success() {
                let why = one_line(&answer.output);
                return Err(ExportError::Check { device: name, why }.into());
            }
            checked.sound.push(format!("file system {name}"));
        }
        let places = self.places.clone();
        for space in spaces(&mut Plain(&self.disk), &places, self.inner)? {
            self.punch(&space.free)?;
        }
        Ok(checked)
    }

    /// Reads back what was written; bytes in use on the copy, and what a person should know of it.
    pub fn look(&self, command_line: &str) -> Result<(Option<u64>, Vec<String>), Unfit> {
        let options = OpenOptions {
            format: Some("raw".to_owned()),
            backend: Backend::Ext4,
            ..OpenOptions::default()
        };
        let mut guest = open(&self.path, &options, self.inner).map_err(ExportError::from)?;
        let (tree, _) = guest.walk(self.inner).map_err(ExportError::from)?;
        let mut read = |path: &[u8]| {
            let file = tree.lookup(path)?;
            let len = usize::try_from(tree.size(file)).ok()?;
            guest.read(&tree, file, 0, len).ok()
        };
        let wrong = |path: &[u8]| Unfit::NotAsPlanned(escape(path).into_owned());
        for (path, content) in &self.expected.files {
            if read(path).as_ref() != Some(content) {
                return Err(wrong(path));
            }
        }
        for (path, target) in &self.expected.links {
            let link = tree.lookup(path).and_then(|file| tree.target(file));
            if link != Some(&target[..]) {
                return Err(wrong(path));
            }
        }
        let is_there = |path: &Vec<u8>| tree.lookup(path).is_some();
        let absent = self.expected.there.iter().find(|path| !is_there(path));
        let present = self.expected.gone.iter().find(|path| is_there(path));
        if let Some(path) = absent.or(present) {
            return Err(wrong(path));
        }
        let fstab = read(b"/etc/fstab").unwrap_or_default();
        let mounts = guest.disk().mounts.iter().filter(|mount| mount.is_read);
        let used = mounts.map(|mount| mount.file_system.used).sum();
        Ok((used, self.leftovers(&fstab, command_line)?))
    }

    /// What file systems may still hold of files that went; one phrase each.
    fn leftovers(&self, fstab: &[u8], command_line: &str) -> Result<Vec<String>, Unfit> {
        let mut lines = Vec::new();
        for place in &self.places {
            let raw = self.bytes(place.start + ext::SUPERBLOCK_AT, ext::SUPERBLOCK)?;
            let mut options = lines_about(fstab, &place.at);
            if place.at == b"/" {
                options.extend_from_slice(command_line.as_bytes());
            }
            let name = self.device_of(place);
            let found = leftovers(&raw, &options);
            lines.extend(found.iter().map(|what| format!("{name} {what}")));
        }
        Ok(lines)
    }

    fn repair(&self, place: &ExtPlace) -> Result<(), Unfit> {
        let answer = self.system(place).repair()?;
        match answer.status.code() {
            // 1: errors were corrected.
            Some(0 | 1) => Ok(()),
            _ => Err(ExportError::Check {
                device: self.name_of(place),
                why: one_line(&answer.output),
            }
            .into()),
        }
    }

    fn punch(&self, free: &[Range<u64>]) -> Result<(), Unfit> {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        for range in free {
            self.inner.check().map_err(ExportError::from)?;
            let len = range.end - range.start;
            if fallocate(&self.disk, hole, range.start, len).is_err() {
                self.zero(range)?;
            }
        }
        Ok(())
    }

    /// Writes zeros, for a host's file system that makes no holes.
    fn zero(&self, range: &Range<u64>) -> Result<(), Unfit> {
        let zeros = vec![0; 1 << 20];
        let mut at = range.start;
        while at < range.end {
            let len = (range.end - at).min(zeros.len() as u64);
            self.disk
                .write_all_at(&zeros[..len as usize], at)
                .map_err(Unfit::disk)?;
            at += len;
        }
        Ok(())
    }
}
