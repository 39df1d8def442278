//! Whatever is wrong: one sentence, a hint, the right exit code, nothing written, no panic.

use crate::command::{Ran, guestslim, ran, run};
use crate::tiny;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const PROFILE: &str = "(version: 1, name: \"x\")";

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        bench.write("p.ron", PROFILE);
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).expect("a file");
        self.name(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().expect("a plain path").to_owned()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .expect("readable")
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .into_string()
                    .expect("plain")
            })
            .collect();
        names.sort();
        names
    }

    /// `replay`s onto `out`; whatever happens, no file may come or go.
    fn replay(&self, image: &str, out: &str, more: &[&str]) -> Ran {
        let before = self.names();
        let (profile, out) = (self.name("p.ron"), self.name(out));
        let ran = run(&[&["replay", &profile, image, "-o", &out][..], more].concat());
        assert_eq!(
            self.names(),
            before,
            "nothing comes and nothing goes: {}",
            ran.err
        );
        ran
    }
}

/// One error sentence with this in it, and this exit code.
fn refused(ran: &Ran, code: i32, part: &str) {
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
    assert!(ran.err.contains(part), "{part}: {}", ran.err);
    assert_eq!(ran.err.matches("error: ").count(), 1, "{}", ran.err);
    assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{}", ran.err);
}

#[test]
fn images_that_cannot_be_used_are_named() {
    let bench = Bench::new();
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = bench.name("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .expect("mkfifo runs")
            .success()
    );
    let cases = [
        (bench.name("missing.qcow2"), "No such file"),
        (bench.write("empty.raw", ""), "empty.raw"),
        (pipe, "pipe"),
    ];
    for (image, part) in &cases {
        refused(&run(&["inspect", image]), 2, part);
        refused(&bench.replay(image, "out.qcow2", &[]), 2, part);
    }
    let folder = folder.path().to_str().expect("plain");
    refused(&run(&["inspect", folder]), 2, "no Linux system");
    refused(&bench.replay(folder, "out.qcow2", &[]), 3, "folder");
}

#[test]
fn a_truncated_qcow2_is_refused() {
    let bench = Bench::new();
    let disk = bench.name("disk.qcow2");
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", &disk, "64M"])
        .status();
    assert!(made.expect("qemu-img runs").success());
    let bytes = fs::read(&disk).expect("readable");
    let image = bench.write("cut.qcow2", &bytes[..bytes.len() / 2]);
    refused(&run(&["inspect", &image]), 2, "cut.qcow2");
    let header = bench.write("header.qcow2", &bytes[..40]);
    refused(&run(&["inspect", &header]), 2, "header.qcow2");
}

#[test]
fn an_output_is_refused_before_the_image_is_opened() {
    let bench = Bench::new();
    let image = bench.write("source.raw", vec![0; 1 << 20]);
    bench.write("there.qcow2", "precious");
    std::os::unix::fs::symlink(&image, bench.path("link.raw")).expect("a symlink");
    fs::hard_link(&image, bench.path("twin.raw")).expect("a hard link");
    refused(&bench.replay(&image, "there.qcow2", &[]), 2, "exists");
    assert_eq!(
        fs::read(bench.path("there.qcow2")).expect("readable"),
        b"precious"
    );
    for same in ["source.raw", "link.raw", "twin.raw"] {
        refused(&bench.replay(&image, same, &["--force"]), 2, "source");
    }
    refused(
        &bench.replay(&image, "no/such/folder/out.qcow2", &[]),
        2,
        "folder",
    );
    for (output, more, part) in [
        ("p.ron", &["--force"][..], "p.ron is the profile"),
        ("p.healed.ron", &["--heal"], "both the healed profile"),
    ] {
        refused(&bench.replay(&image, output, more), 2, part);
    }
    let healed = bench.write("p.healed.ron", vec![0; 1 << 20]);
    let over_source = bench.replay(&healed, "out.qcow2", &["--heal", "--force"]);
    refused(&over_source, 2, "is the source image itself");
    let format = bench.replay(&image, "out.x", &["--output-format", "iso"]);
    refused(&format, 2, "iso");
    assert!(
        format.err.contains("hint: choose one of qcow2"),
        "{}",
        format.err
    );
}

#[test]
fn an_image_that_may_not_be_read_is_named() {
    let bench = Bench::new();
    let image = bench.write("closed.raw", vec![0; 1 << 20]);
    let Some((mut command, _copy)) = unprivileged(&image) else {
        return;
    };
    let ran = ran(&command.output().expect("the binary runs"));
    refused(&ran, 2, "closed.raw");
    assert!(ran.err.contains("ermission denied"), "{}", ran.err);
}

