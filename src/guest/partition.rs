//! Partition tables: MBR with its chain of logical partitions, and GPT.
//!
//! A parser of our own: it needs only starts, sizes and types, must never fail whole on a hostile table, and has to
//! bound what a table may ask for (the chain of logical partitions can loop). What is damaged is told, and the rest is read.

use super::blocks::Blocks;
use super::gpt;
use super::identify::identify;
use super::layout::Volume;
use crate::model::Partition;
use std::io;

/// More partitions than this are not looked at.
const MOST: usize = 1024;

/// A table with more damage than this is not described in full.
const MOST_FAULTS: usize = 20;

/// The MBR type of the entry that stands for a whole GPT disk.
const PROTECTIVE: u8 = 0xee;

/// MBR types of a container for logical partitions.
const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];

/// A disk's partition table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Table {
    /// `gpt`, `mbr`, or empty.
    pub kind: &'static str,
    /// The partitions by number, and each one's `PARTUUID` where known.
    pub partitions: Vec<(Partition, String)>,
    /// What is damaged in it, as sentences.
    pub faults: Vec<String>,
}

/// Reads the table; an empty one when there is none.
pub(super) fn read(disk: &mut dyn Blocks) -> io::Result<Table> {
    let mut table = read_any(disk)?;
    table.check(disk.size());
    Ok(table)
}

fn read_any(disk: &mut dyn Blocks) -> io::Result<Table> {
    let head = disk.bytes(0, 512)?;
    let is_mbr = head.len() == 512 && head[510..] == [0x55, 0xaa];
    let entries = if is_mbr {
        mbr_entries(&head)
    } else {
        Vec::new()
    };
    if entries.iter().any(|entry| entry.kind == PROTECTIVE)
        && let Some(table) = gpt::read(disk)?
    {
        return Ok(table);
    }
    // The first sector of a FAT or ext boot block ends in the same two bytes.
    if is_mbr && looks_like_table(&head, &entries) {
        let is_sound = entries
            .iter()
            .all(|entry| entry.kind == 0 || entry.start < disk.size());
        if is_sound || is_unknown(disk)? {
            return read_mbr(disk, &head, &entries);
        }
    } else if is_unknown(disk)?
        && let Some(mut table) = gpt::read(disk)?
    {
        let what = "the MBR that must stand before a GPT is gone";
        table.faults.push(what.to_owned());
        return Ok(table);
    }
    Ok(Table::default())
}

/// Whether no file system begins where the disk begins.
fn is_unknown(disk: &mut dyn Blocks) -> io::Result<bool> {
    Ok(identify(disk)?.kind.is_empty())
}

struct MbrEntry {
    kind: u8,
    start: u64,
    size: u64,
}

fn mbr_entries(sector: &[u8]) -> Vec<MbrEntry> {
    sector[446..510]
        .chunks_exact(16)
        .map(|entry| MbrEntry {
            kind: entry[4],
            start: u64::from(le32(entry, 8)) * 512,
            size: u64::from(le32(entry, 12)) * 512,
        })
        .collect()
}

fn looks_like_table(head: &[u8], entries: &[MbrEntry]) -> bool {
    let flags_are_plain = head[446..510]
        .chunks_exact(16)
        .all(|entry| matches!(entry[0], 0 | 0x80));
    flags_are_plain
        && entries
            .iter()
            .any(|entry| entry.kind != 0 && entry.size > 0)
}

fn read_mbr(disk: &mut dyn Blocks, head: &[u8], entries: &[MbrEntry]) -> io::Result<Table> {
    let disk_id = le32(head, 440);
    let mut table = Table {
        kind: "mbr",
        ..Table::default()
    };
    for (at, entry) in entries.iter().enumerate() {
        if entry.kind == PROTECTIVE {
            let what = "the disk's GPT is damaged, and so is the copy at its end";
            table.faults.push(what.to_owned());
        }
        if entry.kind != 0 && entry.size > 0 {
            table.push_mbr(at as u32 + 1, entry.kind, entry.start, entry.size, disk_id);
        }
    }
    if let Some(extended) = entries.iter().find(|entry| EXTENDED.contains(&entry.kind)) {
        read_logical(disk, extended.start, disk_id, &mut table)?;
    }
    Ok(table)
}

