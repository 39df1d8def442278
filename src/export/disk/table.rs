//! The partition table of a disk that becomes smaller: the source's own bytes, with new starts, sizes and checksums.
//!
//! All else (boot code, disk identifier, types, names, attributes, boot flags, and what GRUB keeps between table and
//! first partition) is taken over as it is. Formats: the UEFI specification, chapter 5.

use super::geometry::{DiskLayout, Fill, Part, SECTOR};

/// More of the room before the first partition is not copied; GRUB's image there takes some 100 kB.
pub(in crate::export) const MOST_HEAD: u64 = 4 << 20;
/// Where the entries of an MBR begin, and the length of each.
const ENTRIES: usize = 446;
const ENTRY: usize = 16;
/// The type of the entry that stands for a whole GPT disk.
const PROTECTIVE: u8 = 0xee;
/// GRUB's boot code has the sector of the rest of GRUB here (`GRUB_BOOT_MACHINE_KERNEL_SECTOR`).
const GRUB_SECTOR: usize = 0x5c;

/// Bytes and the offset where they are to be written.
pub(in crate::export) type Patch = (u64, Vec<u8>);

/// How much of the source's beginning [`rewritten`] wants to see.
pub(in crate::export) fn head_len(disk: &DiskLayout) -> u64 {
    disk.parts
        .iter()
        .map(|part| part.old_start)
        .min()
        .unwrap_or_default()
        .min(MOST_HEAD)
}

/// Bytes that a table of this kind takes at the disk's end, told from the disk's first bytes: GPT has a second copy of its
/// entries and its header there; 128 entries where that is not known.
pub(in crate::export) fn tail(kind: &str, head: &[u8]) -> u64 {
    const USUAL: u64 = 33 * SECTOR;
    let sector = SECTOR as usize;
    match head.get(sector..sector + 88) {
        _ if kind != "gpt" => 0,
        Some(header) if &header[..8] == b"EFI PART" => {
            let entries = u64::from(le32(header, 80)).saturating_mul(u64::from(le32(header, 84)));
            entries
                .div_ceil(SECTOR)
                .saturating_add(1)
                .saturating_mul(SECTOR)
                .max(USUAL)
        }
        _ => USUAL,
    }
}

/// What is to be written on the new disk, given the first bytes of the old one; or why that cannot be done.
pub(in crate::export) fn rewritten(
    mut head: Vec<u8>,
    disk: &DiskLayout,
) -> Result<Vec<Patch>, String> {
    if head.len() < SECTOR as usize || head[510..512] != [0x55, 0xaa] {
        return Err("it has no partition table".to_owned());
    }
    check_grub(&head, disk)?;
    if disk.table == "gpt" {
        return rewrite_gpt(head, disk);
    }
    for part in &disk.parts {
        let entry = (part.number as usize)
            .checked_sub(1)
            .filter(|&at| at < 4)
            .map(|at| &mut head[ENTRIES + at * ENTRY..][..ENTRY]);
        put_mbr(entry.ok_or("it has an extended partition")?, part)?;
    }
    Ok(vec![(0, head)])
}

fn put_mbr(entry: &mut [u8], part: &Part) -> Result<(), String> {
    let (start, count) = (part.start / SECTOR, part.size / SECTOR);
    let narrow =
        |sectors: u64| u32::try_from(sectors).map_err(|_| "it is too big for its table".to_owned());
    entry[8..12].copy_from_slice(&narrow(start)?.to_le_bytes());
    entry[12..16].copy_from_slice(&narrow(count)?.to_le_bytes());
    entry[1..4].copy_from_slice(&cylinder(start));
    entry[5..8].copy_from_slice(&cylinder((start + count).saturating_sub(1)));
    Ok(())
}

/// A sector in the old way, with 255 heads and 63 sectors in a track.
fn cylinder(sector: u64) -> [u8; 3] {
    let (track, sector) = (sector / 63, sector % 63 + 1);
    let (cylinder, head) = (track / 255, track % 255);
    if cylinder > 1023 {
        return [0xfe, 0xff, 0xff];
    }
    [
        head as u8,
        sector as u8 | ((cylinder >> 2) as u8 & 0xc0),
        cylinder as u8,
    ]
}

