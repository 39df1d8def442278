//! Where a file's blocks are: extent trees and the older indirect blocks.

use super::{Ext, Inode, Unread, le16, le32};
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
    ) -> Result<Vec<Run>, Unread> {
        let to = first.saturating_add(count);
        let runs = if inode.has_extents() {
            self.extents(part, inode, first, to)?
        } else {
            self.indirect(part, inode, first, to)?
        };
        let blocks = self.superblock.blocks;
        let is_inside = |run: &Run| {
            run.physical
                .checked_add(run.count)
                .is_some_and(|end| end <= blocks)
        };
        if runs.iter().all(is_inside) {
            Ok(runs)
        } else {
            Err(Unread::broken("a file has blocks beyond the disk"))
        }
    }

    fn extents(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        from: u64,
        to: u64,
    ) -> Result<Vec<Run>, Unread> {
        let mut runs = Vec::new();
        let mut todo = Vec::new();
        let whole = Branch {
            block: 0,
            depth: DEEPEST + 1,
            from,
            to,
        };
        read_node(&inode.map, &whole, &mut runs, &mut todo)?;
        let mut nodes = 0;
        while let Some(branch) = todo.pop() {
            nodes += 1;
            if nodes > MOST_NODES {
                return Err(Unread::broken("a file's extent tree has no end"));
            }
            let node = self.block(part, branch.block)?;
            read_node(&node, &branch, &mut runs, &mut todo)?;
        }
        Ok(runs)
    }

    pub(super) fn block(&self, part: &mut dyn Blocks, number: u64) -> Result<Vec<u8>, Unread> {
        let width = self.superblock.block_size;
        let start = number
            .checked_mul(width)
            .ok_or_else(|| Unread::broken("a block beyond the disk"))?;
        let mut bytes = vec![0; width as usize];
        part.read_at(start, &mut bytes)?;
        Ok(bytes)
    }

    /// Twelve direct blocks, then one tree each of one, two and three levels.
    fn indirect(
        &self,
        part: &mut dyn Blocks,
        inode: &Inode,
        from: u64,
        to: u64,
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
                self.indirect_tree(part, root, level, start, window, &mut runs)?;
            }
            start += span;
        }
        Ok(runs)
    }

    /// Walks the window (relative to the tree's first block) of one tree, skipping what has no block.
    fn indirect_tree(
        &self,
        part: &mut dyn Blocks,
        root: u32,
        level: u32,
        start: u64,
        (from, to): (u64, u64),
        runs: &mut Vec<Run>,
    ) -> Result<(), Unread> {
        let fan = self.superblock.block_size / 4;
        let mut at = from;
        while at < to {
            let (mut block, mut span) = (root, fan.pow(level));
            while block != 0 && span > 1 {
                span /= fan;
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

/// Reads one node: extents go to `runs`, subtrees that overlap the branch's window to `todo`. Each subtree's window ends
/// where the next one begins, so however the tree is made, no block of the file is looked at twice.
fn read_node(
    node: &[u8],
    branch: &Branch,
    runs: &mut Vec<Run>,
    todo: &mut Vec<Branch>,
) -> Result<(), Unread> {
    let (magic, count, depth) = (le16(node, 0), usize::from(le16(node, 2)), le16(node, 6));
    if magic != 0xf30a || depth >= branch.depth || 12 + count * 12 > node.len() {
        return Err(Unread::broken("a file's extent tree is damaged"));
    }
    let entries: Vec<&[u8]> = node[12..12 + count * 12].chunks_exact(12).collect();
    if depth == 0 {
        runs.extend(entries.iter().filter_map(|entry| leaf(entry, branch)));
        return Ok(());
    }
    for (at, entry) in entries.iter().enumerate().rev() {
        let own = u64::from(le32(entry, 0));
        let next = entries
            .get(at + 1)
            .map_or(branch.to, |next| u64::from(le32(next, 0)));
        let (from, to) = (own.max(branch.from), next.min(branch.to));
        if from < to {
            todo.push(Branch {
                block: u64::from(le16(entry, 8)) << 32 | u64::from(le32(entry, 4)),
                depth,
                from,
                to,
            });
        }
    }
    Ok(())
}

/// An extent, cut to the window; `None` for one that is outside or allocated but never written, which reads as zeros.
fn leaf(entry: &[u8], branch: &Branch) -> Option<Run> {
    const UNWRITTEN: u16 = 32768;
    let len = le16(entry, 4);
    if len > UNWRITTEN {
        return None;
    }
    let (own, physical) = (
        u64::from(le32(entry, 0)),
        u64::from(le16(entry, 6)) << 32 | u64::from(le32(entry, 8)),
    );
    let from = own.max(branch.from);
    let to = (own + u64::from(len)).min(branch.to);
    (from < to).then(|| Run {
        logical: from,
        physical: physical + (from - own),
        count: to - from,
    })
}
