//! Images that name other files: which are opened, and what QEMU shows of them.
//!
//! Each hostile image here once showed a file of the host as the guest's disk. The decoy's bytes must not come up, whoever
//! reads the header differently.

use super::*;
use crate::guest::blocks::Blocks;
use crate::guest::nbd::NbdDisk;
use crate::job::Job;
use std::fs;
use std::process::Command;

/// What lies outside of the image's folder; two sectors, as a raw extent has to be.
const SECRET: &[u8] = b"root:x:0:0:secret of the host";

/// A folder with a secret file in it and a folder for images.
struct Host {
    folder: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("images")).expect("writable");
        let mut secret = SECRET.to_vec();
        secret.resize(1 << 20, b'\n');
        fs::write(folder.path().join("secret"), secret).expect("writable");
        Self { folder }
    }

    fn secret(&self) -> PathBuf {
        self.folder.path().join("secret")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join("images").join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.at(name), bytes).expect("writable");
        self.at(name)
    }

    fn qemu_img(&self, words: &[&str]) {
        let done = Command::new("qemu-img")
            .args(words)
            .current_dir(self.folder.path().join("images"))
            .output()
            .expect("qemu-img is installed");
        assert!(done.status.success(), "{words:?}: {done:?}");
    }

    /// Bytes of the disk from `at` on, as a server of QEMU shows them.
    fn shown(image: &Image, at: u64, len: usize) -> Vec<u8> {
        let mut disk = NbdDisk::open(image, &Job::quiet()).expect("it is served");
        disk.bytes(at, len).expect("it reads")
    }

    /// Fails when an image is opened and shows the secret.
    #[track_caller]
    fn assert_silent(path: &Path) {
        let Ok(image) = Image::probe(path, None) else {
            return;
        };
        let Ok(mut disk) = NbdDisk::open(&image, &Job::quiet()) else {
            return;
        };
        let len = usize::try_from(disk.size())
            .unwrap_or(usize::MAX)
            .min(4 << 20);
        let bytes = disk.bytes(0, len).unwrap_or_default();
        let leaks = bytes.windows(SECRET.len()).any(|word| word == SECRET);
        assert!(!leaks, "{} shows a file of the host", path.display());
    }
}

/// A sparse VMDK header of `capacity` sectors whose descriptor of `sectors` lies at the second sector.
fn sparse(capacity: u64, descriptor: &str) -> Vec<u8> {
    let mut image = vec![0; 512 + (64 << 10)];
    image[..4].copy_from_slice(b"KDMV");
    image[4] = 1;
    image[8] = 3;
    image[12..20].copy_from_slice(&capacity.to_le_bytes());
    image[20] = 128;
    image[28] = 1;
    image[36] = 20;
    image[44..48].copy_from_slice(&512_u32.to_le_bytes());
    image[512..512 + descriptor.len()].copy_from_slice(descriptor.as_bytes());
    image
}

fn flat(extent: &str) -> String {
    format!(
        "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\n{extent}\n"
    )
}

#[test]
fn no_vmdk_shows_a_file_outside_of_its_folder() {
    let host = Host::new();
    let secret = host.secret().display().to_string();
    let line = format!("RW 2048 FLAT \"{secret}\" 0");
    let long = format!("{}{}", "#".repeat(70 << 10), "\n");
    let cases = [
        ("plain", flat(&line).into_bytes()),
        (
            "relative",
            flat("RW 2048 FLAT \"../secret\" 0").into_bytes(),
        ),
        ("tab", flat(&line.replace(' ', "\t")).into_bytes()),
        (
            "vertical-tab",
            flat(&line.replace(' ', "\u{b}")).into_bytes(),
        ),
        (
            "carriage-return",
            flat(&line.replace("RW ", "RW\r")).into_bytes(),
        ),
        ("leading", flat(&format!("\u{b}{line}")).into_bytes()),
        ("behind-64KiB", (flat(&long) + &line + "\n").into_bytes()),
        ("capacity-0", sparse(0, &flat(&line))),
        (
            "parent",
            flat(&format!("RW 2048 ZERO\nparentFileNameHint=\"{secret}\"")).into_bytes(),
        ),
        (
            "parent-in-sparse",
            sparse(2048, &format!("x parentFileNameHint=\"{secret}\"")),
        ),
        ("sparse-in-flat", {
            host.write("inner.vmdk", &sparse(0, &flat(&line)));
            flat("RW 2048 SPARSE \"inner.vmdk\"").into_bytes()
        }),
    ];
    for (name, bytes) in cases {
        Host::assert_silent(&host.write(&format!("{name}.vmdk"), &bytes));
    }
    let mut cowd = b"COWD".to_vec();
    cowd.resize(512, 0);
    cowd.extend(format!("parentFileNameHint=\"{secret}\"").bytes());
    cowd.resize(64 << 10, 0);
    Host::assert_silent(&host.write("cowd.vmdk", &cowd));
}