/// GRUB's boot code names the sector of GRUB's image; in a file system it would not be there any more.
fn check_grub(head: &[u8], disk: &DiskLayout) -> Result<(), String> {
    let boot = &head[..SECTOR as usize];
    if !boot.windows(4).any(|word| word == b"GRUB") {
        return Ok(());
    }
    let at = le64(boot, GRUB_SECTOR).saturating_mul(SECTOR);
    let stays = |part: &Part| {
        part.fill == Fill::Blocks
            && part.start == part.old_start
            && (part.start..part.start + part.size).contains(&at)
    };
    if at < head_len(disk) || disk.parts.iter().any(stays) {
        Ok(())
    } else {
        Err("GRUB's boot code names sectors inside a file system".to_owned())
    }
}

fn rewrite_gpt(mut head: Vec<u8>, disk: &DiskLayout) -> Result<Vec<Patch>, String> {
    let sector = SECTOR as usize;
    let damaged = || "its GPT is damaged".to_owned();
    let others = head[ENTRIES..510].chunks_exact(ENTRY).skip(1);
    if head[ENTRIES + 4] != PROTECTIVE || others.into_iter().any(|entry| entry[4] != 0) {
        return Err("it has a GPT and an MBR at once".to_owned());
    }
    let header = head.get(sector..2 * sector).ok_or_else(damaged)?;
    let header_len = le32(header, 12) as usize;
    let (first, count, width) = (
        le64(header, 72),
        le32(header, 80) as usize,
        le32(header, 84) as usize,
    );
    if &header[..8] != b"EFI PART" || !(92..=sector).contains(&header_len) || width < 128 {
        return Err(damaged());
    }
    let table = count.checked_mul(width).ok_or_else(damaged)?;
    let from = usize::try_from(first.saturating_mul(SECTOR)).map_err(|_| damaged())?;
    let span = from..from.saturating_add(table);
    if from < 2 * sector || span.end > head.len() {
        return Err(damaged());
    }
    for part in &disk.parts {
        let at = span.start + (part.number as usize).saturating_sub(1) * width;
        let entry = head.get_mut(at..at + width).ok_or_else(damaged)?;
        let (start, size) = (part.start / SECTOR, part.size / SECTOR);
        entry[32..40].copy_from_slice(&start.to_le_bytes());
        entry[40..48].copy_from_slice(&(start + size).saturating_sub(1).to_le_bytes());
    }
    let entries = head[span].to_vec();
    let last = (disk.size / SECTOR).saturating_sub(1);
    let second = last.saturating_sub(table.div_ceil(sector) as u64);
    let mut header = head[sector..2 * sector].to_vec();
    header[48..56].copy_from_slice(&second.saturating_sub(1).to_le_bytes());
    let mut backup = entries.clone();
    backup.resize((last - second) as usize * sector, 0);
    backup.extend(placed(&header, header_len, [last, 1, second], &entries));
    let header = placed(&header, header_len, [1, last, first], &entries);
    head[sector..2 * sector].copy_from_slice(&header);
    let protected = u32::try_from(last).unwrap_or(u32::MAX);
    head[ENTRIES + 12..ENTRIES + 16].copy_from_slice(&protected.to_le_bytes());
    Ok(vec![(0, head), (second * SECTOR, backup)])
}

/// A header that says where it, its twin and its entries are, with its checksums.
fn placed(header: &[u8], len: usize, [own, twin, table]: [u64; 3], entries: &[u8]) -> Vec<u8> {
    let mut header = header.to_vec();
    header[24..32].copy_from_slice(&own.to_le_bytes());
    header[32..40].copy_from_slice(&twin.to_le_bytes());
    header[72..80].copy_from_slice(&table.to_le_bytes());
    header[88..92].copy_from_slice(&crc32(entries).to_le_bytes());
    header[16..20].fill(0);
    let own = crc32(&header[..len]);
    header[16..20].copy_from_slice(&own.to_le_bytes());
    header
}

