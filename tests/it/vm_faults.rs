//! What an export leaves behind when it is killed, when its appliance is, and when the disk is full: nothing.

use crate::built::small;
use crate::vm_source::names;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing that is waited for here takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// Folders for one output, for the profile, and for temporary files.
struct Place {
    output: TempDir,
    other: TempDir,
    temporary: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = || tempfile::tempdir().expect("a temporary folder");
        let place = Self {
            output: folder(),
            other: folder(),
            temporary: folder(),
        };
        fs::write(
            place.profile(),
            r#"(version: 1, name: "floor", marks: [keep(package("openssh-server"))])"#,
        )
        .expect("it writes");
        place
    }

    fn profile(&self) -> PathBuf {
        self.other.path().join("profile.ron")
    }

    /// An export under way in the appliance, which *repack* always uses; in place of the emulator this program, where there
    /// is one.
    fn export(&self, emulator: Option<&Path>) -> Child {
        self.export_by("repack", emulator)
    }

    /// An export under way.
    fn export_by(&self, way: &str, emulator: Option<&Path>) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guestslim"));
        command
            .args([
                "replay",
                "--no-verify",
                "--accel",
                "tcg",
                "--way",
                way,
                "-o",
            ])
            .arg(self.output.path().join("out.qcow2"))
            .arg(self.profile())
            .arg(small())
            // The appliance's disk is served over a socket that lies there.
            .env("TMPDIR", self.temporary.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(emulator) = emulator {
            command.env("LIBGUESTFS_HV", emulator);
        }
        command.spawn().expect("it starts")
    }

    fn found(&self) -> Vec<String> {
        names(self.output.path())
    }

    /// Processes of which the command names a folder of ours, by the program's name.
    fn processes(&self, program: &str) -> Vec<i32> {
        let folders = [&self.output, &self.temporary].map(|folder| folder.path().to_string_lossy());
        let numbers = fs::read_dir("/proc").expect("readable").flatten();
        numbers
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid: &i32| {
                let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let words = String::from_utf8_lossy(&words).into_owned();
                folders.iter().any(|folder| words.contains(&**folder)) && words.contains(program)
            })
            .collect()
    }

    /// The file in which the host makes the output's disk, once it is there.
    fn copy(&self) -> Option<PathBuf> {
        let folder = self.output.path().join(self.found().pop()?);
        let copy = folder.join("copy.raw");
        copy.exists().then_some(copy)
    }

    fn assert_empty(&self) {
        assert_eq!(self.found(), Vec::<String>::new());
        until("every process ends", || {
            self.processes("").is_empty().then_some(())
        });
    }
}

/// Asks again and again.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        sleep(Duration::from_millis(50));
    }
}

fn send(pid: i32, signal: Signal) {
    let pid = Pid::from_raw(pid).expect("a process");
    kill_process(pid, signal).expect("it is there");
}

/// Waits for an export to end by itself.
fn end(mut child: Child) -> Output {
    until("it ends", || child.try_wait().expect("a child"));
    child.wait_with_output().expect("its output")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Processes that a process started, by the program's name.
fn children(parent: u32, program: &str) -> Vec<i32> {
    let parent = format!("PPid:\t{parent}\n");
    let numbers = fs::read_dir("/proc").expect("readable").flatten();
    numbers
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            status.contains(&parent) && status.starts_with(&format!("Name:\t{program}"))
        })
        .collect()
}

