//! The source image is the same after whatever happens to a command, and nothing half done stays beside it.

use crate::built;
use crate::command::{guestslim, ran, run};
use assert_cmd::Command;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const PROFILE: &str =
    "(version: 1, name: \"x\", marks: [keep(package(\"openssh-server\"), trimmed)])";

/// How long a text may take to come: an appliance starts in between, on a busy machine without KVM.
const PATIENCE: Duration = Duration::from_secs(600);

fn small() -> String {
    let path = built::small();
    path.to_str().expect("a plain path").to_owned()
}

fn sha256(path: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    io::copy(
        &mut File::open(path).expect("readable"),
        &mut HashWriter(&mut hash),
    )
    .expect("readable");
    hash.finalize().to_vec()
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The program on a terminal of its own, where it shows its progress.
struct OnTerminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    said: Receiver<Vec<u8>>,
    text: String,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl OnTerminal {
    fn start(args: &[&str]) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize::default())
            .expect("a terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_guestslim"));
        command.args(args);
        command.env("TERM", "xterm");
        command.cwd(std::env::current_dir().expect("a folder"));
        let child = pair.slave.spawn_command(command).expect("the binary runs");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let (sender, said) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            said,
            text: String::new(),
            _master: pair.master,
        }
    }

    fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.text.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            let piece = self.said.recv_timeout(left);
            let piece =
                piece.unwrap_or_else(|error| panic!("no {text:?} ({error}) in {:?}", self.text));
            self.text += &String::from_utf8_lossy(&piece);
        }
    }

    fn signal(&self, name: &str) {
        let process = self.child.process_id().expect("it runs").to_string();
        Command::new("kill")
            .args(["-s", name, &process])
            .assert()
            .success();
    }

    fn ended(mut self) -> (u32, String) {
        let status = self.child.wait().expect("it ends");
        while let Ok(piece) = self.said.recv_timeout(PATIENCE) {
            self.text += &String::from_utf8_lossy(&piece);
        }
        (status.exit_code(), self.text)
    }
}

/// What is in a folder, hidden things too.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable");
    entries
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

#[test]
fn the_source_stays_the_same_whatever_happens() {
    let source = small();
    let before = sha256(&source);
    let folder = tempfile::tempdir().expect("a folder");
    let outputs = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("p.ron");
    fs::write(&profile, PROFILE).expect("a file");
    let profile = profile.to_str().expect("a plain path");
    let output = outputs.path().join("out.qcow2");
    let output = output.to_str().expect("a plain path");
    let replay = [
        "replay",
        profile,
        &source,
        "-o",
        output,
        "--no-verify",
        "--accel",
        "tcg",
    ];

    assert_eq!(run(&["inspect", &source]).code, 0);
    assert!(run(&["plan", &source, "-p", profile]).code < 2);
    assert_eq!(
        run(&["replay", profile, &source, "-o", &source, "--force"]).code,
        2
    );
    assert!(sha256(&source) == before, "looking and refusing changed it");

    let failed = failed_export(&replay);
    assert!(failed.starts_with("error: "), "{failed}");
    assert_eq!(
        names(outputs.path()),
        [""; 0],
        "a failed export leaves nothing: {failed}"
    );
    assert!(sha256(&source) == before, "a failed export changed it");

    let mut killed = OnTerminal::start(&replay);
    killed.wait_for("copy the disk");
    killed.signal("KILL");
    killed.ended();
    assert!(!Path::new(output).exists(), "killed, there is no output");
    assert!(sha256(&source) == before, "a killed export changed it");

    let mut interrupted = OnTerminal::start(&replay);
    interrupted.wait_for("copy the disk");
    interrupted.signal("INT");
    let (code, said) = interrupted.ended();
    assert_eq!(code, 130, "{said}");
    assert!(
        said.contains("interrupted") && !said.contains("panicked"),
        "{said}"
    );
    assert_eq!(
        names(outputs.path()),
        [""; 0],
        "neither its own work nor that of the killed one is left"
    );
    assert!(
        sha256(&source) == before,
        "an interrupted export changed it"
    );
}

/// An export that may not write long files.
fn failed_export(replay: &[&str]) -> String {
    let mut command = Command::new("prlimit");
    command
        .arg("--fsize=60000000")
        .arg(guestslim().get_program())
        .args(replay);
    let ran = ran(&command.output().expect("prlimit runs"));
    assert_eq!(ran.code, 2, "{}", ran.err);
    ran.err
}
