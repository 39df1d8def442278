//! The direct reader against the kernel's own view: a folder, and the same folder as an ext file system.

use super::*;
use crate::guest::directory::Directory;
use crate::guest::ext4::checksum;
use crate::guest::tools;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};

/// Runs one of e2fsprogs.
fn e2fs(program: &str, args: &[&OsStr]) -> i32 {
    let done = tools::program(program).args(args).output();
    let done = done.expect("e2fsprogs is installed");
    done.status.code().expect("it ends by itself")
}

/// A root with all that is awkward: names, links, holes, many names in one folder.
fn fill(root: &Path) {
    let write = |path: &str, bytes: &[u8]| fs::write(root.join(path), bytes).expect("it writes");
    for folder in ["etc", "many", "deep/er/still"] {
        fs::create_dir_all(root.join(folder)).expect("a folder");
    }
    write("etc/os-release", b"ID=test\n");
    write("empty", b"");
    write("deep/er/still/file", &[7; 5000]);
    for name in [
        &b"\xff\xfe"[..],
        b"new\nline",
        b"\x1b]52;c;x\x07",
        b"-rf *",
        &[b'n'; 255],
    ] {
        fs::write(root.join(OsStr::from_bytes(name)), name).expect("it writes");
    }
    for at in 0..700 {
        write(
            &format!("many/a rather long name for a small file, number {at}"),
            b"x",
        );
    }
    write(
        "big",
        &(0..400_000u32)
            .flat_map(|at| (at / 3).to_le_bytes())
            .collect::<Vec<u8>>()[..900_001],
    );
    let holes = fs::File::create(root.join("holes")).expect("a file");
    for at in 0..500 {
        holes.write_all_at(b"data", at * 16_384).expect("it writes");
    }
    holes.write_all_at(b"end", 70 << 20).expect("it writes");
    for link in ["one", "two", "deep/three"] {
        fs::hard_link(root.join("big"), root.join(link)).expect("a hard link");
    }
    symlink("big", root.join("short")).expect("a link");
    symlink("/".repeat(60), root.join("sixty")).expect("a link");
    symlink(OsStr::from_bytes(&[b'\xff'; 59]), root.join("fifty-nine")).expect("a link");
    symlink("x/".repeat(400), root.join("long")).expect("a link");
    symlink("loop", root.join("loop")).expect("a link");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        root.join("pipe"),
        rustix::fs::FileType::Fifo,
        0o600.into(),
        0,
    )
    .expect("a pipe");
    fs::set_permissions(root.join("empty"), fs::Permissions::from_mode(0o4751)).expect("a mode");
}

fn image(root: &Path, options: &[&str]) -> Vec<u8> {
    sized_image(root, options, "24M")
}

pub(super) fn sized_image(root: &Path, options: &[&str], size: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("image");
    let mut args: Vec<&OsStr> = ["-q", "-F"].iter().map(OsStr::new).collect();
    args.extend(options.iter().map(OsStr::new));
    args.extend([
        OsStr::new("-d"),
        root.as_os_str(),
        path.as_os_str(),
        OsStr::new(size),
    ]);
    assert_eq!(e2fs("mke2fs", &args), 0);
    // Gives large folders their index.
    let fixed = e2fs("e2fsck", &[OsStr::new("-fyD"), path.as_os_str()]);
    assert!(fixed <= 1, "e2fsck {fixed}");
    fs::read(&path).expect("it reads")
}

pub(super) fn open<B: Blocks>(disk: B) -> Result<Opened<B>, GuestError> {
    Direct::on(
        disk,
        Origin::default(),
        PathBuf::from("image"),
        &Job::quiet(),
    )
}

fn guest(disk: Vec<u8>) -> Direct<Vec<u8>> {
    match open(disk).expect("it opens") {
        Opened::Guest(guest) => guest,
        Opened::Partly(_, why) => panic!("{why}"),
    }
}

/// What must be the same; a folder's size and room are the file system's own affair.
fn facts(tree: &FileTree, file: FileId) -> String {
    let is_folder = tree.is_directory(file);
    let names: Vec<Vec<u8>> = tree
        .names(file)
        .iter()
        .map(|&name| tree.path(name))
        .collect();
    format!(
        "{:?} {:?} {:o} {:?} {} {} {:?} {names:?}",
        escape(&tree.path(file)),
        tree.kind(file),
        tree.mode(file),
        tree.owner(file),
        if is_folder { 0 } else { tree.size(file) },
        tree.modified(file),
        tree.target(file),
    )
}

fn same(root: &Path, disk: Vec<u8>) {
    let job = Job::quiet();
    let mut theirs = Directory::open(root).expect("it opens");
    let (expected, _) = theirs.walk(&job).expect("it walks");
    let mut ours = guest(disk);
    let (tree, warnings) = ours.walk(&job).expect("it walks");
    assert_eq!(warnings, []);
    let shown: Vec<String> = tree
        .ids()
        .filter(|&file| tree.name(file) != b"lost+found")
        .map(|file| facts(&tree, file))
        .collect();
    let wanted: Vec<String> = expected.ids().map(|file| facts(&expected, file)).collect();
    assert_eq!(shown.len(), wanted.len());
    for (shown, wanted) in shown[1..].iter().zip(&wanted[1..]) {
        assert_eq!(shown, wanted);
    }
    for file in expected.ids() {
        let twin = tree.lookup(&expected.path(file)).expect("it is there");
        for (offset, len) in [(0, 2 << 20), (899_990, 100), (70 << 20, 10), (16_383, 2)] {
            assert_eq!(
                ours.read(&tree, twin, offset, len).expect("it reads"),
                theirs.read(&expected, file, offset, len).expect("it reads"),
                "{}",
                escape(&expected.path(file)),
            );
        }
    }
}

