//! Folders: finding a name by its path, and taking it out of its block.

use super::Fault;
use super::inode::{Inode, Run};
use super::volume::Volume;
use crate::guest::ext4::checksum::{TAIL, crc, folder_holds, has_tail};
use crate::guest::ext4::{entries, le16};
use std::collections::HashMap;

/// The root folder's inode.
const ROOT: u32 = 2;

/// The folders on the way to the last path, so that those that follow each other are read once.
#[derive(Default)]
pub(super) struct Trail {
    folders: Vec<Folder>,
}

/// A folder that was read.
struct Folder {
    /// Its own name; empty for the root.
    name: Vec<u8>,
    inode: Inode,
    /// `None` where its names cannot be changed here.
    names: Option<HashMap<Box<[u8]>, Place>>,
}

/// Where a name is.
#[derive(Clone, Copy)]
struct Place {
    inode: u32,
    block: u64,
    offset: usize,
}

/// A file or a folder, and what names it.
struct Found<'a> {
    parent: &'a mut Folder,
    name: &'a [u8],
    place: Place,
    inode: Inode,
}

impl Found<'_> {
    /// Takes out its only name and erases it; `runs` are all its blocks.
    fn remove(self, volume: &mut Volume<'_>, runs: Vec<Run>) -> Result<bool, Fault> {
        self.parent.take_out(volume, self.name, self.place)?;
        self.inode.erase(volume)?;
        for (first, count) in runs {
            volume.free_blocks(first, count)?;
        }
        Ok(true)
    }
}

impl Trail {
    /// Removes the file at an absolute path; false when it must be left for the kernel.
    pub fn unlink(&mut self, volume: &mut Volume<'_>, path: &[u8]) -> Result<bool, Fault> {
        let Some(found) = self.find(volume, path)? else {
            return Ok(false);
        };
        if found.inode.is_folder() || found.inode.links() == 0 {
            return Ok(false);
        }
        if found.inode.links() > 1 {
            found.parent.take_out(volume, found.name, found.place)?;
            found.inode.lose_name(volume)?;
            return Ok(true);
        }
        let Some(runs) = found.inode.runs(volume)? else {
            return Ok(false);
        };
        found.remove(volume, runs)
    }

    /// Removes the empty folder at an absolute path; false when it must be left for the kernel.
    pub fn remove_folder(&mut self, volume: &mut Volume<'_>, path: &[u8]) -> Result<bool, Fault> {
        let Some(found) = self.find(volume, path)? else {
            return Ok(false);
        };
        let names = found.inode.contents(volume)?;
        let is_empty = match names {
            Some(runs) => read_names(volume, runs)?.is_empty(),
            None => false,
        };
        let Some(runs) = found.inode.runs(volume)?.filter(|_| is_empty) else {
            return Ok(false);
        };
        found.parent.inode.lose_folder(volume)?;
        found.remove(volume, runs)
    }

    /// What is at an absolute path; `None` where its folder cannot be changed here.
    fn find<'a>(
        &'a mut self,
        volume: &mut Volume<'_>,
        path: &'a [u8],
    ) -> Result<Option<Found<'a>>, Fault> {
        let mut parts: Vec<&[u8]> = path
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty())
            .collect();
        let Some(name) = parts.pop() else {
            return Ok(None);
        };
        if !self.walk(volume, &parts)? {
            return Ok(None);
        }
        let parent = self.folders.last_mut().expect("at least the root");
        let Some(place) = parent.find(name) else {
            return Ok(None);
        };
        let inode = Inode::read(volume, place.inode)?;
        Ok(Some(Found {
            parent,
            name,
            place,
            inode,
        }))
    }

    /// Goes to a folder; false when it cannot be changed here or is none.
    fn walk(&mut self, volume: &mut Volume<'_>, parts: &[&[u8]]) -> Result<bool, Fault> {
        if self.folders.is_empty() {
            let root = Inode::read(volume, ROOT)?;
            self.folders.push(Folder::read(volume, Vec::new(), root)?);
        }
        let same = self.folders[1..]
            .iter()
            .zip(parts)
            .take_while(|(folder, part)| folder.name == **part)
            .count();
        self.folders.truncate(1 + same);
        for &part in &parts[same..] {
            let Some(place) = self.folders.last().and_then(|folder| folder.find(part)) else {
                return Ok(false);
            };
            let inode = Inode::read(volume, place.inode)?;
            if !inode.is_folder() {
                return Ok(false);
            }
            self.folders
                .push(Folder::read(volume, part.to_vec(), inode)?);
        }
        Ok(true)
    }
}

impl Folder {
    fn read(volume: &mut Volume<'_>, name: Vec<u8>, inode: Inode) -> Result<Self, Fault> {
        let names = match inode.contents(volume)? {
            Some(runs) => Some(read_names(volume, runs)?),
            None => None,
        };
        Ok(Self { name, inode, names })
    }

    fn find(&self, name: &[u8]) -> Option<Place> {
        self.names.as_ref()?.get(name).copied()
    }

    /// Takes a name out: the entry before it grows over it, or it stays as an empty one at the block's head.
    fn take_out(
        &mut self,
        volume: &mut Volume<'_>,
        name: &[u8],
        place: Place,
    ) -> Result<(), Fault> {
        let has_types = volume.shape.geometry.has_types;
        let seed = volume.shape.geometry.seed.map(|seed| self.inode.seed(seed));
        let block = volume.change(place.block)?;
        if seed.is_some_and(|seed| !has_tail(block) || !folder_holds(seed, block)) {
            return Err(Fault::Broken("a folder's block has a wrong checksum"));
        }
        let mut before = None;
        for entry in entries(block, has_types) {
            let entry = entry.map_err(|_| Fault::Broken("a folder's entry is damaged"))?;
            if entry.offset < place.offset {
                before = Some(entry.offset);
            }
        }
        let at = place.offset;
        let len = le16(block, at + 4);
        if let Some(before) = before {
            let longer = le16(block, before + 4).checked_add(len);
            let longer = longer.ok_or(Fault::Broken("a folder's entry is damaged"))?;
            block[before + 4..before + 6].copy_from_slice(&longer.to_le_bytes());
            block[at..at + 8 + name.len()].fill(0);
        } else {
            block[at..at + 4].fill(0);
            block[at + 6..at + 8 + name.len()].fill(0);
        }
        if let Some(seed) = seed {
            let end = block.len() - TAIL;
            let sum = crc(seed, &block[..end]);
            block[end + 8..].copy_from_slice(&sum.to_le_bytes());
        }
        if let Some(names) = &mut self.names {
            names.remove(name);
        }
        Ok(())
    }
}

/// All names; the blocks of an indexed folder's index look like empty ones.
fn read_names(volume: &mut Volume<'_>, runs: Vec<Run>) -> Result<HashMap<Box<[u8]>, Place>, Fault> {
    let has_types = volume.shape.geometry.has_types;
    let mut names = HashMap::new();
    let mut count = 0;
    for (first, len) in runs {
        count += len;
        if count > volume.shape.geometry.blocks {
            return Err(Fault::Broken("a folder larger than the file system"));
        }
        for block in first..first.saturating_add(len) {
            for entry in entries(volume.block(block)?, has_types) {
                let entry = entry.map_err(|_| Fault::Broken("a folder's entry is damaged"))?;
                if !matches!(entry.name, b"" | b"." | b"..") {
                    let place = Place {
                        inode: entry.inode,
                        block,
                        offset: entry.offset,
                    };
                    names.insert(entry.name.into(), place);
                }
            }
        }
    }
    Ok(names)
}
