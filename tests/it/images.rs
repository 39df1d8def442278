//! Disk images of every format, and files that are none: opened read-only, alike, or refused in one sentence.

use crate::command;
use guestslim::guest::{Backend, GuestError, OpenOptions, open};
use guestslim::job::Job;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a program that the machine must have, with arguments separated by spaces; `@` stands for the folder.
fn run(folder: &Path, program: &str, args: &str) {
    let attempt = || {
        command::program(program)
            .args(
                args.split(' ')
                    .map(|arg| arg.replace('@', &folder.display().to_string())),
            )
            .output()
            .unwrap_or_else(|error| panic!("{program} is needed: {error}"))
    };
    let mut done = attempt();
    // Making a key, qemu-img times the processor, and gives up when others use it too.
    for _ in 0..20 {
        if !String::from_utf8_lossy(&done.stderr).contains("accurate CPU usage") {
            break;
        }
        done = attempt();
    }
    assert!(
        done.status.success(),
        "{program} {args}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

/// A folder with `raw`: a whole disk with one small ext4 root.
fn fixture() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("etc")).expect("a folder");
    fs::write(root.join("etc/os-release"), "ID=tiny\n").expect("it writes");
    fs::write(root.join("data"), vec![5; 300_000]).expect("it writes");
    fs::hard_link(root.join("data"), root.join("twin")).expect("a hard link");
    run(folder.path(), "mke2fs", "-q -F -t ext4 -d @/root @/raw 16M");
    folder
}

fn open_with(path: &Path, options: &OpenOptions) -> Result<Vec<String>, GuestError> {
    let job = Job::quiet();
    let mut guest = open(path, options, &job)?;
    let (tree, _) = guest.walk(&job)?;
    let file = tree.lookup(b"/etc/os-release").expect("it is there");
    assert_eq!(guest.read(&tree, file, 0, 100)?, b"ID=tiny\n");
    Ok(tree
        .ids()
        .map(|file| {
            format!(
                "{:?} {} {:?}",
                tree.path(file),
                tree.size(file),
                tree.names(file)
            )
        })
        .collect())
}

fn direct(path: &Path) -> Result<Vec<String>, GuestError> {
    let options = OpenOptions {
        backend: Backend::Ext4,
        ..OpenOptions::default()
    };
    open_with(path, &options)
}

#[test]
fn every_format_opens_alike() {
    let folder = fixture();
    let at = folder.path();
    for (args, name) in [
        ("-O qcow2 @/raw", "plain.qcow2"),
        ("-O qcow2 -o compat=0.10 @/raw", "old.qcow2"),
        ("-O qcow2 -c @/raw", "zlib.qcow2"),
        ("-O qcow2 -c -o compression_type=zstd @/raw", "zstd.qcow2"),
        (
            "-O qcow2 -o extended_l2=on,cluster_size=128k @/raw",
            "subclusters.qcow2",
        ),
        ("-O qcow2 -B @/raw -F raw @/raw", "over-raw.qcow2"),
        ("-O qcow2 -B zlib.qcow2 -F qcow2 @/raw", "over-qcow2.qcow2"),
        ("-O vmdk @/raw", "disk.vmdk"),
        ("-O vmdk -o subformat=streamOptimized @/raw", "stream.vmdk"),
        (
            "-O vmdk -o subformat=twoGbMaxExtentSparse @/raw",
            "split.vmdk",
        ),
        ("-O vdi @/raw", "disk.vdi"),
        ("-O vhdx @/raw", "disk.vhdx"),
        ("-O vpc @/raw", "disk.vhd"),
    ] {
        run(at, "qemu-img", &format!("convert -f raw {args} @/{name}"));
    }
    let expected = direct(&at.join("raw")).expect("raw opens");
    assert!(expected.len() > 5);
    for entry in fs::read_dir(at).expect("it lists") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if name.contains('.') && name != "split-s001.vmdk" {
            assert_eq!(
                direct(&path).unwrap_or_else(|error| panic!("{name}: {error}")),
                expected,
                "{name}"
            );
        }
    }
    let before = fs::read(at.join("raw")).expect("it reads");
    direct(&at.join("over-raw.qcow2")).expect("it opens");
    assert!(before == fs::read(at.join("raw")).expect("it reads"));
}

#[test]
fn a_folder_opens_as_it_is_and_shows_the_same_files() {
    let folder = fixture();
    let job = Job::quiet();
    let mut guest =
        open(&folder.path().join("root"), &OpenOptions::default(), &job).expect("it opens");
    let (tree, warnings) = guest.walk(&job).expect("it walks");
    assert!(warnings.is_empty());
    let paths: Vec<_> = tree
        .ids()
        .map(|file| String::from_utf8(tree.path(file)).expect("text"))
        .collect();
    assert_eq!(paths, ["/", "/data", "/etc", "/etc/os-release", "/twin"]);
    assert_eq!(guest.disk().origin.backend, "directory");
}

