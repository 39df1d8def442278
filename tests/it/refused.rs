//! Ways of writing that are not safe for an image are refused before anything is done: in the dry run.

use crate::command;
use crate::steps::{on_disk, steps_in};
use guestslim::export::{ExportError, Way};
use guestslim::load::Loaded;
use std::fs::File;
use std::os::unix::fs::FileExt;

const MIB: usize = 1 << 20;

/// The refusal, which names the way that works; which does.
fn refusal(way: Way, lay: impl Fn(&mut Loaded)) -> ExportError {
    let refused = steps_in(way, &lay).expect_err("this is not safe");
    assert!(refused.is_unsupported());
    assert_eq!(refused.hint(), Some("`--way in-place` writes any image"));
    steps_in(Way::InPlace, &lay).expect("it always works in place");
    refused
}

#[test]
fn a_layout_that_cannot_be_moved_is_refused_with_the_reason_and_the_way_that_works() {
    type Case = (
        Way,
        &'static str,
        &'static str,
        &'static [(u32, &'static str, &'static str)],
    );
    let cases: &[Case] = &[
        (Way::Repack, "", "grub", &[]),
        (
            Way::Repack,
            "mbr",
            "grub",
            &[(1, "83", "ext4"), (2, "05", "")],
        ),
        (Way::Repack, "mbr", "extlinux", &[(1, "83", "ext4")]),
        (Way::Repack, "mbr", "", &[(1, "83", "ext4")]),
        (Way::Repack, "mbr", "grub", &[(1, "83", "btrfs")]),
        (Way::Repack, "mbr", "grub", &[(1, "8e", "")]),
        (Way::Shrink, "mbr", "grub", &[(1, "83", "xfs")]),
        (
            Way::Shrink,
            "mbr",
            "grub",
            &[(1, "83", "ext4"), (2, "82", "swap")],
        ),
        (Way::Shrink, "mbr", "extlinux", &[(1, "83", "ext4")]),
    ];
    let mut text = Vec::new();
    for (way, table, loader, partitions) in cases {
        let refused = refusal(*way, |loaded| on_disk(loaded, table, loader, partitions));
        text.push(refused.to_string());
    }
    insta::assert_snapshot!("refused", text.join("\n"));
}

/// The first 4 KiB of a file system that the real program makes.
fn made_by(program: &str, options: &str) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let size = 400 * MIB as u64;
    file.as_file().set_len(size).expect("it can be sparse");
    let mut command = command::program(program);
    let made = command
        .args(options.split_whitespace())
        .arg(file.path())
        .output();
    let made = made.expect("it is installed");
    assert!(made.status.success(), "{program} {options}: {made:?}");
    beginning(file.as_file(), 4096)
}

fn beginning(file: &File, len: usize) -> Vec<u8> {
    let mut head = vec![0; len];
    file.read_exact_at(&mut head, 0).expect("it is long enough");
    head
}

#[test]
fn a_file_system_that_cannot_be_made_anew_is_refused() {
    let cases = [
        ("ext4", "mke2fs", "-q -F -t ext4 -O encrypt"),
        ("ext4", "mke2fs", "-q -F -t ext4 -O casefold"),
        ("ext4", "mke2fs", "-q -F -t ext4 -O quota"),
        ("ext4", "mke2fs", "-q -F -t ext4 -O bigalloc"),
        ("ext4", "mke2fs", "-q -F -t ext4 -O mmp"),
        ("xfs", "mkfs.xfs", "-q -f -n version=ci"),
    ];
    let mut text = Vec::new();
    for (kind, program, options) in cases {
        let head = made_by(program, options);
        let lay = |loaded: &mut Loaded| {
            on_disk(loaded, "mbr", "grub", &[(1, "83", kind)]);
            loaded.inventory.origin.partitions[0].head.clone_from(&head);
        };
        text.push(format!(
            "{program} {options}: {}",
            refusal(Way::Repack, lay)
        ));
    }
    insta::assert_snapshot!("features", text.join("\n"));
    for (kind, program, options) in [
        ("ext4", "mke2fs", "-q -F -t ext4"),
        ("ext2", "mke2fs", "-q -F -t ext2"),
        ("xfs", "mkfs.xfs", "-q -f"),
    ] {
        let head = made_by(program, options);
        steps_in(Way::Repack, |loaded| {
            on_disk(loaded, "mbr", "grub", &[(1, "83", kind)]);
            loaded.inventory.origin.partitions[0].head.clone_from(&head);
        })
        .expect("an ordinary file system");
    }
}