/// Follows the chain: each link holds a partition (relative to the link) and the next link (relative to the container).
fn read_logical(
    disk: &mut dyn Blocks,
    container: u64,
    disk_id: u32,
    table: &mut Table,
) -> io::Result<()> {
    let mut link = container;
    for number in 5..5 + MOST as u32 {
        let broken = |why: &str| {
            format!("the chain of logical partitions is damaged before partition {number}: {why}")
        };
        let sector = disk.bytes(link, 512)?;
        if sector.len() < 512 {
            table.faults.push(broken("it leads beyond the disk"));
            break;
        }
        if sector[510..] != [0x55, 0xaa] {
            table.faults.push(broken("it leads to no such table"));
            break;
        }
        let entries = mbr_entries(&sector);
        let (own, next) = (&entries[0], &entries[1]);
        if own.kind != 0 && own.size > 0 {
            table.push_mbr(
                number,
                own.kind,
                link.saturating_add(own.start),
                own.size,
                disk_id,
            );
        }
        if !EXTENDED.contains(&next.kind) {
            break;
        }
        let following = container.saturating_add(next.start);
        if following <= link {
            // Every system writes the chain in rising order; what goes back is a loop.
            table.faults.push(format!(
                "the chain of logical partitions goes back after partition {number}"
            ));
            break;
        }
        link = following;
    }
    Ok(())
}

impl Table {
    /// The partitions, each with what was found on the device of its number.
    pub fn with_contents(self, volumes: &[Volume]) -> Vec<Partition> {
        let holds = |partition: &Partition| {
            let device = format!("/dev/sda{}", partition.number);
            let volume = volumes
                .iter()
                .find(|volume| volume.file_system.device == device);
            volume.map(|volume| volume.file_system.kind.clone())
        };
        let rows = self.partitions.into_iter();
        rows.map(|(partition, _)| Partition {
            holds: holds(&partition).unwrap_or_default(),
            ..partition
        })
        .collect()
    }

    /// Looks for partitions that no disk of this size has, and for those that have the same room.
    fn check(&mut self, size: u64) {
        let mut places = Vec::new();
        for (row, _) in &self.partitions {
            let end = row.start.saturating_add(row.size);
            let number = row.number;
            if row.start >= size {
                let what = format!("partition {number} begins beyond the end of the disk");
                self.faults.push(what);
            } else if end > size {
                let what = format!("partition {number} ends beyond the end of the disk");
                self.faults.push(what);
            }
            if !is_container(row) {
                places.push((row.start, end, number));
            }
        }
        self.faults.extend(overlaps(&mut places));
        // A container must not share room with the partitions beside it; those in it are logical ones.
        if self.partitions.iter().any(|(row, _)| is_container(row)) {
            let primary = self.partitions.iter().filter(|(row, _)| row.number <= 4);
            let mut places: Vec<_> = primary
                .map(|(row, _)| (row.start, row.start.saturating_add(row.size), row.number))
                .collect();
            self.faults.extend(overlaps(&mut places));
        }
        self.faults.dedup();
        self.faults.truncate(MOST_FAULTS);
    }

    fn push_mbr(&mut self, number: u32, kind: u8, start: u64, size: u64, disk_id: u32) {
        let partition = Partition {
            number,
            start,
            size,
            kind: format!("{kind:02x}"),
            ..Partition::default()
        };
        self.partitions
            .push((partition, format!("{disk_id:08x}-{number:02x}")));
    }
}

