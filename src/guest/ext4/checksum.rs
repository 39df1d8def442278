//! The checksums of `metadata_csum`: CRC-32C, without the inversion at the end that other formats have.
//!
//! The reader compares them and the export writes them. The format is that of "Checksums" in the kernel's
//! Documentation/filesystems/ext4. Each function answers for one kind of record.

use super::{le16, le32};

/// Fields of an inode: the sum's halves, the second one only where the inode is long enough for it.
const INODE_LOW: usize = 124;
const INODE_HIGH: usize = 130;

/// A descriptor's own sum.
const GROUP_SUM: usize = 30;

/// Bytes of the entry without a name that ends a folder's block and holds its checksum, and its type.
pub(crate) const TAIL: usize = 12;
const TAIL_TYPE: u8 = 0xde;

/// Goes on with a checksum over more bytes.
pub(crate) fn crc(sum: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!sum, bytes)
}

/// Where checksums of a file's own records start: its number and generation.
pub(crate) fn of_inode(seed: u32, number: u32, generation: u32) -> u32 {
    crc(crc(seed, &number.to_le_bytes()), &generation.to_le_bytes())
}

/// The lower half of a sum.
pub(crate) fn low(sum: u32) -> [u8; 2] {
    (sum as u16).to_le_bytes()
}

/// The upper half of a sum.
pub(crate) fn high(sum: u32) -> [u8; 2] {
    ((sum >> 16) as u16).to_le_bytes()
}

/// The superblock's sum, over its 1024 bytes.
pub(crate) fn superblock(raw: &[u8]) -> u32 {
    crc(u32::MAX, &raw[..1020])
}

/// The sum of a group's descriptor, whose own field counts as zero; only the lower half is kept.
pub(crate) fn group(seed: u32, number: u32, raw: &[u8]) -> u32 {
    let sum = crc(crc(seed, &number.to_le_bytes()), &raw[..GROUP_SUM]);
    crc(crc(sum, &[0; 2]), &raw[GROUP_SUM + 2..])
}

/// Whether a group's descriptor has its sum.
pub(crate) fn group_holds(seed: u32, number: u32, raw: &[u8]) -> bool {
    raw[GROUP_SUM..GROUP_SUM + 2] == low(group(seed, number, raw))
}

/// Whether an inode is long enough for the upper half of its sum.
fn has_high(raw: &[u8]) -> bool {
    raw.len() >= INODE_HIGH + 2 && le16(raw, 128) >= 4
}

/// The sum of a whole inode, whose own fields count as zero.
fn inode(own_seed: u32, raw: &[u8]) -> u32 {
    let sum = crc(crc(own_seed, &raw[..INODE_LOW]), &[0; 2]);
    if has_high(raw) {
        let sum = crc(sum, &raw[INODE_LOW + 2..INODE_HIGH]);
        crc(crc(sum, &[0; 2]), &raw[INODE_HIGH + 2..])
    } else {
        crc(sum, &raw[INODE_LOW + 2..])
    }
}

/// Whether an inode has its sum; `own_seed` is that of [`of_inode`].
pub(crate) fn inode_holds(own_seed: u32, raw: &[u8]) -> bool {
    let sum = inode(own_seed, raw);
    raw[INODE_LOW..INODE_LOW + 2] == low(sum)
        && (!has_high(raw) || raw[INODE_HIGH..INODE_HIGH + 2] == high(sum))
}

/// Writes an inode's sum into it.
pub(crate) fn sum_inode(own_seed: u32, raw: &mut [u8]) {
    let sum = inode(own_seed, raw);
    raw[INODE_LOW..INODE_LOW + 2].copy_from_slice(&low(sum));
    if has_high(raw) {
        raw[INODE_HIGH..INODE_HIGH + 2].copy_from_slice(&high(sum));
    }
}

/// Whether a block of an extent tree has its sum, which follows the room for extents.
pub(crate) fn extents_hold(own_seed: u32, block: &[u8]) -> bool {
    let end = 12 + usize::from(le16(block, 4)) * 12;
    end + 4 <= block.len() && le32(block, end) == crc(own_seed, &block[..end])
}

/// Whether a folder's block of names ends in an entry for its sum.
pub(crate) fn has_tail(block: &[u8]) -> bool {
    let tail = &block[block.len() - TAIL..];
    le32(tail, 0) == 0 && le16(tail, 4) == TAIL as u16 && tail[6] == 0 && tail[7] == TAIL_TYPE
}

/// Whether a folder's block has its sum: a block of names in its tail, a block of an index behind its room.
pub(crate) fn folder_holds(own_seed: u32, block: &[u8]) -> bool {
    if has_tail(block) {
        let end = block.len() - TAIL;
        return le32(block, end + 8) == crc(own_seed, &block[..end]);
    }
    index_at(block).is_some_and(|at| index_holds(own_seed, block, at))
}

/// Where the counters of an index block are: it looks like a block with one empty entry, or like one with `.` and `..`.
fn index_at(block: &[u8]) -> Option<usize> {
    let is_rest = |at: usize| {
        let len = usize::from(le16(block, at + 4));
        // A block of 64 KiB does not fit in 16 bits: 0 and 65535 stand for it.
        at + len == block.len() || (block.len() > 0xffff && matches!(len, 0 | 0xffff))
    };
    if is_rest(0) {
        return Some(8);
    }
    let is_root = le16(block, 4) == 12 && is_rest(12) && le32(block, 24) == 0 && block[29] == 8;
    is_root.then_some(32)
}

fn index_holds(own_seed: u32, block: &[u8], at: usize) -> bool {
    let (limit, count) = (
        usize::from(le16(block, at)),
        usize::from(le16(block, at + 2)),
    );
    let (end, tail) = (at + count * 8, at + limit * 8);
    if count > limit || tail + 8 > block.len() {
        return false;
    }
    let sum = crc(crc(own_seed, &block[..end]), &block[tail..tail + 4]);
    le32(block, tail + 4) == crc(sum, &[0; 4])
}

/// Whether a block of extended attributes has its sum.
pub(crate) fn attributes_hold(seed: u32, number: u64, block: &[u8]) -> bool {
    let sum = crc(crc(seed, &number.to_le_bytes()), &block[..16]);
    le32(block, 16) == crc(crc(sum, &[0; 4]), &block[20..])
}
