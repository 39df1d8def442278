//! What is written here against what e2fsprogs think of it.

use super::*;
use crate::guest::{Blocks, tools};
use proptest::prelude::*;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, symlink};
use std::path::PathBuf;

/// Runs one of e2fsprogs; its exit code and what it said.
fn e2fs(program: &str, args: &[&OsStr]) -> (i32, String) {
    let done = tools::program(program).args(args).output();
    let done = done.expect("e2fsprogs is installed");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    (done.status.code().expect("it ends by itself"), said)
}

/// Kinds of ext4 by mke2fs(8)'s options: what Debian makes now and made before, and small blocks.
const KINDS: [&[&str]; 5] = [
    &["-t", "ext4"],
    &["-t", "ext4", "-b", "1024", "-N", "4096"],
    &["-t", "ext4", "-O", "^metadata_csum"],
    &["-t", "ext4", "-O", "^64bit,^flex_bg"],
    &["-t", "ext4", "-I", "128", "-O", "metadata_csum_seed"],
];

/// A folder with files of all lengths, links of both kinds, holes, and a folder that needs an index.
fn fill(root: &Path) {
    for folder in ["many", "deep/er", "empty/a"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    for at in 0..600usize {
        let path = root.join(format!("many/a rather long name for a small file {at}"));
        fs::write(path, vec![b'x'; at * 7]).expect("it writes");
    }
    for at in 0..40usize {
        let path = root.join(format!("deep/er/{at}"));
        fs::write(path, vec![b'y'; at * 5000]).expect("it writes");
    }
    fs::hard_link(root.join("deep/er/7"), root.join("twin")).expect("it links");
    symlink("deep/er/9", root.join("short")).expect("it links");
    symlink("n/".repeat(90), root.join("long")).expect("it links");
    fs::write(root.join(OsStr::from_bytes(b"\xff new\nline")), b"odd").expect("it writes");
    let holes = File::create(root.join("holes")).expect("a file");
    for at in 0..30u64 {
        holes.write_all_at(b"z", at * 100_000).expect("it writes");
    }
}

/// Every path that is no folder, in order.
fn files(root: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).expect("it reads") {
            let path = entry.expect("it reads").path();
            if path.is_dir() && !path.is_symlink() {
                todo.push(path);
            } else {
                let path = path.strip_prefix(root).expect("below");
                found.push([b"/", path.as_os_str().as_bytes()].concat());
            }
        }
    }
    found.sort();
    found
}

/// The file system of a folder, its folders with an index where that is of use.
fn made(kind: &[&str], root: &Path, folder: &Path) -> PathBuf {
    let disk = folder.join("disk");
    let mut args: Vec<&OsStr> = ["-q", "-F"].iter().map(OsStr::new).collect();
    args.extend(kind.iter().map(OsStr::new));
    args.extend([
        OsStr::new("-d"),
        root.as_os_str(),
        disk.as_os_str(),
        OsStr::new("24M"),
    ]);
    assert_eq!(e2fs("mke2fs", &args).0, 0);
    let (code, said) = e2fs("e2fsck", &["-fyD".as_ref(), disk.as_os_str()]);
    assert!(code <= 1, "{said}");
    disk
}

/// Removes files, and then folders, from the file system at `disk`; what is left for the kernel.
fn remove(disk: &Path, files: &[Vec<u8>], folders: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut bytes = fs::read(disk).expect("it reads");
    let size = bytes.size();
    let mut volume = Volume::open(&mut bytes, 0, size)?.expect("a kind that is known");
    let mut trail = Trail::default();
    let mut left = Vec::new();
    for file in files {
        if !trail.unlink(&mut volume, file)? {
            left.push(file.clone());
        }
    }
    for folder in folders {
        if !trail.remove_folder(&mut volume, folder)? {
            left.push(folder.clone());
        }
    }
    volume.finish()?;
    fs::write(disk, bytes).expect("it writes");
    Ok(left)
}

/// What is still there, as debugfs(8) writes it out.
fn rest(disk: &Path, folder: &Path) -> Vec<Vec<u8>> {
    let out = folder.join("out");
    fs::create_dir(&out).expect("a folder");
    let command = format!("rdump / {}", out.display());
    e2fs(
        "debugfs",
        &["-R".as_ref(), command.as_ref(), disk.as_os_str()],
    );
    files(&out)
}

#[test]
fn whatever_goes_the_checker_finds_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    fill(root.path());
    let all = files(root.path());
    let strategy = (
        0..KINDS.len(),
        proptest::collection::vec(any::<u8>(), all.len()),
        any::<u8>(),
    );
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 6,
        ..ProptestConfig::default()
    });
    let done = runner.run(&strategy, |(kind, dice, share)| {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = made(KINDS[kind], root.path(), folder.path());
        let (go, stay): (Vec<_>, Vec<_>) = all.iter().zip(dice).partition(|(_, die)| *die <= share);
        let names = |some: Vec<(&Vec<u8>, u8)>| {
            some.into_iter()
                .map(|(path, _)| path.clone())
                .collect::<Vec<_>>()
        };
        let (go, stay) = (names(go), names(stay));
        // The deepest first; those in which something stays are left.
        let folders: Vec<Vec<u8>> = ["/deep/er", "/deep", "/empty/a", "/empty", "/many"]
            .map(|path| path.as_bytes().to_vec())
            .into();
        let is_in = |folder: &[u8], file: &Vec<u8>| file.starts_with(&[folder, b"/"].concat());
        let stays = |folder: &&Vec<u8>| stay.iter().any(|file| is_in(folder, file));
        let expected: Vec<Vec<u8>> = folders.iter().filter(stays).cloned().collect();
        let left = remove(&disk, &go, &folders).expect("a sound file system");
        prop_assert_eq!(left, expected);
        let (code, said) = e2fs("e2fsck", &["-fn".as_ref(), disk.as_os_str()]);
        prop_assert_eq!(code, 0, "{}", said);
        prop_assert_eq!(rest(&disk, folder.path()), stay);
        prop_assert!(!folder.path().join("out/empty").exists());
        Ok(())
    });
    done.expect("every case");
}