/// CRC-32 as in Ethernet and zip, which is GPT's.
fn crc32(bytes: &[u8]) -> u32 {
    let folded = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    !folded
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

    const MIB: u64 = 1 << 20;

    fn part(number: u32, old_start: u64, start: u64, size: u64) -> Part {
        Part {
            number,
            old_start: old_start * MIB,
            start: start * MIB,
            size: size * MIB,
            fill: Fill::Swap,
        }
    }

    fn disk(table: &str, size: u64, parts: Vec<Part>) -> DiskLayout {
        DiskLayout {
            size: size * MIB,
            table: table.to_owned(),
            tail: tail(table, &[]),
            parts,
        }
    }

    /// What sfdisk(8) says of a disk that it made by this script, and the disk.
    fn made_by_sfdisk(size: u64, script: &str) -> (tempfile::NamedTempFile, String) {
        let file = tempfile::Builder::new()
            .suffix(".img")
            .tempfile()
            .expect("a temporary file");
        file.as_file()
            .set_len(size * MIB)
            .expect("it can be sparse");
        let mut child = crate::guest::tools::program("sfdisk")
            .args(["-q", "--no-tell-kernel"])
            .arg(file.path())
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("sfdisk is part of Debian's base");
        let mut pipe = child.stdin.take().expect("it was asked for");
        std::io::Write::write_all(&mut pipe, script.as_bytes()).expect("it reads");
        drop(pipe);
        assert!(child.wait().expect("it ends").success());
        let dump = dump(file.path());
        (file, dump)
    }

    fn dump(path: &std::path::Path) -> String {
        let said = crate::guest::tools::program("sfdisk")
            .arg("-d")
            .arg(path)
            .output();
        let said = said.expect("sfdisk is here");
        assert!(
            said.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&said.stderr)
        );
        let text = String::from_utf8(said.stdout).expect("text");
        text.replace(&path.display().to_string(), "disk")
    }

    /// The dump of the new disk that is made of the first bytes of an old one.
    fn after(old: &std::path::Path, new: &DiskLayout) -> String {
        let head = std::fs::read(old).expect("readable")[..MIB as usize].to_vec();
        let file = tempfile::Builder::new()
            .suffix(".img")
            .tempfile()
            .expect("a temporary file");
        file.as_file().set_len(new.size).expect("it can be sparse");
        for (at, bytes) in rewritten(head, new).expect("a sound table") {
            std::os::unix::fs::FileExt::write_all_at(file.as_file(), &bytes, at).expect("inside");
        }
        dump(file.path())
    }

    #[test]
    fn an_mbr_keeps_all_but_starts_and_sizes() {
        let (old, before) = made_by_sfdisk(
            200,
            "label: dos\nlabel-id: 0x12345678\nstart=2048, size=100MiB, type=83, bootable\nsize=50MiB, type=82\n",
        );
        let new = disk("mbr", 81, vec![part(1, 1, 1, 30), part(2, 101, 31, 50)]);
        let expected = before
            .replace("size=      204800", "size=       61440")
            .replace("start=      206848", "start=       63488");
        assert_eq!(after(old.path(), &new), expected);
    }

    #[test]
    fn a_gpt_keeps_names_and_identifiers_and_both_its_copies_agree() {
        let (old, before) = made_by_sfdisk(
            200,
            "label: gpt\nlabel-id: 11111111-2222-3333-4444-555555555555\n\
             start=2048, size=100MiB, type=L, uuid=aaaaaaaa-2222-3333-4444-555555555555, name=\"the root\", attrs=\"LegacyBIOSBootable\"\n\
             size=50MiB, type=S, uuid=bbbbbbbb-2222-3333-4444-555555555555\n",
        );
        let new = disk("gpt", 82, vec![part(1, 1, 1, 30), part(2, 101, 31, 50)]);
        let expected = before
            .replace("size=      204800", "size=       61440")
            .replace("start=      206848", "start=       63488")
            .replace("last-lba: 409566", "last-lba: 167902");
        assert_eq!(after(old.path(), &new), expected);
    }

    #[test]
    fn grub_must_not_be_left_behind() {
        let mut head = vec![0; MIB as usize];
        head[510..512].copy_from_slice(&[0x55, 0xaa]);
        head[0x180..0x184].copy_from_slice(b"GRUB");
        let new = disk("mbr", 81, vec![part(1, 1, 1, 30)]);
        let mut at = |sector: u64| {
            head[GRUB_SECTOR..GRUB_SECTOR + 8].copy_from_slice(&sector.to_le_bytes());
            rewritten(head.clone(), &new).map(drop)
        };
        assert_eq!(at(1), Ok(()));
        assert_eq!(
            at(5000),
            Err("GRUB's boot code names sectors inside a file system".to_owned())
        );
    }

    proptest! {
        #[test]
        fn no_table_makes_it_panic(
            mut head in proptest::collection::vec(any::<u8>(), 0..2048usize),
            number in 0..200u32,
            is_gpt in any::<bool>(),
        ) {
            if head.len() > 1024 {
                head[510..512].copy_from_slice(&[0x55, 0xaa]);
                head[446 + 4] = 0xee;
                for entry in 1..4 { head[446 + entry * 16 + 4] = 0; }
                head[512..520].copy_from_slice(b"EFI PART");
                head[524..528].copy_from_slice(&92u32.to_le_bytes());
            }
            let table = if is_gpt { "gpt" } else { "mbr" };
            let _ = rewritten(head, &disk(table, 81, vec![part(number, 1, 1, 30)]));
        }
    }
}
