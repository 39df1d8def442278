//! The beginnings of a disk and of its partitions: boot code, table, superblocks. What an export must not move or could
//! not make anew is told from them, without an appliance.

use super::blocks::Blocks;
use super::layout::Volume;
use super::partition::Table;
use crate::model::inventory::{MOST_HEAD, Origin};
use std::io;

/// Boot sector, superblock, and the signature of a swap area.
const PARTITION: usize = 4096;
/// What is read at a time.
const PIECE: u64 = 1 << 20;

/// The facts about a disk, with its table and what lies at the beginning of everything.
pub(super) fn origin(
    facts: Origin,
    table: Table,
    volumes: &[Volume],
    disk: &mut dyn Blocks,
) -> io::Result<Origin> {
    let kind = table.kind.to_owned();
    let mut partitions = table.with_contents(volumes);
    let first = partitions.iter().map(|partition| partition.start).min();
    for partition in &mut partitions {
        // Where it cannot be read, the appliance finds out what it must know.
        partition.head = beginning(disk, partition.start, PARTITION).unwrap_or_default();
    }
    Ok(Origin {
        table: kind,
        partitions,
        head: filled(disk, first.unwrap_or_default())?,
        ..facts
    })
}

/// The `len` bytes from `start` on, as many as there are: a table may name places that no disk has.
pub(super) fn beginning(disk: &mut dyn Blocks, start: u64, len: usize) -> io::Result<Vec<u8>> {
    disk.bytes(start, len)
}

/// The bytes before `end` up to the last one that is not zero.
fn filled(disk: &mut dyn Blocks, end: u64) -> io::Result<Vec<u8>> {
    let end = end.min(MOST_HEAD).min(disk.size());
    let mut head = Vec::new();
    let mut at = 0;
    while at < end {
        let len = usize::try_from(PIECE.min(end - at)).expect("a piece is small");
        let piece = disk.bytes(at, len)?;
        if let Some(last) = piece.iter().rposition(|&byte| byte != 0) {
            head.resize(usize::try_from(at).expect("bounded"), 0);
            head.extend_from_slice(&piece[..=last]);
        }
        at += PIECE;
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_may_name_places_that_no_disk_has() {
        let disk = [7; 10];
        let seen = |start| beginning(&mut &disk[..], start, 4).expect("a slice reads");
        assert_eq!(
            (seen(0), seen(8), seen(10)),
            (vec![7; 4], vec![7; 2], Vec::<u8>::new())
        );
        assert_eq!(seen(u64::MAX), [0; 0]);
    }

    #[test]
    fn all_before_the_first_partition_is_seen_up_to_its_last_byte() {
        let mut disk = vec![0; 3 << 20];
        for at in [0, 5, (1 << 20) + 7, (2 << 20) + 9] {
            disk[at] = 1;
        }
        let seen = |end: u64| filled(&mut &disk[..], end).expect("a slice reads");
        assert_eq!(seen(0), [0; 0]);
        assert_eq!(seen(1 << 20), [1, 0, 0, 0, 0, 1]);
        assert_eq!(seen(2 << 20), disk[..=(1 << 20) + 7]);
        assert_eq!(seen(1 << 40), disk[..=(2 << 20) + 9]);
        assert_eq!(seen((2 << 20) + 9), disk[..=(1 << 20) + 7]);
    }
}
