//! Damaged file systems: one bad piece is a warning with its path, and the rest of the guest stays usable.

use crate::bounded::{Inspected, inspect, within_bounds};
use crate::ext_image::ExtImage;
use crate::tiny;
use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::sync::LazyLock;
use tempfile::TempDir;

/// A guest with a long symlink, a large folder and a file of many pieces.
static ROOT: LazyLock<TempDir> = LazyLock::new(|| {
    let root = tiny::guest();
    let opt = root.path().join("opt");
    symlink("x/".repeat(200), opt.join("long")).expect("a symlink");
    fs::create_dir(opt.join("many")).expect("a folder");
    for at in 0..300 {
        fs::write(
            opt.join(format!("many/a rather long name for a file, number {at}")),
            "x",
        )
        .expect("a file");
    }
    let holes = fs::File::create(opt.join("holes")).expect("a file");
    for at in 0..200 {
        holes.write_all_at(b"data", at * 16_384).expect("it writes");
    }
    fs::write(opt.join("plain"), vec![7; 20_000]).expect("a file");
    root
});

fn image(options: &str) -> ExtImage {
    let image = ExtImage::of(ROOT.path(), "24M", options);
    // Gives the large folder its index.
    let fixed = crate::command::program("e2fsck")
        .arg("-fyD")
        .arg(image.path())
        .output();
    assert!(fixed.expect("e2fsck is installed").status.code() <= Some(1));
    image
}

const PLAIN: &str = "-b 1024 -O ^metadata_csum";
const SUMMED: &str = "-b 1024 -O metadata_csum";

/// The guest is usable, and one of its warnings has this path and these words.
fn warns(image: &ExtImage, path: &str, words: &str) -> Inspected {
    let seen = inspect(&image.path());
    assert_eq!(seen.ran.code, 0, "{}", seen.ran.err);
    let is_told = |(at, what): &(String, String)| at == path && what.contains(words);
    assert!(
        seen.warnings.iter().any(is_told),
        "{path} {words}: {:?}",
        seen.warnings
    );
    assert!(
        seen.ran.out.contains("Debian GNU/Linux 12"),
        "{}",
        seen.ran.out
    );
    seen
}

#[test]
fn a_sound_guest_has_no_warning() {
    for options in [
        PLAIN,
        SUMMED,
        "-b 4096 -O metadata_csum_seed",
        "-b 1024 -O ^extent,^64bit,^metadata_csum",
    ] {
        let seen = inspect(&image(options).path());
        assert_eq!(
            (seen.ran.code, seen.warnings),
            (0, Vec::new()),
            "{options}: {}",
            seen.ran.err
        );
    }
}

#[test]
fn a_file_whose_blocks_are_lost_is_a_warning() {
    let lost = image(PLAIN);
    let beyond = 0x7fff_0000_u32.to_le_bytes();
    lost.write(lost.inode(lost.find("/opt/long")) + 40 + 20, &beyond);
    lost.write(lost.inode(lost.find("/opt/plain")) + 40 + 20, &beyond);
    warns(
        &lost,
        "/opt/long",
        "symlink cannot be read: it has blocks beyond",
    );
    warns(
        &lost,
        "/opt/plain",
        "contents cannot be read: it has blocks beyond",
    );
    let lost = image(PLAIN);
    lost.write(lost.inode(lost.find("/opt/holes")) + 40 + 16, &beyond);
    lost.flip(lost.inode(lost.find("/opt/many")) + 40);
    warns(&lost, "/opt/holes", "a block that it needs is beyond");
    warns(&lost, "/opt/many", "folder cannot be read");
}

#[test]
fn a_flag_that_the_file_system_does_not_know_is_a_warning() {
    for (flag, words) in [
        (1 << 11, "marked as encrypted"),
        (1 << 28, "marked as inline data"),
    ] {
        let flagged = image(PLAIN);
        let at = flagged.inode(flagged.find("/opt/plain")) + 32;
        let flags = flagged.number(at, 4) | flag;
        flagged.write(at, &(flags as u32).to_le_bytes());
        warns(&flagged, "/opt/plain", words);
    }
}