#[test]
fn a_signal_or_a_killed_server_leaves_nothing_while_the_host_makes_the_disk() {
    let place = Place::new();
    let child = place.export_by("in-place", None);
    until("a copy", || place.copy());
    send(child.id().cast_signed(), Signal::TERM);
    let output = end(child);
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    place.assert_empty();

    let child = place.export_by("in-place", None);
    until("a copy", || place.copy());
    let server = children(child.id(), "qemu-nbd").pop().expect("it serves");
    send(server, Signal::KILL);
    let output = end(child);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    place.assert_empty();

    let child = place.export_by("in-place", None);
    until("a copy", || place.copy());
    let servers = children(child.id(), "");
    assert!(!servers.is_empty());
    send(child.id().cast_signed(), Signal::KILL);
    assert_eq!(end(child).status.signal(), Some(9));
    until("its programs end", || {
        let is_gone = |pid: &i32| !Path::new(&format!("/proc/{pid}")).exists();
        servers.iter().all(is_gone).then_some(())
    });
    assert_eq!(place.found().len(), 1, "{:?}", place.found());
    let output = end(place.export_by("in-place", None));
    assert!(output.status.success(), "{}", said(&output));
    let found = place.found();
    assert!(
        found.iter().all(|name| !name.starts_with(".guestslim")),
        "{found:?}"
    );
}

#[test]
fn a_signal_or_a_killed_appliance_leaves_nothing() {
    let place = Place::new();
    let child = place.export(None);
    until("an appliance", || place.processes("qemu-system").pop());
    send(child.id().cast_signed(), Signal::TERM);
    let output = end(child);
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    place.assert_empty();

    let child = place.export(None);
    let appliance = until("an appliance", || place.processes("qemu-system").pop());
    send(appliance, Signal::KILL);
    let output = end(child);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("appliance"), "{}", said(&output));
    place.assert_empty();
}

/// Nobody can clean up after SIGKILL but the next export, which fails here because its appliance does.
#[test]
fn what_a_killed_export_leaves_goes_with_the_next_one() {
    let place = Place::new();
    let child = place.export(None);
    until("an appliance", || place.processes("qemu-system").pop());
    send(child.id().cast_signed(), Signal::KILL);
    assert_eq!(end(child).status.signal(), Some(9));
    until("its appliance ends", || {
        place.processes("").is_empty().then_some(())
    });
    assert_eq!(place.found().len(), 1, "{:?}", place.found());

    let output = end(place.export(Some(Path::new("/bin/false"))));
    assert!(
        matches!(output.status.code(), Some(2 | 3)),
        "{}",
        said(&output)
    );
    place.assert_empty();
}

#[test]
fn an_appliance_that_never_starts_can_be_left() {
    let place = Place::new();
    let emulator = place.other.path().join("qemu-system-sleeper");
    let pipe = place.other.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("coreutils are here").success());
    // Waits for somebody to write into the pipe.
    let script = format!("#!/bin/sh\nread line <'{}'\n", pipe.display());
    fs::write(&emulator, script).expect("it writes");
    fs::set_permissions(&emulator, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let child = place.export(Some(&emulator));
    let pid = child.id();
    until("it begins", || place.found().pop());
    sleep(Duration::from_secs(5));
    send(pid.cast_signed(), Signal::TERM);
    let output = end(child);
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    place.assert_empty();
}

/// The disk fills up while the host makes the output's disk: in a mount namespace of its own, a small file system in memory.
#[test]
fn a_disk_that_fills_up_half_way_leaves_nothing() {
    const SCRIPT: &str = r#"
        mount -t tmpfs -o size=900m full "$1" || exit 99
        "$2" replay --no-verify --accel tcg -o "$1/out.qcow2" "$3" "$4" >/dev/null &
        while kill -0 $! 2>/dev/null && ! ls "$1"/.guestslim-*/copy.raw >/dev/null 2>&1; do sleep 0.02; done
        dd if=/dev/zero of="$1/filler" bs=1M 2>/dev/null
        wait $!
        code=$?
        rm "$1/filler"
        ls -A "$1"
        exit $code
    "#;
    let place = Place::new();
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"])
        .arg(place.output.path())
        .arg(env!("CARGO_BIN_EXE_guestslim"))
        .arg(place.profile())
        .arg(small())
        .output()
        .expect("util-linux is installed");
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("filled up"), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}