/// Which of these places (first byte, end, number) share room.
fn overlaps(places: &mut [(u64, u64, u32)]) -> Vec<String> {
    places.sort_unstable();
    let mut faults = Vec::new();
    let mut before = (0, 0);
    for &mut (start, end, number) in places {
        if start < before.0 {
            let first = before.1;
            faults.push(format!("partitions {first} and {number} overlap"));
        }
        before = before.max((end, number));
    }
    faults
}

/// Whether a partition of this type only holds other ones.
pub(super) fn is_container(partition: &Partition) -> bool {
    EXTENDED
        .iter()
        .any(|kind| partition.kind == format!("{kind:02x}"))
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put(disk: &mut [u8], sector: usize, slot: usize, kind: u8, start: u32, size: u32) {
        let at = sector * 512 + 446 + slot * 16;
        disk[at + 4] = kind;
        disk[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
        disk[at + 12..at + 16].copy_from_slice(&size.to_le_bytes());
        disk[sector * 512 + 510..][..2].copy_from_slice(&[0x55, 0xaa]);
    }

    fn shown(disk: &[u8]) -> (&'static str, Vec<(u32, u64, u64, String)>) {
        let table = read(&mut &disk[..]).expect("a slice reads");
        let parts = table.partitions.into_iter();
        let parts =
            parts.map(|(part, _)| (part.number, part.start / 512, part.size / 512, part.kind));
        (table.kind, parts.collect())
    }

    #[test]
    fn logical_partitions_are_followed_and_a_loop_ends() {
        let mut disk = vec![0; 512 * 200];
        put(&mut disk, 0, 0, 0x83, 2, 8);
        put(&mut disk, 0, 1, 0x05, 20, 180);
        put(&mut disk, 20, 0, 0x83, 1, 9);
        put(&mut disk, 20, 1, 0x05, 40, 20);
        put(&mut disk, 60, 0, 0x82, 1, 5);
        put(&mut disk, 60, 1, 0x05, 40, 20);
        let (kind, parts) = shown(&disk);
        assert_eq!(kind, "mbr");
        let places: Vec<_> = parts.iter().map(|part| (part.0, part.1, part.2)).collect();
        assert_eq!(places, [(1, 2, 8), (2, 20, 180), (5, 21, 9), (6, 61, 5)]);
        assert_eq!(parts[3].3, "82");
    }

    #[test]
    fn gpt_entries_have_types_and_identifiers() {
        let mut disk = vec![0; 512 * 64];
        put(&mut disk, 0, 0, 0xee, 1, 63);
        disk[512..520].copy_from_slice(b"EFI PART");
        disk[512 + 72] = 2;
        disk[512 + 80] = 4;
        disk[512 + 84] = 128;
        let entry = 1024 + 128;
        disk[entry..entry + 16].copy_from_slice(&[
            0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47, 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47,
            0x7d, 0xe4,
        ]);
        disk[entry + 32] = 40;
        disk[entry + 40] = 47;
        let (kind, parts) = shown(&disk);
        assert_eq!(kind, "gpt");
        assert_eq!(
            parts,
            [(2, 40, 8, "0fc63daf-8483-4772-8e79-3d69d8477de4".to_owned())]
        );
    }

    #[test]
    fn a_disk_without_table_has_none() {
        assert_eq!(shown(&[]).0, "");
        assert_eq!(shown(&vec![0; 4096]).0, "");
        assert_eq!(shown(&vec![0xff; 4096]).0, "");
    }

    proptest! {
        #[test]
        fn no_table_makes_it_panic_or_hang(
            seed in proptest::collection::vec(any::<u8>(), 512 * 8),
            kind in prop_oneof![Just(0x83u8), Just(0x05), Just(0xee)],
        ) {
            let mut disk = seed;
            disk[446] = 0x80;
            for at in [462, 478, 494] { disk[at] = 0; }
            disk[450] = kind;
            disk[510..512].copy_from_slice(&[0x55, 0xaa]);
            disk[512..520].copy_from_slice(b"EFI PART");
            let table = read(&mut &disk[..]).expect("reads are inside");
            prop_assert!(table.partitions.len() <= MOST + 4);
        }
    }
}