#[test]
fn contents_of_what_stays_are_not_touched_and_names_of_what_goes_are_erased() {
    let root = tempfile::tempdir().expect("a folder");
    fill(root.path());
    fs::write(root.path().join("marker-of-a-name"), b"marked").expect("it writes");
    let folder = tempfile::tempdir().expect("a folder");
    let disk = made(KINDS[0], root.path(), folder.path());
    let go: Vec<Vec<u8>> = vec![b"/marker-of-a-name".to_vec(), b"/twin".to_vec()];
    assert!(remove(&disk, &go, &[]).expect("sound").is_empty());
    let bytes = fs::read(&disk).expect("it reads");
    let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(has(b"a rather long name"));
    assert!(!has(b"marker-of-a-name"));
    rest(&disk, folder.path());
    let read = |root: &Path| fs::read(root.join("deep/er/7")).expect("it reads");
    assert_eq!(read(&folder.path().join("out")), read(root.path()));
}

#[test]
fn what_only_a_kernel_should_write_is_left() {
    let root = tempfile::tempdir().expect("a folder");
    fill(root.path());
    for kind in [
        &["-t", "ext2"][..],
        &["-t", "ext3"],
        &["-t", "ext4", "-O", "quota"],
        &["-t", "ext4", "-O", "^metadata_csum,uninit_bg"],
        &["-t", "ext4", "-O", "inline_data"],
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = made(kind, root.path(), folder.path());
        let mut bytes = fs::read(&disk).expect("it reads");
        let size = bytes.size();
        let volume = Volume::open(&mut bytes, 0, size).expect("it reads");
        let Some(mut volume) = volume else { continue };
        // Without the older checksums, ext2 and ext3 are known; their files have the older map.
        let path = b"/deep/er/30";
        assert!(
            !Trail::default().unlink(&mut volume, path).expect("sound"),
            "{kind:?}"
        );
        let absent = b"/deep/nothing";
        assert!(!Trail::default().unlink(&mut volume, absent).expect("sound"));
        assert!(
            !Trail::default()
                .unlink(&mut volume, b"/deep")
                .expect("sound")
        );
        assert!(
            !Trail::default()
                .unlink(&mut volume, b"/short/x")
                .expect("sound")
        );
    }
}

/// A damaged file system is an error or something that the checker sees: never a panic, never a sound one with less in it.
#[test]
fn damage_is_an_error_and_never_a_panic() {
    let root = tempfile::tempdir().expect("a folder");
    for at in 0..20usize {
        fs::write(root.path().join(at.to_string()), vec![b'x'; at * 3000]).expect("it writes");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let sound = fs::read(made(KINDS[1], root.path(), folder.path())).expect("it reads");
    let all = files(root.path());
    let used: Vec<usize> = (1024..sound.len()).filter(|&at| sound[at] != 0).collect();
    let strategy = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 80,
        ..ProptestConfig::default()
    });
    let done = runner.run(&strategy, |damage| {
        let mut bytes = sound.clone();
        for (at, value) in damage {
            bytes[used[at.index(used.len())]] = value;
        }
        let size = bytes.size();
        if let Ok(Some(mut volume)) = Volume::open(&mut bytes, 0, size) {
            let mut trail = Trail::default();
            let _ = all
                .iter()
                .try_for_each(|path| trail.unlink(&mut volume, path).map(drop))
                .and_then(|()| trail.remove_folder(&mut volume, b"/lost+found").map(drop));
        }
        Ok(())
    });
    done.expect("no panic");
}

/// A new checksum would make damage look sound.
#[test]
fn a_record_with_a_wrong_checksum_is_not_written_anew() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("one"), b"x").expect("it writes");
    fs::write(root.path().join("two"), b"y").expect("it writes");
    let folder = tempfile::tempdir().expect("a folder");
    let sound = fs::read(made(KINDS[1], root.path(), folder.path())).expect("it reads");
    let name = sound.windows(3).rposition(|bytes| bytes == b"two");
    let name = name.expect("a name in the root folder");
    let path = [b"/one".to_vec()];
    for changed in [None, Some(name)] {
        let disk = folder.path().join("changed");
        let mut bytes = sound.clone();
        if let Some(at) = changed {
            bytes[at] ^= 1;
        }
        fs::write(&disk, bytes).expect("it writes");
        let removed = remove(&disk, &path, &[]);
        assert_eq!(removed.is_ok(), changed.is_none(), "{removed:?}");
    }
}
