//! Folders: names and inode numbers.

use super::{Ext, Inode, Unread, le16, le32};
use crate::guest::blocks::Blocks;

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// The name as bytes; never `.`, `..` or empty.
    pub name: Box<[u8]>,
    /// The inode's number, not checked.
    pub inode: u32,
}

impl Ext {
    /// All names of a folder, block by block: an indexed folder's index blocks look like empty ones.
    pub(super) fn folder(&self, part: &mut dyn Blocks, inode: &Inode) -> Result<Vec<Name>, Unread> {
        let width = self.superblock.block_size;
        let count = inode.size.div_ceil(width);
        if count > self.superblock.blocks {
            return Err(Unread::broken("a folder larger than the disk"));
        }
        let mut names = Vec::new();
        for run in self.runs(part, inode, 0, count)? {
            for block in run.physical..run.physical + run.count {
                let mut bytes = vec![0; width as usize];
                part.read_at(block * width, &mut bytes)?;
                for entry in entries(&bytes, self.superblock.has_types) {
                    let RawEntry { inode, name, .. } = entry?;
                    if !matches!(name, b"" | b"." | b"..") {
                        names.push(Name {
                            name: name.into(),
                            inode,
                        });
                    }
                }
            }
        }
        Ok(names)
    }
}

/// One entry of a folder's block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawEntry<'a> {
    /// Where it begins in the block.
    pub offset: usize,
    /// The inode's number, not checked; 0 in an entry that is not in use.
    pub inode: u32,
    /// The name, empty in an entry that is not in use.
    pub name: &'a [u8],
}

/// Entries of inode, length, name's length, type, name; the lengths add up to the block.
pub(crate) fn entries(
    block: &[u8],
    has_types: bool,
) -> impl Iterator<Item = Result<RawEntry<'_>, Unread>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at + 8 > block.len() {
            return None;
        }
        let entry = entry(block, at, has_types);
        at = match &entry {
            Ok((_, len)) => at + len,
            Err(_) => block.len(),
        };
        Some(entry.map(|(entry, _)| entry))
    })
}

/// The entry at an offset, and its length.
fn entry(block: &[u8], at: usize, has_types: bool) -> Result<(RawEntry<'_>, usize), Unread> {
    let inode = le32(block, at);
    let len = entry_len(le16(block, at + 4), block.len());
    let name_len = if has_types {
        usize::from(block[at + 6])
    } else {
        usize::from(le16(block, at + 6))
    };
    if len < 8
        || !len.is_multiple_of(4)
        || at + len > block.len()
        || (inode != 0 && name_len + 8 > len)
    {
        return Err(Unread::broken("a folder's entry is damaged"));
    }
    let entry = RawEntry {
        offset: at,
        inode,
        name: &block[at + 8..][..if inode == 0 { 0 } else { name_len }],
    };
    Ok((entry, len))
}

/// A block of 64 KiB does not fit in 16 bits: 0 and 65535 stand for it.
fn entry_len(raw: u16, block: usize) -> usize {
    match raw {
        0 | u16::MAX if block > usize::from(u16::MAX) => block,
        raw => usize::from(raw),
    }
}