/// `guestslim inspect IMAGE` as a user who may not read it, and the folder of the program where it had to be copied:
/// ourselves, or somebody else when we are root.
fn unprivileged(image: &str) -> Option<(assert_cmd::Command, Option<tempfile::TempDir>)> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(image, fs::Permissions::from_mode(0o0)).expect("it is ours");
    let mut command = guestslim();
    let mut folder = None;
    if fs::File::open(image).is_ok() {
        // Root reads everything; the parent folders of a private build are not everybody's either.
        let binary = tempfile::Builder::new()
            .prefix("guestslim")
            .tempdir_in("/tmp")
            .ok()?;
        let copy = binary.path().join("guestslim");
        // Copied by another process: a file that this one had open for writing could not be executed while a test beside
        // this one starts a program.
        let copied = std::process::Command::new("cp")
            .args([Path::new(env!("CARGO_BIN_EXE_guestslim")), &copy])
            .status();
        copied.ok().filter(std::process::ExitStatus::success)?;
        fs::set_permissions(binary.path(), fs::Permissions::from_mode(0o755)).ok()?;
        fs::set_permissions(
            Path::new(image).parent()?,
            fs::Permissions::from_mode(0o755),
        )
        .ok()?;
        command = assert_cmd::Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(copy);
        folder = Some(binary);
    }
    command.args(["inspect", image]);
    Some((command, folder))
}

#[test]
fn profiles_that_are_not_understood_are_shown_with_line_and_column() {
    let bench = Bench::new();
    let guest = tiny::guest();
    let guest = guest.path().to_str().expect("plain");
    let deep = format!("(version: 1, name: \"x\", marks: {}", "[".repeat(100_000));
    let cases: [(&[u8], &str, &str); 9] = [
        (
            b"(\n  version: 1, name: \"x\",\n  mraks: [],\n)",
            "line 3, column 3: unknown field `mraks`",
            "did you mean `marks`?",
        ),
        (
            b"(\r\n  version: 1,\r\n  nam: \"x\",\r\n)",
            "line 3, column 3: unknown field `nam`",
            "did you mean `name`?",
        ),
        (
            b"(version: 1, name: \"x\", marks: [drop(path(\"/[\"))])",
            "line 1, column 44: no valid glob",
            "any text within a part",
        ),
        (
            b"(version: 7, name: \"x\")",
            "line 1, column 2: version 7",
            "up to version 1",
        ),
        (
            b"\xef\xbb\xbf(name: \"x\")",
            "the field `version` is missing",
            "version: 1",
        ),
        (deep.as_bytes(), "line 1, column", ""),
        (
            b"(version: 1, name: \"\xff\")",
            "line 1, column 21: not UTF-8",
            "\\xNN",
        ),
        (b"", "line 1, column 1", "starts with `(`"),
        (b"(version: 1, \x1b[31m: 2)", "line 1, column 14", ""),
    ];
    for (text, part, hint) in cases {
        let path = bench.write("bad.ron", text);
        for args in [
            &["profile", "check", &path][..],
            &["plan", guest, "-p", &path],
        ] {
            let ran = run(args);
            refused(&ran, 2, part);
            assert!(ran.err.contains(hint), "{hint}: {}", ran.err);
        }
    }
    refused(
        &run(&["profile", "show", &bench.name("missing.ron")]),
        2,
        "No such file",
    );
    refused(&run(&["profile", "show", "/"]), 2, "no regular file");
}

#[test]
fn a_target_that_is_not_there_comes_with_near_names() {
    let guest = tiny::guest();
    let guest = guest.path().to_str().expect("plain");
    let cases = [
        ("libblas4", "no package libblas4", "did you mean libblas3?"),
        ("emacs", "no package emacs", "guestslim inspect --all"),
        (
            "/usr/bin/vim.basik",
            "no file /usr/bin/vim.basik",
            "did you mean /usr/bin/vim.basic?",
        ),
        (
            "/usr/nothing/x",
            "no file /usr/nothing/x",
            "/usr is there, and nothing called nothing in it",
        ),
        ("/\x1b[31m", "no file /\\x1b[31m", ""),
    ];
    for (target, part, hint) in cases {
        let ran = run(&["why", guest, target]);
        refused(&ran, 2, part);
        assert!(ran.err.contains(hint), "{hint}: {}", ran.err);
    }
}

#[test]
fn a_host_without_qemu_is_told_what_to_install() {
    let bench = Bench::new();
    let image = bench.write("disk.raw", vec![0; 1 << 20]);
    let empty = tempfile::tempdir().expect("a folder");
    let output = guestslim()
        .args(["inspect", &image])
        .env("PATH", empty.path())
        .env("LIBGUESTFS_PATH", empty.path())
        .output()
        .expect("the binary runs");
    let ran = ran(&output);
    refused(&ran, 3, "not installed");
    assert!(
        ran.err.contains("hint: ") && ran.err.contains("apt-get install"),
        "{}",
        ran.err
    );
}

#[test]
fn wrong_usage_is_explained() {
    for args in [
        &[][..],
        &["--no-such-flag"],
        &["plan"],
        &["inspect", "x", "--accel", "warp"],
    ] {
        let ran = run(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(
            ran.err.contains("--help") || ran.err.contains("Usage: "),
            "{args:?}: {}",
            ran.err
        );
    }
    assert_eq!(run(&["--help"]).code, 0);
    assert_eq!(run(&["--version"]).code, 0);
}
