//! Where a file's blocks are: extent trees and the older indirect blocks.

use super::inode::INLINE;
use super::{Ext, Inode, Seen, Unread, checksum, le16, le32};
use crate::guest::blocks::Blocks;

/// Blocks that follow each other in the file and on the disk. Holes have no run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// First block in the file.
    pub logical: u64,
    /// First block on the disk.
    pub physical: u64,
    /// How many.
    pub count: u64,
}

/// An extent tree is at most this deep.
const DEEPEST: u16 = 5;

/// At most this many blocks of a tree are read for one question; 340 extents fit in each.
const MOST_NODES: usize = 100_000;

/// A part of a tree that has still to be looked at.
struct Branch {
    block: u64,
    depth: u16,
    from: u64,
    to: u64,
}

impl Ext {
    /// The runs that overlap `count` blocks from `first` on, cut to these.
    pub(super) fn runs(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        first: u64,
        count: u64,
        seen: &mut Seen<'_>,
    ) -> Result<Vec<Run>, Unread> {
        if inode.is_inline() {
            return Err(Unread::broken(INLINE));
        }
        seen.ask();
        let to = first.saturating_add(count);
        let runs = if inode.has_extents() {
            let mut runs = Vec::new();
            self.extents(part, inode, (first, to), seen, &mut |more| {
                runs.extend_from_slice(more);
                Ok(())
            })?;
            runs
        } else {
            self.indirect(part, inode, first, to, seen)?
        };
        self.check_inside(&runs)?;
        Ok(runs)
    }

    fn check_inside(&self, runs: &[Run]) -> Result<(), Unread> {
        let superblock = &self.superblock;
        let is_inside = |run: &Run| {
            let end = run.physical.checked_add(run.count);
            run.physical > superblock.first_block && end.is_some_and(|end| end <= superblock.blocks)
        };
        if runs.iter().all(is_inside) {
            Ok(())
        } else {
            Err(Unread::broken("it has blocks beyond the file system"))
        }
    }

    /// Checks all of a file's extents, as far as that takes no more than the blocks of its tree. Older maps are as long
    /// as the file and have no checksums, and are looked at when they are read.
    pub(super) fn check_map(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        seen: &mut Seen<'_>,
    ) -> Result<(), Unread> {
        if inode.is_inline() {
            return Err(Unread::broken(INLINE));
        }
        if !inode.has_extents() {
            return Ok(());
        }
        seen.ask();
        let mut count = 0;
        self.extents(part, inode, (0, u64::MAX), seen, &mut |runs| {
            self.check_inside(runs)?;
            count += runs.iter().map(|run| run.count).sum::<u64>();
            if count > self.superblock.blocks {
                return Err(Unread::broken("it has more blocks than the file system"));
            }
            Ok(())
        })
    }

    /// Shows the runs of a tree that overlap a window, node by node.
    fn extents(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        (from, to): (u64, u64),
        seen: &mut Seen<'_>,
        each: &mut dyn FnMut(&[Run]) -> Result<(), Unread>,
    ) -> Result<(), Unread> {
        let mut runs = Vec::new();
        let mut todo = Vec::new();
        let depth = le16(&inode.map, 6);
        if depth > DEEPEST {
            return Err(damaged());
        }
        let whole = Branch {
            block: 0,
            depth,
            from,
            to,
        };
        read_node(&inode.map, &whole, &mut runs, &mut todo)?;
        each(&runs)?;
        let mut nodes = 0;
        while let Some(branch) = todo.pop() {
            seen.step()?;
            nodes += 1;
            if nodes > MOST_NODES {
                return Err(Unread::broken("its extent tree has no end"));
            }
            if !seen.is_own_node(branch.block, inode.number) {
                return Err(Unread::broken("a block of its extent tree has two places"));
            }
            let node = self.block(part, branch.block)?;
            runs.clear();
            read_node(&node, &branch, &mut runs, &mut todo)?;
            let holds = |seed| checksum::extents_hold(seed, &node);
            if !self.own_seed(inode).is_none_or(holds) {
                return Err(Unread::broken("its extent tree has a wrong checksum"));
            }
            each(&runs)?;
        }
        Ok(())
    }

    pub(super) fn block(&self, part: &mut dyn Blocks, number: u64) -> Result<Vec<u8>, Unread> {
        let width = self.superblock.block_size;
        if number >= self.superblock.blocks {
            return Err(Unread::broken(
                "a block that it needs is beyond the file system",
            ));
        }
        let mut bytes = vec![0; width as usize];
        part.read_at(number * width, &mut bytes)?;
        Ok(bytes)
    }

