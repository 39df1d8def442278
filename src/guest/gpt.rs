//! GPT: a header and entries at the disk's beginning, with checksums, and a copy of both at its end.
//!
//! The copy is read where the first one is damaged, as the kernel does. The format is that of the UEFI specification,
//! chapter 5. A header may claim any number of entries of any length; both are bounded here.

use super::blocks::Blocks;
use super::partition::Table;
use crate::model::Partition;
use std::fmt::Write as _;
use std::io;

/// Tables have 128 entries; more than this many are not looked at.
const MOST: usize = 1024;

/// Bytes of the header's fields.
const HEADER: usize = 92;

/// One copy of the table.
struct Copy {
    entries: Vec<u8>,
    /// Bytes of an entry.
    width: usize,
    /// The sector where the other copy's header is.
    twin: u64,
    /// Whether its checksums hold.
    is_sound: bool,
}

/// Reads the table, or its copy where that is the sound one; `None` where there is none.
pub(super) fn read(disk: &mut dyn Blocks) -> io::Result<Option<Table>> {
    for sector in [512, 4096] {
        let first = Copy::read(disk, sector, 1)?;
        if let Some(copy) = first.as_ref().filter(|copy| copy.is_sound) {
            return Ok(Some(copy.table(sector, None)));
        }
        let last = (disk.size() / sector).saturating_sub(1);
        let named = first.as_ref().map(|copy| copy.twin);
        for at in [Some(last), named].into_iter().flatten() {
            let copy = Copy::read(disk, sector, at)?;
            if let Some(copy) = copy.filter(|copy| copy.is_sound) {
                let what = "the GPT at the beginning of the disk is damaged, and its copy at the end is read \
                    (`sgdisk -e` on a raw copy of the image, or `gdisk`, writes it anew)";
                return Ok(Some(copy.table(sector, Some(what))));
            }
        }
        if let Some(copy) = first {
            let what =
                "the GPT has a wrong checksum, and no sound copy of it is at the end of the disk";
            return Ok(Some(copy.table(sector, Some(what))));
        }
    }
    Ok(None)
}

impl Copy {
    /// Reads header and entries; `None` where there is no header.
    fn read(disk: &mut dyn Blocks, sector: u64, at: u64) -> io::Result<Option<Self>> {
        let Some(start) = at.checked_mul(sector) else {
            return Ok(None);
        };
        let mut header = disk.bytes(start, 512)?;
        if header.len() < 512 || &header[..8] != b"EFI PART" {
            return Ok(None);
        }
        let (count, width) = (le32(&header, 80) as usize, le32(&header, 84) as usize);
        let first = le64(&header, 72).checked_mul(sector);
        let Some(first) = first.filter(|_| (128..=4096).contains(&width)) else {
            return Ok(None);
        };
        let sum = le32(&header, 88);
        let wanted = width * count.min(MOST);
        let mut entries = disk.bytes(first, wanted)?;
        if at == 1 && count <= MOST && crc32(&entries) != sum {
            // Where every program puts them; the header's word for the place may be what is damaged.
            let usual = disk.bytes(2 * sector, wanted)?;
            if crc32(&usual) == sum {
                entries = usual;
            }
        }
        let is_whole = count <= MOST && entries.len() == wanted;
        // In a damaged table, what lies in the room for partitions is no entry.
        let room = le64(&header, 40).checked_mul(sector);
        let room = room
            .and_then(|end| end.checked_sub(first))
            .filter(|_| !is_whole);
        entries.truncate(room.map_or(wanted, |room| usize::try_from(room).unwrap_or(wanted)));
        let len = le32(&header, 12) as usize;
        let own_sum = le32(&header, 16);
        let (own, twin) = (le64(&header, 24), le64(&header, 32));
        header[16..20].fill(0);
        let holds = (HEADER..=header.len()).contains(&len) && crc32(&header[..len]) == own_sum;
        Ok(Some(Self {
            is_sound: is_whole && holds && own == at && crc32(&entries) == sum,
            entries,
            width,
            twin,
        }))
    }