#[test]
fn no_qcow2_shows_a_file_outside_of_its_folder() {
    let host = Host::new();
    let secret = host.secret().display().to_string();
    host.qemu_img(&[
        "create",
        "-q",
        "-f",
        "qcow2",
        "-b",
        &secret,
        "-F",
        "raw",
        "raw.qcow2",
    ]);
    host.qemu_img(&[
        "create",
        "-q",
        "-f",
        "qcow2",
        "-b",
        "../secret",
        "-F",
        "raw",
        "dots.qcow2",
    ]);
    std::os::unix::fs::symlink(host.secret(), host.at("link")).expect("writable");
    host.qemu_img(&[
        "create",
        "-q",
        "-f",
        "qcow2",
        "-b",
        "link",
        "-F",
        "raw",
        "link.qcow2",
    ]);
    for name in ["raw.qcow2", "dots.qcow2", "link.qcow2"] {
        Host::assert_silent(&host.at(name));
        let error = Image::probe(&host.at(name), None)
            .expect_err("refused")
            .to_string();
        assert!(error.contains("secret"), "{error}");
    }
    // A second extension that names the format: one reader takes the first, another the last.
    let mut twice = fs::read(host.at("raw.qcow2")).expect("there");
    let first = twice[104..120].to_vec();
    twice.splice(120..136, first);
    twice.truncate(fs::metadata(host.at("raw.qcow2")).expect("there").len() as usize);
    twice[120 + 8..120 + 11].copy_from_slice(b"raw");
    twice[112..116].copy_from_slice(b"vmdk");
    twice[111] = 4;
    Host::assert_silent(&host.write("twice.qcow2", &twice));
}

#[test]
fn what_the_user_names_may_be_used() {
    let host = Host::new();
    let mut disk = vec![0; 1 << 20];
    disk[1080..1082].copy_from_slice(&[0x53, 0xef]);
    disk[4096..4101].copy_from_slice(b"lower");
    fs::write(host.folder.path().join("base.raw"), disk).expect("writable");
    host.qemu_img(&[
        "create",
        "-q",
        "-f",
        "qcow2",
        "-b",
        "../base.raw",
        "-F",
        "raw",
        "top.qcow2",
    ]);
    let error = Image::probe(&host.at("top.qcow2"), None).expect_err("outside");
    assert!(matches!(error, GuestError::Outside { .. }), "{error}");
    for allowed in [
        host.folder.path().join("base.raw"),
        host.folder.path().to_owned(),
    ] {
        let image = Image::open(&host.at("top.qcow2"), None, &[allowed]).expect("allowed");
        assert_eq!(Host::shown(&image, 4096, 5), b"lower");
        assert_eq!(image.origin("ext4", 0).chain[0].format, "raw");
    }
}

#[test]
fn images_in_several_files_show_their_contents() {
    let host = Host::new();
    let mut disk = vec![0; 3 << 20];
    disk[..6].copy_from_slice(b"begin\n");
    disk[(3 << 20) - 5..].copy_from_slice(b"end.\n");
    let raw = host.write("disk.raw", &disk);
    let raw = raw.to_str().expect("text");
    for kind in [
        "monolithicSparse",
        "monolithicFlat",
        "twoGbMaxExtentSparse",
        "twoGbMaxExtentFlat",
        "streamOptimized",
    ] {
        let (option, name) = (format!("subformat={kind}"), format!("{kind}.vmdk"));
        host.qemu_img(&[
            "convert", "-f", "raw", "-O", "vmdk", "-o", &option, raw, &name,
        ]);
        let image = Image::probe(&host.at(&name), None).expect("a sound image");
        let is_split = !image.is_whole();
        assert_eq!(
            is_split,
            kind.contains("Flat") || kind.contains("twoGb"),
            "{kind}"
        );
        assert_eq!(Host::shown(&image, 0, 3 << 20), disk, "{kind}");
    }
    host.qemu_img(&[
        "create",
        "-q",
        "-f",
        "vmdk",
        "-b",
        "monolithicSparse.vmdk",
        "-F",
        "vmdk",
        "child.vmdk",
    ]);
    let child = Image::probe(&host.at("child.vmdk"), None).expect("a sound image");
    assert_eq!(child.below(), [host.at("monolithicSparse.vmdk")]);
    assert_eq!(Host::shown(&child, 0, 6), b"begin\n");
}

#[test]
fn what_is_written_to_an_overlay_stays_out_of_the_image() {
    let host = Host::new();
    let path = host.write("disk.raw", &vec![7; 1 << 20]);
    host.qemu_img(&["create", "-q", "-f", "qcow2", "over.qcow2", "1M"]);
    let image = Image::probe(&path, Some("raw")).expect("a raw image");
    let graph = Graph::overlay(&host.at("over.qcow2"), &image).expect("it opens");
    let mut disk = NbdDisk::open_overlay(&path, &graph, &Job::quiet()).expect("served");
    crate::guest::BlocksMut::write_at(&mut disk, 4096, b"new").expect("written");
    assert_eq!(disk.bytes(4095, 5).expect("it reads"), b"\x07new\x07");
    disk.finish().expect("all is written");
    assert_eq!(fs::read(&path).expect("there"), vec![7; 1 << 20]);
}
