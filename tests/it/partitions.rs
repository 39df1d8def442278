//! Damaged partition tables: what is damaged is a warning, and a sound root is still found.

use crate::bounded::inspect;
use crate::command;
use crate::ext_image::ExtImage;
use crate::tiny;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Stdio;
use tempfile::TempDir;

const MIB: u64 = 1 << 20;
const SECTORS: u64 = MIB / 512;

/// A disk of 32 MiB with a root of 8 MiB from its second one on.
struct Partitioned {
    folder: TempDir,
    file: File,
}

impl Partitioned {
    /// The table that sfdisk(8) makes of this script.
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk.img");
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path);
        let file = open.expect("a file");
        file.set_len(32 * MIB).expect("it can be sparse");
        let mut child = command::program("sfdisk")
            .args(["-q", "--no-tell-kernel"])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("sfdisk is installed");
        let mut pipe = child.stdin.take().expect("it was asked for");
        pipe.write_all(script.as_bytes()).expect("it reads");
        drop(pipe);
        assert!(child.wait().expect("it ends").success(), "{script}");
        let root = tiny::guest();
        let system = ExtImage::of(root.path(), "8M", "-b 1024 -O ^has_journal");
        let bytes = system.bytes(0, 8 << 20);
        file.write_all_at(&bytes, MIB).expect("it writes");
        Self { folder, file }
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, at).expect("it writes");
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk.img")
    }

    /// The guest is usable, and these are its warnings.
    fn warns(&self, words: &[&str]) {
        let seen = inspect(&self.path());
        assert_eq!(seen.ran.code, 0, "{}", seen.ran.err);
        assert!(
            seen.ran.out.contains("Debian GNU/Linux 12"),
            "{}",
            seen.ran.out
        );
        assert_eq!(seen.warnings.len(), words.len(), "{:?}", seen.warnings);
        for words in words {
            let is_told = |(_, what): &(String, String)| what.contains(words);
            assert!(
                seen.warnings.iter().any(is_told),
                "{words}: {:?}",
                seen.warnings
            );
        }
    }
}

/// Root, a partition after it, and two logical ones.
const MBR: &str = "label: dos\nstart=2048,size=16384,type=83\nstart=20480,size=2048,type=83\nstart=24576,size=16384,type=5\nstart=26624,size=2048,type=83\nstart=30720,size=2048,type=83\n";
const GPT: &str = "label: gpt\nstart=2048,size=16384,type=L\nstart=20480,size=2048,type=L\n";

/// Where the second and the third entry of an MBR begin, and the fields for the start and for the size.
const SECOND: u64 = 446 + 16;
const THIRD: u64 = 446 + 32;
const START: u64 = 8;
const SIZE: u64 = 12;

#[test]
fn sound_tables_have_no_warning() {
    Partitioned::new(MBR).warns(&[]);
    Partitioned::new(GPT).warns(&[]);
}

#[test]
fn what_an_mbr_leads_to_beyond_the_disk_is_a_warning() {
    let beyond = 0x7000_0000_u32.to_le_bytes();
    let (first_link, second_link) = (24576 * 512, (24576 + 4096) * 512);
    let cases: &[(u64, &[&str])] = &[
        (SECOND + START, &["partition 2 begins beyond"]),
        (
            SECOND + SIZE,
            &[
                "partition 2 ends beyond",
                "partitions 2 and 3 overlap",
                "partitions 2 and 5 overlap",
                "partitions 2 and 6 overlap",
            ],
        ),
        (
            THIRD + START,
            &[
                "before partition 5: it leads beyond",
                "partition 3 begins beyond",
            ],
        ),
        (first_link + 446 + START, &["partition 5 begins beyond"]),
        (
            first_link + SECOND + START,
            &["before partition 6: it leads beyond"],
        ),
        (second_link + 446 + START, &["partition 6 begins beyond"]),
    ];
    for (at, words) in cases {
        let disk = Partitioned::new(MBR);
        disk.write(*at, &beyond);
        disk.warns(words);
    }
}

#[test]
fn a_chain_of_logical_partitions_that_goes_back_is_a_warning() {
    let disk = Partitioned::new(MBR);
    disk.write((24576 + 4096) * 512 + SECOND + 4, &[5]);
    disk.warns(&["goes back after partition 6"]);
}

#[test]
fn the_copy_of_a_gpt_is_read_where_the_first_is_damaged() {
    let (header, entry) = (512, 1024 + 128);
    let zeros = vec![0; 33 * 512];
    let cases: &[(u64, &[u8])] = &[
        (header, &zeros[..512]),
        (header, &zeros),
        // Its entries' place, number and length, and the second partition's start.
        (header + 72, &[0xff; 8]),
        (header + 80, &[0xff; 4]),
        (header + 84, &[0xff; 4]),
        (entry + 32, &[0xff; 8]),
    ];
    for (at, bytes) in cases {
        let disk = Partitioned::new(GPT);
        disk.write(*at, bytes);
        disk.warns(&["its copy at the end is read"]);
    }
    let disk = Partitioned::new(GPT);
    disk.write(0, &vec![0; 34 * 512]);
    disk.warns(&[
        "its copy at the end is read",
        "MBR that must stand before a GPT is gone",
    ]);
}

#[test]
fn a_gpt_without_a_sound_copy_is_read_as_it_is() {
    let disk = Partitioned::new(GPT);
    disk.write(32 * MIB - 512, &[0; 512]);
    disk.warns(&[]);
    disk.write(1024 + 128 + 40, &(21 * SECTORS).to_le_bytes());
    disk.warns(&["wrong checksum"]);
    disk.write(1024 + 128 + 32, &(4 * SECTORS).to_le_bytes());
    disk.warns(&["wrong checksum", "partitions 1 and 2 overlap"]);
}

#[test]
fn a_table_that_is_lost_is_called_damaged() {
    let disk = Partitioned::new(GPT);
    disk.write(512, &[0; 512]);
    disk.write(32 * MIB - 512, &[0; 512]);
    let seen = inspect(&disk.path());
    assert_eq!(seen.ran.code, 2, "{}", seen.ran.err);
    for words in [
        "GPT is damaged, and so is the copy",
        "hint: `sgdisk --verify`",
    ] {
        assert!(seen.ran.err.contains(words), "{words}: {}", seen.ran.err);
    }
}

#[test]
fn a_partition_that_is_damaged_leaves_the_root_usable() {
    let disk = Partitioned::new(GPT);
    // A superblock's magic number, and nothing else.
    disk.write(20480 * 512 + 1080, &[0x53, 0xef]);
    disk.warns(&[
        "on /dev/sda2 is damaged: its superblock contradicts itself; its files are not shown",
    ]);
}
