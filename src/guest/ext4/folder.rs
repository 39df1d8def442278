//! Folders: names and inode numbers.

use super::{Ext, Inode, Seen, Unread, checksum, le16, le32};
use crate::guest::blocks::Blocks;

impl Ext {
    /// Shows each name of a folder with its inode's number, which is not checked; never `.`, `..` or an empty one. Goes
    /// block by block: an indexed folder's index blocks look like empty ones. Returns what is damaged in it.
    pub(super) fn folder(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        seen: &mut Seen<'_>,
        each: &mut dyn FnMut(&[u8], u32),
    ) -> Result<Option<String>, Unread> {
        let width = self.superblock.block_size;
        let count = inode.size.div_ceil(width);
        seen.take_folder(count)?;
        let mut faults = Faults::default();
        for run in self.runs(part, inode, 0, count, seen)? {
            for at in 0..run.count {
                seen.step()?;
                let found = self.names(part, inode, run.physical + at, seen, each);
                match found.map_err(Unread::of_piece) {
                    Ok(()) => {}
                    Err(Ok(why)) => faults.add(run.logical + at, why),
                    Err(Err(fatal)) => return Err(fatal),
                }
            }
        }
        Ok(faults.into_words(count))
    }

    /// Shows the names in one block; what is before damage is shown as well.
    fn names(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        block: u64,
        seen: &mut Seen<'_>,
        each: &mut dyn FnMut(&[u8], u32),
    ) -> Result<(), Unread> {
        if !seen.is_new_folder_block(block) {
            return Err(Unread::broken("it has two places"));
        }
        let bytes = self.block(part, block)?;
        for entry in entries(&bytes, self.superblock.has_types) {
            let entry = entry?;
            if !matches!(entry.name, b"" | b"." | b"..") {
                seen.take_name()?;
                each(entry.name, entry.inode);
            }
        }
        let holds = |seed| checksum::folder_holds(seed, &bytes);
        if self.own_seed(inode).is_none_or(holds) {
            Ok(())
        } else {
            Err(Unread::broken("it has a wrong checksum"))
        }
    }
}

/// What is wrong with a folder's blocks: how many there are, and the first one.
#[derive(Default)]
struct Faults {
    count: u64,
    first: Option<(u64, String)>,
}

impl Faults {
    fn add(&mut self, block: u64, why: String) {
        self.count += 1;
        self.first.get_or_insert((block, why));
    }

    fn into_words(self, blocks: u64) -> Option<String> {
        let (block, why) = self.first?;
        let rest = match self.count - 1 {
            0 => String::new(),
            more => format!(", and {more} more of its {blocks} blocks are damaged"),
        };
        Some(format!(
            "block {block} of the folder is damaged: {why}{rest}"
        ))
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

/// The shortest entry has a name of one byte.
const SHORTEST: usize = 12;

/// The entry at an offset, and its length.
fn entry(block: &[u8], at: usize, has_types: bool) -> Result<(RawEntry<'_>, usize), Unread> {
    let inode = le32(block, at);
    let len = entry_len(le16(block, at + 4), block.len());
    let name_len = if has_types {
        usize::from(block[at + 6])
    } else {
        usize::from(le16(block, at + 6))
    };
    if len < SHORTEST
        || !len.is_multiple_of(4)
        || at + len > block.len()
        || (inode != 0 && name_len + 8 > len)
    {
        return Err(Unread::broken("an entry is impossible"));
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