    /// The partitions that it names.
    fn table(&self, sector: u64, fault: Option<&str>) -> Table {
        let mut table = Table {
            kind: "gpt",
            faults: fault.map(str::to_owned).into_iter().collect(),
            ..Table::default()
        };
        for (at, entry) in self.entries.chunks_exact(self.width).enumerate() {
            if entry[..16] == [0; 16] {
                continue;
            }
            let number = at as u32 + 1;
            let (first, last) = (le64(entry, 32), le64(entry, 40));
            let (Some(start), Some(count)) = (
                first.checked_mul(sector),
                last.checked_sub(first).map(|less| less.saturating_add(1)),
            ) else {
                let what = format!("partition {number} lies on no disk");
                table.faults.push(what);
                continue;
            };
            let partition = Partition {
                number,
                start,
                size: count.saturating_mul(sector),
                kind: guid(&entry[..16]),
                ..Partition::default()
            };
            table.partitions.push((partition, guid(&entry[16..32])));
        }
        table
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A GUID as text; its first three fields are little-endian on disk.
fn guid(bytes: &[u8]) -> String {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = String::with_capacity(36);
    for (at, &from) in ORDER.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{:02x}", bytes[from]).expect("a String takes every write");
    }
    text
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn le64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECTORS: u64 = 128;

    /// A header at `own` for four entries of which these are the bytes, from sector `first` on.
    fn header(own: u64, twin: u64, first: u64, entries: &[u8]) -> Vec<u8> {
        let mut header = vec![0; 512];
        header[..8].copy_from_slice(b"EFI PART");
        header[12..16].copy_from_slice(&92_u32.to_le_bytes());
        for (at, number) in [(24, own), (32, twin), (40, 10), (48, 110), (72, first)] {
            header[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        for (at, number) in [(80, 4), (84, 128), (88, crc32(entries))] {
            header[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let sum = crc32(&header[..92]);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
        header
    }

    /// A disk with two partitions and both copies of its table.
    fn disk() -> Vec<u8> {
        let mut entries = vec![0; 512];
        for (at, first, last) in [(0, 12_u64, 40_u64), (1, 50, 100)] {
            let entry = &mut entries[at * 128..][..128];
            entry[..32].fill(at as u8 + 1);
            entry[32..40].copy_from_slice(&first.to_le_bytes());
            entry[40..48].copy_from_slice(&last.to_le_bytes());
        }
        let last = SECTORS - 1;
        let mut disk = vec![0; (SECTORS * 512) as usize];
        for (sector, bytes) in [
            (1, header(1, last, 2, &entries)),
            (2, entries.clone()),
            (last - 1, entries.clone()),
            (last, header(last, 1, last - 1, &entries)),
        ] {
            disk[(sector * 512) as usize..][..512].copy_from_slice(&bytes);
        }
        disk
    }

    fn shown(disk: &[u8]) -> Table {
        read(&mut &disk[..])
            .expect("a slice reads")
            .unwrap_or_default()
    }

    #[test]
    fn a_sound_table_is_read_from_the_beginning() {
        let table = shown(&disk());
        let places: Vec<_> = (table.partitions.iter())
            .map(|(row, _)| (row.number, row.start / 512, row.size / 512))
            .collect();
        assert_eq!(places, [(1, 12, 29), (2, 50, 51)]);
        assert_eq!(table.faults, [""; 0]);
    }

    proptest! {
        #[test]
        fn no_damage_to_one_copy_is_silent_or_changes_a_partition(
            changes in proptest::collection::vec((512usize..1536, any::<u8>()), 1..20),
        ) {
            let sound = disk();
            let mut damaged = sound.clone();
            for (at, byte) in changes {
                damaged[at] = byte;
            }
            let table = shown(&damaged);
            prop_assert_eq!(&table.partitions, &shown(&sound).partitions);
            let counted = |disk: &[u8]| [&disk[512..512 + 92], &disk[1024..1536]].concat();
            prop_assert_eq!(table.faults.is_empty(), counted(&damaged) == counted(&sound));
        }

        #[test]
        fn any_damage_is_survived(
            changes in proptest::collection::vec((0usize..65_536, any::<u8>()), 1..2000),
        ) {
            let mut damaged = disk();
            for (at, byte) in changes {
                damaged[at] = byte;
            }
            prop_assert!(shown(&damaged).partitions.len() <= MOST);
        }
    }
}
