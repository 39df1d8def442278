//! Guests that do what no guest should: each ends in a verdict, within its caps, with a log that is safe to print.

use crate::command::guestslim;
use crate::vm_machine::{guest, is_running_on};
use guestslim::guest::{Accel, OpenOptions};
use guestslim::job::Job;
use guestslim::vm::wire::{Command, End, Orders};
use guestslim::vm::{Caps, Direct, Session, Subject, Working, run_commands};
use std::path::PathBuf;
use std::time::Duration;

const CONSOLE: u64 = 256 * 1024;

fn direct() -> Direct {
    let options = OpenOptions {
        accel: Accel::Tcg,
        ..OpenOptions::default()
    };
    let subject = Subject::open(guest("small").path(), &options, &Job::quiet());
    subject.expect("it opens").direct.expect("it has a kernel")
}

/// Boots the guest with something else in the place of its init system.
fn boot(direct: &Direct, init: &str, orders: &Orders) -> Session {
    let direct = Direct {
        command_line: format!("{} init={init}", direct.command_line),
        ..direct.clone()
    };
    let caps = Caps {
        console: CONSOLE,
        time: Duration::from_secs(300),
        ..Caps::default()
    };
    let session = run_commands(
        &direct,
        orders,
        Working::Tcg,
        caps,
        &mut |_| false,
        &Job::quiet(),
    );
    let session = session.expect("what a guest does is no error");
    let log = session.console.log();
    let unsafe_char = log.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(unsafe_char, None, "{log}");
    assert!(session.console.total() < 2 * CONSOLE);
    session
}

fn command(line: &str, time_cap: u32) -> Command {
    Command {
        line: line.into(),
        time_cap,
        output_cap: 1000,
        ..Command::default()
    }
}

#[test]
fn a_guest_that_does_not_come_up_is_a_verdict() {
    let direct = direct();
    let cases = [
        ("/usr/bin/sleep -- 100000", None, Some("timeout")),
        (
            "/usr/bin/yes -- Please enter passphrase for disk",
            Some("it asks for a passphrase"),
            None,
        ),
        (
            "/usr/bin/yes -- \x1b]52;c;evil\x07",
            Some("it printed too much"),
            None,
        ),
        ("/usr/bin/false", Some("the kernel panicked"), None),
        ("/usr/sbin/reboot -- -ff", None, None),
    ];
    for (init, trouble, state) in cases {
        let orders = Orders {
            boot_cap: if state.is_some() { 1 } else { 300 },
            ..Orders::default()
        };
        let session = boot(&direct, init, &orders);
        let log = session.console.log();
        assert_eq!(session.trouble.as_deref(), trouble, "{init}: {log}");
        let said = session.record.state.as_deref();
        assert_eq!(said, state.map(str::as_bytes), "{init}: {log}");
    }
}

/// A login prompt and no more: quick, and up as far as the tracer knows.
const PROMPT: &str = "/sbin/agetty -- --noclear ttyS0 115200 linux";

#[test]
fn commands_that_hang_flood_or_switch_off_are_bounded() {
    let orders = Orders {
        records: true,
        boot_cap: 300,
        commands: vec![
            command("sleep 100000", 1),
            command("exec head -c 100000 /dev/zero", 60),
            command("printf before; poweroff -ff", 60),
            command("true", 60),
        ],
        ..Orders::default()
    };
    let session = boot(&direct(), PROMPT, &orders);
    let log = session.console.log();
    assert_eq!(
        session.record.state.as_deref(),
        Some(&b"login"[..]),
        "{log}"
    );
    let commands = &session.record.commands;
    let ends: Vec<_> = commands.iter().map(|outcome| outcome.end).collect();
    assert_eq!(
        ends,
        [Some(End::TimedOut), Some(End::Code(0)), None],
        "{log}"
    );
    assert_eq!(commands[1].stdout.len(), 1000);
    assert_eq!(commands[2].stdout, b"before");
    assert_eq!(
        session.record.incomplete().as_deref(),
        Some("the machine ended before the record was sent")
    );
}

/// A kernel writes into its own code in the way of a busy process; QEMU before 8.1 lost such writes when it emulated each processor
/// by a thread of its own, and the kernel panicked or hung.
#[test]
fn a_kernel_that_writes_into_its_own_code_lives() {
    const WRITE: &str = r#"mount -t tracefs none /mnt && exec python3 -c '
import os, signal, time
if not (child := os.fork()):
    while True: os.stat("/usr/bin")
with open("/mnt/kprobe_events", "w") as probes: probes.write("p:own/code generic_permission")
end, rounds = time.monotonic() + 12, 0
while time.monotonic() < end or rounds < 50:
    rounds += 1
    for digit in "10":
        with open("/mnt/events/own/code/enable", "w") as switch: switch.write(digit)
os.kill(child, signal.SIGKILL)
print("done")'"#;
    let orders = Orders {
        boot_cap: 300,
        commands: vec![command(WRITE, 200)],
        ..Orders::default()
    };
    let session = boot(&direct(), PROMPT, &orders);
    let log = session.console.log();
    let outcome = session.record.commands.first().expect("it is up");
    assert_eq!(outcome.stdout, b"done\n", "{outcome:?} {log}");
    assert!(outcome.is_success());
}

#[test]
fn a_guest_that_fills_the_record_has_an_incomplete_trace() {
    const FILL: &str =
        "exec python3 -c 'for i in range(70000): open(f\"/run/{i}\", \"w\").close()'";
    let orders = Orders {
        records: true,
        boot_cap: 300,
        commands: vec![command(FILL, 200)],
        ..Orders::default()
    };
    let session = boot(&direct(), PROMPT, &orders);
    let outcome = &session.record.commands[0];
    assert!(outcome.is_success(), "{outcome:?}");
    let why = session
        .record
        .incomplete()
        .expect("more than the record holds");
    assert!(why.ends_with("events did not fit into the record"), "{why}");
}

#[test]
fn an_interrupted_trace_or_verification_leaves_nothing() {
    for verifies in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let temporary = tempfile::tempdir().unwrap();
        let target = std::path::absolute(guest("small").path()).unwrap();
        let [image, source] = ["image.qcow2", "source.qcow2"].map(|name| {
            let image = folder.path().join(name);
            std::os::unix::fs::symlink(&target, &image).unwrap();
            image
        });
        let source_text = source.to_str().unwrap();
        let (arguments, runs): (&[&str], &[&PathBuf]) = if verifies {
            (
                &["verify", "--quick", "--against", source_text],
                &[&image, &source],
            )
        } else {
            (&["trace"], &[&image])
        };
        let mut child = std::process::Command::new(guestslim().get_program())
            .args(arguments)
            .arg(&image)
            .args(["--accel", "tcg"])
            .env("TMPDIR", temporary.path())
            .spawn()
            .unwrap();
        while !runs.iter().all(|image| is_running_on("qemu-system", image)) {
            assert_eq!(child.try_wait().unwrap(), None);
        }
        let process = child.id().to_string();
        let mut kill = assert_cmd::Command::new("kill");
        kill.args(["-s", "INT", &process]).assert().success();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let left: Vec<_> = runs
            .iter()
            .filter(|image| is_running_on("", image))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