/// What a path is made into, and the words of its refusal.
#[test]
fn what_is_no_image_is_refused_in_one_sentence() {
    let folder = fixture();
    let at = folder.path();
    fs::write(at.join("empty"), "").expect("it writes");
    let noise: Vec<u8> = (0..200_000u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 11) as u8)
        .collect();
    fs::write(at.join("noise"), noise).expect("it writes");
    fs::write(at.join("zeros"), vec![0; 1 << 20]).expect("it writes");
    fs::write(at.join("secret"), "root:x:0:0\n".repeat(100)).expect("it writes");
    run(at, "mkfifo", "@/pipe");
    run(at, "qemu-img", "convert -f raw -O qcow2 @/raw @/whole");
    cut(&at.join("whole"), &at.join("cut.qcow2"), 90);
    cut(&at.join("raw"), &at.join("cut.raw"), 50);
    cut(&at.join("whole"), &at.join("head.qcow2"), 0);
    run(
        at,
        "qemu-img",
        "create -q -u -f qcow2 -F raw -b /etc/passwd @/passwd.qcow2 16M",
    );
    run(
        at,
        "qemu-img",
        "create -q -u -f qcow2 -F raw -b @/secret @/secret.qcow2 16M",
    );
    run(
        at,
        "qemu-img",
        "create -q -u -f qcow2 -F raw -b nbd://127.0.0.1:1/\u{1b}x @/net.qcow2 16M",
    );
    run(
        at,
        "qemu-img",
        "create -q -u -f qcow2 -F raw -b /dev/zero @/device.qcow2 16M",
    );
    run(
        at,
        "qemu-img",
        "create -q -u -f qcow2 -F qcow2 -b loop.qcow2 @/loop.qcow2 16M",
    );
    run(
        at,
        "qemu-img",
        "create -q -u -f qcow2 -F raw -b gone @/orphan.qcow2 16M",
    );
    run(
        at,
        "qemu-img",
        "create -q -f qcow2 -o data_file=@/data,data_file_raw=on @/split.qcow2 16M",
    );
    fs::write(at.join("evil.vmdk"), "# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\nRW 32768 FLAT \"/etc/passwd\" 0\n").expect("it writes");
    // Only the header's word for it (LUKS): making a real one times the processor, which fails on a busy machine.
    let mut locked = fs::read(at.join("whole")).expect("it reads");
    locked[35] = 2;
    fs::write(at.join("locked.qcow2"), locked).expect("it writes");
    for (bit, name) in [(1, "dirty.qcow2"), (2, "corrupt.qcow2"), (128, "new.qcow2")] {
        let mut bytes = fs::read(at.join("whole")).expect("it reads");
        bytes[79] |= bit;
        fs::write(at.join(name), bytes).expect("it writes");
    }
    for (name, words) in [
        ("missing", "No such file"),
        ("empty", "it is empty"),
        ("noise", "no Linux system"),
        ("zeros", "no Linux system"),
        ("pipe", "named pipe"),
        ("/dev/null", "character device"),
        ("cut.qcow2", "truncated"),
        ("cut.raw", "truncated"),
        ("head.qcow2", "cut off"),
        ("passwd.qcow2", "from /etc/passwd, which lies outside"),
        ("secret.qcow2", "is no disk image"),
        ("net.qcow2", "\"nbd://127.0.0.1:1/\\x1bx\" is no local file"),
        ("device.qcow2", "character device"),
        ("loop.qcow2", "no end"),
        ("orphan.qcow2", "cannot be opened"),
        ("split.qcow2", "data-file"),
        ("locked.qcow2", "encrypted"),
        ("evil.vmdk", "from /etc/passwd, which lies outside"),
        ("dirty.qcow2", "dirty"),
        ("corrupt.qcow2", "corrupt"),
        ("new.qcow2", "not known"),
    ] {
        let path: PathBuf = at.join(name);
        let said = match open_with(&path, &OpenOptions::default()) {
            Ok(_) => panic!("{name} was opened"),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(words), "{name}: {said}");
        assert!(!said.contains(['\n', '\u{1b}']), "{name}: {said}");
    }
}

/// The first `percent` of a file, and at least a few bytes.
fn cut(from: &Path, to: &Path, percent: usize) {
    let bytes = fs::read(from).expect("it reads");
    fs::write(to, &bytes[..(bytes.len() * percent / 100).max(20)]).expect("it writes");
}

#[test]
fn the_format_can_be_forced_and_a_raw_disk_is_never_probed_by_qemu() {
    let folder = fixture();
    let at = folder.path();
    let forced = |format: &str| OpenOptions {
        format: Some(format.to_owned()),
        ..OpenOptions::default()
    };
    assert!(open_with(&at.join("raw"), &forced("raw")).is_ok());
    let refused = open_with(&at.join("raw"), &forced("qcow2"));
    assert!(matches!(refused, Err(GuestError::Image { .. })));
    let unknown = open_with(&at.join("raw"), &forced("nbd"));
    assert!(matches!(unknown, Err(GuestError::Unsupported { .. })));
    // A guest can write a qcow2 header into its own first sector; forced as raw it stays a disk.
    run(
        at,
        "qemu-img",
        "create -q -u -f qcow2 -F raw -b /etc/passwd @/header 16M",
    );
    let mut disk = fs::read(at.join("raw")).expect("it reads");
    disk[..1024].copy_from_slice(&fs::read(at.join("header")).expect("it reads")[..1024]);
    fs::write(at.join("posing"), disk).expect("it writes");
    assert!(open_with(&at.join("posing"), &forced("raw")).is_ok());
    assert!(open_with(&at.join("posing"), &OpenOptions::default()).is_err());
}

#[test]
fn an_image_that_a_machine_writes_to_is_refused() {
    let folder = fixture();
    let at = folder.path();
    run(at, "qemu-img", "convert -f raw -O qcow2 @/raw @/used.qcow2");
    let socket = at.join("socket");
    let mut writer = Command::new("qemu-nbd")
        .args(["--format=qcow2", "--persistent", "--fork", "--pid-file"])
        .arg(at.join("pid"))
        .arg("--socket")
        .arg(&socket)
        .arg(at.join("used.qcow2"))
        .spawn()
        .expect("qemu-nbd is needed");
    assert!(writer.wait().expect("it forks").success());
    let refused = direct(&at.join("used.qcow2"));
    let pid = fs::read_to_string(at.join("pid")).expect("it writes its number");
    run(at, "kill", pid.trim());
    let said = refused.expect_err("it is in use").to_string();
    assert!(said.contains("another program"), "{said}");
}