    /// Twelve direct blocks, then one tree each of one, two and three levels.
    fn indirect(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        from: u64,
        to: u64,
        seen: &mut Seen<'_>,
    ) -> Result<Vec<Run>, Unread> {
        let mut runs = Vec::new();
        for at in from..to.min(12) {
            push_block(&mut runs, at, le32(&inode.map, at as usize * 4));
        }
        let fan = self.superblock.block_size / 4;
        let mut start = 12;
        for level in 1..=3u32 {
            let span = fan.pow(level);
            if from < start + span && start < to {
                let root = le32(&inode.map, 44 + level as usize * 4);
                let window = (from.max(start) - start, to.min(start + span) - start);
                self.indirect_tree(part, (root, level, start), window, &mut runs, seen)?;
            }
            start += span;
        }
        Ok(runs)
    }

    /// Walks the window (relative to the tree's first block) of one tree, skipping what has no block.
    fn indirect_tree(
        &self,
        part: &mut dyn Blocks,
        (root, level, start): (u32, u32, u64),
        (from, to): (u64, u64),
        runs: &mut Vec<Run>,
        seen: &mut Seen<'_>,
    ) -> Result<(), Unread> {
        let fan = self.superblock.block_size / 4;
        let mut at = from;
        while at < to {
            seen.step()?;
            let (mut block, mut span) = (root, fan.pow(level));
            while block != 0 && span > 1 {
                span /= fan;
                if u64::from(block) >= self.superblock.blocks {
                    return Err(Unread::broken("its map leads beyond the file system"));
                }
                let offset = u64::from(block) * self.superblock.block_size + (at / span % fan) * 4;
                let mut pointer = [0; 4];
                part.read_at(offset, &mut pointer)?;
                block = u32::from_le_bytes(pointer);
            }
            push_block(runs, start + at, block);
            at = (at / span + 1) * span;
        }
        Ok(())
    }
}

fn push_block(runs: &mut Vec<Run>, logical: u64, physical: u32) {
    let physical = u64::from(physical);
    if physical == 0 {
        return;
    }
    match runs.last_mut() {
        Some(run) if run.logical + run.count == logical && run.physical + run.count == physical => {
            run.count += 1;
        }
        _ => runs.push(Run {
            logical,
            physical,
            count: 1,
        }),
    }
}

fn damaged() -> Unread {
    Unread::broken("its extent tree is damaged")
}

/// Reads one node: extents go to `runs`, subtrees that overlap the branch's window to `todo`. Extents and subtrees follow
/// each other, and each subtree's window ends where the next one begins, so that no block of the file is looked at twice.
fn read_node(
    node: &[u8],
    branch: &Branch,
    runs: &mut Vec<Run>,
    todo: &mut Vec<Branch>,
) -> Result<(), Unread> {
    let (magic, count, depth) = (le16(node, 0), usize::from(le16(node, 2)), le16(node, 6));
    if magic != 0xf30a || depth != branch.depth || 12 + count * 12 > node.len() {
        return Err(damaged());
    }
    let entries = node[12..12 + count * 12].chunks_exact(12);
    if depth == 0 {
        return read_leaf(entries, branch, runs);
    }
    let below: Vec<(u64, u64)> = entries
        .map(|entry| {
            let block = u64::from(le16(entry, 8)) << 32 | u64::from(le32(entry, 4));
            (u64::from(le32(entry, 0)), block)
        })
        .collect();
    if below.is_empty() || !below.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(damaged());
    }
    for (at, &(own, block)) in below.iter().enumerate().rev() {
        let next = below.get(at + 1).map_or(branch.to, |next| next.0);
        let (from, to) = (own.max(branch.from), next.min(branch.to));
        if from < to {
            todo.push(Branch {
                block,
                depth: depth - 1,
                from,
                to,
            });
        }
    }
    Ok(())
}

/// Adds the extents that are in the window, cut to it, but for those that were never written, which read as zeros.
fn read_leaf<'a>(
    entries: impl Iterator<Item = &'a [u8]>,
    branch: &Branch,
    runs: &mut Vec<Run>,
) -> Result<(), Unread> {
    const UNWRITTEN: u16 = 32768;
    let mut end = 0;
    for entry in entries {
        let raw = le16(entry, 4);
        let is_written = raw <= UNWRITTEN;
        let len = u64::from(if is_written { raw } else { raw - UNWRITTEN });
        let own = u64::from(le32(entry, 0));
        if own < end || len == 0 {
            return Err(damaged());
        }
        end = own + len;
        let physical = u64::from(le16(entry, 6)) << 32 | u64::from(le32(entry, 8));
        let (from, to) = (own.max(branch.from), end.min(branch.to));
        if is_written && from < to {
            runs.push(Run {
                logical: from,
                physical: physical + (from - own),
                count: to - from,
            });
        }
    }
    Ok(())
}