#[test]
fn an_ext_file_system_reads_like_the_folder_that_it_was_made_of() {
    let root = tempfile::tempdir().expect("a temporary folder");
    fill(root.path());
    for options in [
        &["-t", "ext4"][..],
        &["-t", "ext4", "-b", "1024", "-I", "256"],
        &[
            "-t",
            "ext4",
            "-O",
            "^64bit,^metadata_csum,^flex_bg",
            "-I",
            "128",
        ],
        &["-t", "ext3", "-b", "1024"],
        &["-t", "ext2", "-b", "1024"],
        &["-t", "ext2", "-b", "4096", "-O", "^filetype,^dir_index"],
    ] {
        same(root.path(), image(root.path(), options));
    }
}

/// A disk with one MBR partition for each image, from sector 2048 on.
fn partitioned(images: &[Vec<u8>]) -> Vec<u8> {
    let mut disk = vec![0; 1 << 20];
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    for (slot, image) in images.iter().enumerate() {
        let (start, size) = (disk.len() / 512, image.len() / 512);
        let row = 446 + slot * 16;
        disk[row + 4] = 0x83;
        disk[row + 8..row + 12].copy_from_slice(&(start as u32).to_le_bytes());
        disk[row + 12..row + 16].copy_from_slice(&(size as u32).to_le_bytes());
        disk.extend_from_slice(image);
    }
    disk
}

#[test]
fn other_file_systems_hide_what_is_below_their_place() {
    let roots = tempfile::tempdir().expect("a temporary folder");
    let at = |path: &str| roots.path().join(path);
    for folder in [
        "root/etc",
        "root/boot/hidden",
        "root/srv/deep",
        "boot/grub",
        "srv",
    ] {
        fs::create_dir_all(at(folder)).expect("a folder");
    }
    let fstab = "LABEL=boot /boot ext4 x\nLABEL=srv /srv/deep ext4 x\n/dev/vda4 /missing ext4 x\n";
    fs::write(at("root/etc/fstab"), fstab).expect("it writes");
    fs::write(at("boot/vmlinuz"), "kernel").expect("it writes");
    fs::write(at("srv/one"), "data").expect("it writes");
    fs::hard_link(at("srv/one"), at("srv/two")).expect("a hard link");
    let part = |folder: &str| sized_image(&at(folder), &["-t", "ext4", "-L", folder], "4M");
    let mut guest = guest(partitioned(&[
        part("root"),
        part("boot"),
        part("srv"),
        part("srv"),
    ]));
    let (tree, warnings) = guest.walk(&Job::quiet()).expect("it walks");
    let paths: Vec<String> = tree
        .ids()
        .map(|file| escape(&tree.path(file)).into_owned())
        .filter(|path| !path.contains("lost+found"))
        .collect();
    assert_eq!(
        paths,
        [
            "/",
            "/boot",
            "/boot/grub",
            "/boot/vmlinuz",
            "/etc",
            "/etc/fstab",
            "/srv",
            "/srv/deep",
            "/srv/deep/one",
            "/srv/deep/two"
        ]
    );
    let kernel = tree.lookup(b"/boot/vmlinuz").expect("it is there");
    assert_eq!(
        guest.read(&tree, kernel, 0, 100).expect("it reads"),
        b"kernel"
    );
    let two = tree.lookup(b"/srv/deep/two").expect("it is there");
    assert_eq!(tree.names(two).len(), 2);
    let shown: Vec<_> = guest
        .disk()
        .mounts
        .iter()
        .map(|mount| mount.is_read)
        .collect();
    assert_eq!(shown, [true, true, false, true]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn what_is_beyond_the_reader_goes_to_libguestfs() {
    let root = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(root.path().join("etc")).expect("a folder");
    fs::write(root.path().join("etc/os-release"), "ID=x").expect("it writes");
    for (feature, word) in [
        ("inline_data", "inline"),
        ("encrypt", "encryption"),
        ("bigalloc", "bigalloc"),
    ] {
        let disk = image(root.path(), &["-t", "ext4", "-O", feature]);
        match open(disk).expect("it opens") {
            Opened::Partly(None, why) => assert!(why.contains(word), "{why}"),
            _ => panic!("{feature} was read"),
        }
    }
    let mut unclean = image(root.path(), &["-t", "ext4"]);
    unclean[1024 + 96] |= 4;
    let sum = checksum::superblock(&unclean[1024..2048]);
    unclean[2044..2048].copy_from_slice(&sum.to_le_bytes());
    assert!(matches!(open(unclean), Ok(Opened::Partly(None, why)) if why.contains("journal")));
}

#[test]
fn a_cut_disk_and_an_empty_one_are_named() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let disk = image(root.path(), &["-t", "ext4"]);
    let cut = open(disk[..disk.len() / 2].to_vec());
    assert!(matches!(cut, Err(GuestError::Image { why, .. }) if why.contains("truncated")));
    let empty = open(disk);
    assert!(matches!(empty, Err(GuestError::System(why)) if why.contains("no Linux system")));
    let random: Vec<u8> = (0..1_000_000u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    assert!(matches!(open(random), Err(GuestError::System(_))));
}