#[test]
fn a_damaged_group_descriptor_is_read_from_its_copy() {
    for options in [PLAIN, SUMMED] {
        let lost = image(&format!("{options} -N 4096"));
        let third = lost.descriptor(2);
        lost.write(third + 8, &0x7fff_0000_u32.to_le_bytes());
        let seen = warns(&lost, "/", "block group 2 is damaged; its copy");
        assert_eq!(seen.warnings.len(), 1, "{:?}", seen.warnings);
        // The copy begins with the second block of the second group.
        let copy = (8193 + 1) * 1024 + (third - lost.descriptor(0));
        lost.write(copy + 8, &0x7fff_0000_u32.to_le_bytes());
        warns(&lost, "/", "block group 2 is damaged; the files");
    }
}

#[test]
fn checksums_of_all_kinds_are_compared() {
    let flip = |place: &dyn Fn(&ExtImage) -> u64| {
        let flipped = image(SUMMED);
        flipped.flip(place(&flipped));
        flipped
    };
    let inode =
        |path: &'static str, at: u64| move |image: &ExtImage| image.inode(image.find(path)) + at;
    let block = |path: &'static str, which: usize, at: u64| {
        move |image: &ExtImage| image.blocks(path)[which] * image.block_size() + at
    };
    let wrong = "wrong checksum";
    warns(
        &flip(&|_| 1024 + 0x78),
        "/",
        "superblock has a wrong checksum",
    );
    warns(
        &flip(&|image| image.descriptor(0) + 12),
        "/",
        "block group 0 is damaged",
    );
    warns(&flip(&inode("/opt/plain", 16)), "/opt/plain", wrong);
    warns(&flip(&inode("/opt", 16)), "/opt", wrong);
    warns(&flip(&inode("/", 16)), "/", wrong);
    warns(
        &flip(&block("/opt", 0, 20)),
        "/opt",
        "block 0 of the folder is damaged",
    );
    // The index's root, whose first bytes are `.` and `..`, and a block of names.
    warns(&flip(&block("/opt/many", 0, 40)), "/opt/many", wrong);
    warns(&flip(&block("/opt/many", 3, 30)), "/opt/many", wrong);
    let tree = |image: &ExtImage| image.tree_block("/opt/holes") * image.block_size() + 30;
    warns(&flip(&tree), "/opt/holes", wrong);
}

#[test]
fn a_replay_says_what_it_cannot_promise() {
    let lost = image(PLAIN);
    lost.flip(lost.inode(lost.find("/opt/many")) + 40);
    let profile = lost.path().with_extension("ron");
    fs::write(&profile, "(version: 1, name: \"x\")").expect("a profile");
    let profile = profile.to_str().expect("plain");
    let args = [
        "replay",
        profile,
        "--dry-run",
        "--way",
        "in-place",
        "--format",
        "raw",
    ];
    let ran = within_bounds(&args, &lost.path());
    let said =
        "the source is damaged, so that no output is sure to be whole: /opt/many: the folder";
    assert!(ran.out.contains(said), "{} {}", ran.out, ran.err);
    assert_eq!(ran.code, 1);
}

/// Refused with this sentence and this hint.
fn refused(image: &ExtImage, words: &str, hint: &str) {
    let seen = inspect(&image.path());
    assert_eq!(
        (seen.ran.code, seen.ran.out.as_str()),
        (2, ""),
        "{}",
        seen.ran.err
    );
    for part in [words, hint] {
        assert!(seen.ran.err.contains(part), "{part}: {}", seen.ran.err);
    }
}

#[test]
fn a_damaged_root_is_called_damaged() {
    let hint = "hint: `e2fsck -n";
    let lost = image(PLAIN);
    lost.write(1024, &[0; 1024]);
    refused(&lost, "is damaged: its superblock is lost", hint);
    for options in [PLAIN, SUMMED] {
        let lost = image(options);
        lost.write(lost.blocks("/")[0] * lost.block_size(), &[0; 1024]);
        refused(&lost, "is damaged: block 0 of the folder", hint);
        let lost = image(options);
        lost.write(lost.inode(2), &[0; 128]);
        refused(&lost, "is damaged: ", hint);
        // Its number of blocks.
        let lost = image(options);
        lost.flip(1024 + 6);
        refused(&lost, "is damaged: its superblock", hint);
    }
}

#[test]
fn an_image_that_ends_too_early_is_called_truncated() {
    for options in [PLAIN, SUMMED] {
        let cut = image(options);
        let file = fs::OpenOptions::new().write(true).open(cut.path());
        file.expect("it is there")
            .set_len(20 << 20)
            .expect("it can be cut");
        refused(&cut, "truncated", "");
    }
}