/// What lies before the first partition of a disk that sfdisk(8) makes, which begins at 8 MiB.
fn before_the_first(label: &str) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let size = 64 * MIB as u64;
    file.as_file().set_len(size).expect("it can be sparse");
    let mut sfdisk = command::program("sfdisk");
    let sfdisk = sfdisk.args(["-q", "--no-tell-kernel"]).arg(file.path());
    let mut child = sfdisk
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("sfdisk is here");
    let script = format!("label: {label}\nstart=16384, size=32MiB\n");
    let mut pipe = child.stdin.take().expect("it was asked for");
    std::io::Write::write_all(&mut pipe, script.as_bytes()).expect("it reads");
    drop(pipe);
    assert!(child.wait().expect("it ends").success());
    beginning(file.as_file(), 8 * MIB)
}

#[test]
fn boot_code_that_would_not_find_its_rest_is_refused() {
    const SECTOR_OF_GRUB: usize = 0x5c;
    let with_grub = |label: &str, sector: u64| {
        let mut head = before_the_first(label);
        head[0x180..0x184].copy_from_slice(b"GRUB");
        head[SECTOR_OF_GRUB..SECTOR_OF_GRUB + 8].copy_from_slice(&sector.to_le_bytes());
        head
    };
    let with = |way: Way, table: &'static str, head: &[u8], part: &[u8]| {
        let lay = |loaded: &mut Loaded| {
            on_disk(loaded, table, "grub", &[(1, "83", "ext4")]);
            let origin = &mut loaded.inventory.origin;
            origin.partitions[0].start = 8 * MIB as u64;
            origin.partitions[0].head = part.to_vec();
            let end = head
                .iter()
                .rposition(|&byte| byte != 0)
                .map_or(0, |at| at + 1);
            origin.head = head[..end].to_vec();
        };
        match steps_in(way, lay) {
            Ok(_) => "fine".to_owned(),
            Err(_) => refusal(way, lay).to_string(),
        }
    };
    let plain = made_by("mke2fs", "-q -F -t ext4");
    let mut booting = plain.clone();
    booting[1023] = 0xeb;
    let mut far = before_the_first("dos");
    far[5 * MIB] = 1;
    let mut hybrid = before_the_first("gpt");
    hybrid[446 + 16 + 4] = 0x83;
    let mut damaged = before_the_first("gpt");
    damaged[512 + 12] = 0;
    let (mbr, gpt) = (before_the_first("dos"), before_the_first("gpt"));
    let grub_after = with_grub("dos", 20_000);
    let grub_before = with_grub("dos", 1);
    let cases: [(&str, &'static str, &[u8], &[u8]); 8] = [
        ("nothing unusual", "mbr", &mbr, &plain),
        ("nothing unusual", "gpt", &gpt, &plain),
        (
            "GRUB before the first partition",
            "mbr",
            &grub_before,
            &plain,
        ),
        (
            "GRUB behind a file system's start",
            "mbr",
            &grub_after,
            &plain,
        ),
        (
            "boot code in a file system's first sectors",
            "mbr",
            &mbr,
            &booting,
        ),
        ("something at 5 MiB", "mbr", &far, &plain),
        ("a hybrid table", "gpt", &hybrid, &plain),
        ("a damaged table", "gpt", &damaged, &plain),
    ];
    let mut text = Vec::new();
    for (what, table, head, part) in cases {
        for way in [Way::Shrink, Way::Repack] {
            text.push(format!(
                "{what}, {}: {}",
                way.name(),
                with(way, table, head, part)
            ));
        }
    }
    insta::assert_snapshot!("boot_code", text.join("\n"));
}
