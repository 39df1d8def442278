//! Texts that nobody wrote before, strewn over a guest's disk: some in files that stay, some in files that go, some in
//! files that were erased before. What is gone must not be found in an output, whatever its format.

use crate::command::program;
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The texts, one for each fate.
pub struct Salt {
    stays: String,
    dropped: String,
    of_package: String,
    erased: String,
}

/// Where the root file system of `mbr` guests begins.
const ROOT_OFFSET: u64 = 1 << 20;

impl Salt {
    /// Strews small and big files over the root file system of a raw disk: those that go lie between those that stay.
    pub fn strew(disk: &Path) -> Self {
        let salt = Self {
            stays: random(),
            dropped: random(),
            of_package: random(),
            erased: random(),
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut commands = String::from("mkdir /opt/stays\nmkdir /opt/goes\nmkdir /opt/erased\n");
        let mut erasing = String::new();
        for (at, size) in [30, 100, 4096, 5000, 70_000, 1 << 20]
            .into_iter()
            .cycle()
            .take(48)
            .enumerate()
        {
            for (name, text, size) in [
                ("stays", &salt.stays, 30),
                ("goes", &salt.dropped, size),
                ("erased", &salt.erased, size),
            ] {
                let file = written(folder.path(), &format!("{name}-{size}"), text, size);
                writeln!(commands, "cd /opt/{name}\nwrite {} {at}", file.display()).expect("text");
            }
            writeln!(erasing, "rm /opt/erased/{at}").expect("text");
        }
        let file = written(folder.path(), "package", &salt.of_package, 200_000);
        writeln!(
            commands,
            "cd /usr/bin\nrm less\nwrite {} less",
            file.display()
        )
        .expect("text");
        commands += &erasing;
        debugfs(
            disk,
            &written(folder.path(), "commands", &commands, commands.len()),
        );
        for text in [&salt.stays, &salt.dropped, &salt.of_package, &salt.erased] {
            assert!(occurrences(disk, text) > 0, "the source holds all texts");
        }
        salt
    }

    /// Nothing of what goes is in a qcow2 image, what stays is.
    pub fn assert_gone(&self, output: &Path) {
        let raw = output.with_extension("search");
        to_raw(output, &raw);
        assert!(occurrences(&raw, &self.stays) > 0);
        let left =
            [&self.dropped, &self.of_package, &self.erased].map(|text| occurrences(&raw, text));
        assert_eq!(left, [0; 3], "dropped file, dropped package, erased before");
    }
}

/// Writes a qcow2 image out as a plain disk.
pub fn to_raw(image: &Path, raw: &Path) {
    let done = Command::new("qemu-img")
        .args(["convert", "-f", "qcow2", "-O", "raw"])
        .args([image, raw])
        .status()
        .expect("qemu-img is installed");
    assert!(done.success());
}

/// How often a text is in a file.
pub fn occurrences(file: &Path, text: &str) -> usize {
    // Lines end at zeros, so that no hole becomes one long line.
    let found = Command::new("grep")
        .args(["-z", "-a", "-o", "-F", text])
        .arg(file)
        .output()
        .expect("grep runs");
    assert!(matches!(found.status.code(), Some(0 | 1)), "{found:?}");
    found.stdout.split(|&byte| byte == 0).count() - 1
}

fn random() -> String {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .expect("random bytes");
    u128::from_be_bytes(bytes).to_string()
}

/// A file of the host that repeats a text up to a size.
fn written(folder: &Path, name: &str, text: &str, size: usize) -> PathBuf {
    let path = folder.join(name);
    let bytes: Vec<u8> = text.bytes().cycle().take(size.max(text.len())).collect();
    fs::write(&path, bytes).expect("writable");
    path
}

fn debugfs(disk: &Path, commands: &Path) {
    let done = program("debugfs")
        .args(["-w", "-f"])
        .arg(commands)
        .arg(format!("{}?offset={ROOT_OFFSET}", disk.display()))
        .output()
        .expect("e2fsprogs is installed");
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
