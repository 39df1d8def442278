//! Inodes: what one holds, and how it loses a name.

use super::Fault;
use super::volume::Volume;
use crate::guest::ext4::checksum::{inode_holds, of_inode, sum_inode};
use crate::guest::ext4::{le16, le32};

/// Types, the upper bits of `i_mode`.
const TYPE: u16 = 0xf000;
const FOLDER: u16 = 0x4000;
const REGULAR: u16 = 0x8000;
const LINK: u16 = 0xa000;

/// Flags of `i_flags`: contents that are encrypted, sealed by `fs-verity`, an attribute's value, in the inode itself.
const UNUSUAL: u32 = 0x800 | 0x10_0000 | 0x20_0000 | 0x1000_0000;
const EXTENTS: u32 = 0x8_0000;

/// Fields: numbers of bytes from the inode's start.
const LINKS: usize = 26;

/// Depth of the deepest tree of extents, and the first bytes of each node.
const DEEPEST: u16 = 5;
const NODE: u16 = 0xf30a;
/// Longer extents are those that were never written, by what is above it.
const LONGEST: u64 = 32768;

/// Blocks that follow each other on the disk.
pub(super) type Run = (u64, u64);

/// An inode's bytes.
pub(super) struct Inode {
    /// Its number.
    pub number: u32,
    raw: Vec<u8>,
}

impl Inode {
    /// Reads one.
    pub fn read(volume: &mut Volume<'_>, number: u32) -> Result<Self, Fault> {
        let size = volume.shape.geometry.inode_size as usize;
        let (block, at) = volume.inode_place(number)?;
        let raw = volume.block(block)?[at..at + size].to_vec();
        let inode = Self { number, raw };
        let seed = volume.shape.geometry.seed.map(|seed| inode.seed(seed));
        if seed.is_some_and(|seed| !inode_holds(seed, &inode.raw)) {
            return Err(Fault::Broken("an inode has a wrong checksum"));
        }
        Ok(inode)
    }

    pub fn is_folder(&self) -> bool {
        self.mode() & TYPE == FOLDER
    }

    /// How many names it has.
    pub fn links(&self) -> u16 {
        le16(&self.raw, LINKS)
    }

    /// Where checksums of its records start.
    pub fn seed(&self, seed: u32) -> u32 {
        of_inode(seed, self.number, le32(&self.raw, 100))
    }

    fn mode(&self) -> u16 {
        le16(&self.raw, 0)
    }

    /// Whether only its own tree of extents holds room for it, so that it can go here.
    fn is_plain(&self) -> bool {
        let flags = le32(&self.raw, 32);
        // Attributes in a block of their own, which other files may share.
        let has_attributes = le32(&self.raw, 104) != 0 || le16(&self.raw, 118) != 0;
        flags & UNUSUAL == 0 && !has_attributes
    }

    /// All blocks that it has, of contents and of its map; `None` when they are not to be freed here.
    pub fn runs(&self, volume: &mut Volume<'_>) -> Result<Option<Vec<Run>>, Fault> {
        if !self.is_plain() {
            return Ok(None);
        }
        let has_extents = le32(&self.raw, 32) & EXTENTS != 0;
        let has_map = matches!(self.mode() & TYPE, REGULAR | LINK | FOLDER);
        match (has_map && has_extents, self.taken()) {
            (true, _) => self.tree(volume, true).map(Some),
            (false, 0) => Ok(Some(Vec::new())),
            // The older map of single blocks.
            (false, _) => Ok(None),
        }
    }

    /// Blocks of a folder's contents; `None` where the map is of the older kind.
    pub fn contents(&self, volume: &mut Volume<'_>) -> Result<Option<Vec<Run>>, Fault> {
        let has_extents = le32(&self.raw, 32) & EXTENTS != 0;
        if has_extents && self.is_folder() {
            return self.tree(volume, false).map(Some);
        }
        Ok(None)
    }

    /// `i_blocks`: room in units that do not matter here.
    fn taken(&self) -> u64 {
        u64::from(le16(&self.raw, 116)) << 32 | u64::from(le32(&self.raw, 28))
    }

    /// The leaves of the tree of extents, and its nodes where they are wanted.
    fn tree(&self, volume: &mut Volume<'_>, with_nodes: bool) -> Result<Vec<Run>, Fault> {
        let mut runs = Vec::new();
        let mut todo = read_node(&self.raw[40..100], DEEPEST + 1, &mut runs)?;
        let mut nodes = 0;
        while let Some((block, depth)) = todo.pop() {
            nodes += 1;
            if nodes > volume.shape.geometry.blocks {
                return Err(Fault::Broken("a file's tree of extents has no end"));
            }
            if with_nodes {
                runs.push((block, 1));
            }
            todo.extend(read_node(volume.block(block)?, depth, &mut runs)?);
        }
        Ok(runs)
    }

    /// Takes one of several names away.
    pub fn lose_name(mut self, volume: &mut Volume<'_>) -> Result<(), Fault> {
        self.set_links(volume, self.links() - 1)
    }

    /// Takes away the name that a folder in it gave it; a count of 1 says that there are too many to be counted.
    pub fn lose_folder(&mut self, volume: &mut Volume<'_>) -> Result<(), Fault> {
        if self.links() <= 2 {
            return Ok(());
        }
        self.set_links(volume, self.links() - 1)
    }

    fn set_links(&mut self, volume: &mut Volume<'_>, links: u16) -> Result<(), Fault> {
        self.raw[LINKS..LINKS + 2].copy_from_slice(&links.to_le_bytes());
        if let Some(seed) = volume.shape.geometry.seed {
            self.sum(seed);
        }
        self.write(volume)
    }

    /// Erases it: of a file without a name nothing is left.
    pub fn erase(mut self, volume: &mut Volume<'_>) -> Result<(), Fault> {
        let is_folder = self.is_folder();
        self.raw.fill(0);
        self.write(volume)?;
        volume.free_inode(self.number, is_folder)
    }

    fn write(&self, volume: &mut Volume<'_>) -> Result<(), Fault> {
        let (block, at) = volume.inode_place(self.number)?;
        volume.change(block)?[at..at + self.raw.len()].copy_from_slice(&self.raw);
        Ok(())
    }

    fn sum(&mut self, seed: u32) {
        sum_inode(self.seed(seed), &mut self.raw);
    }
}

/// One node of a tree: leaves go to `runs`, the nodes below it are returned, with the depth that they must be under.
fn read_node(node: &[u8], above: u16, runs: &mut Vec<Run>) -> Result<Vec<(u64, u16)>, Fault> {
    let (magic, count, depth) = (le16(node, 0), usize::from(le16(node, 2)), le16(node, 6));
    if magic != NODE || depth >= above || 12 + count * 12 > node.len() {
        return Err(Fault::Broken("a file's tree of extents is damaged"));
    }
    let entries = node[12..12 + count * 12].chunks_exact(12);
    if depth > 0 {
        let below = |entry| u64::from(le16(entry, 8)) << 32 | u64::from(le32(entry, 4));
        return Ok(entries.map(|entry| (below(entry), depth)).collect());
    }
    runs.extend(entries.map(|entry| {
        let len = u64::from(le16(entry, 4));
        let start = u64::from(le16(entry, 6)) << 32 | u64::from(le32(entry, 8));
        (start, if len > LONGEST { len - LONGEST } else { len })
    }));
    Ok(Vec::new())
}
