//! Throw-away machines: real guests booted under QEMU.

use crate::built;
use guestslim::guest::image::Image;
use guestslim::job::{Cancel, Job};
use guestslim::vm::{Caps, VmError, Working, boot_by_loader};
use std::time::Duration;

/// A guest made by `assets/guest.sh`.
pub fn guest(name: &str) -> Image {
    Image::probe(&built::path(name), None).expect("assets/guest.sh makes the guests of the tests")
}

#[test]
fn a_guest_reaches_its_login_prompt_through_its_own_boot_loader() {
    let image = guest("small");
    let before = std::fs::metadata(image.path()).unwrap().modified().unwrap();
    let boot = boot_by_loader(&image, Working::Tcg, Caps::default(), &Job::quiet()).unwrap();
    let log = boot.console.log();
    assert_eq!(boot.verdict.as_deref(), Ok("login prompt"), "{log}");
    assert!(!log.contains('\x1b'), "{log}");
    let after = std::fs::metadata(image.path()).unwrap().modified().unwrap();
    assert_eq!(before, after);
}

#[test]
fn a_guest_that_takes_longer_than_its_time_is_a_verdict() {
    let caps = Caps {
        time: Duration::from_millis(300),
        ..Caps::default()
    };
    let boot = boot_by_loader(&guest("small"), Working::Tcg, caps, &Job::quiet()).unwrap();
    let why = boot.verdict.unwrap_err();
    assert!(
        why.starts_with("neither a login prompt nor a target"),
        "{why}"
    );
}

#[test]
fn a_console_that_prints_more_than_it_may_is_a_verdict() {
    let caps = Caps {
        console: 10,
        ..Caps::default()
    };
    let boot = boot_by_loader(&guest("small"), Working::Tcg, caps, &Job::quiet()).unwrap();
    assert_eq!(boot.verdict.unwrap_err(), "it flooded its console");
}

#[test]
fn a_cancelled_machine_leaves_no_process_behind() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("cancelled.qcow2");
    std::os::unix::fs::symlink(std::path::absolute(guest("small").path()).unwrap(), &name).unwrap();
    let image = Image::probe(&name, None).unwrap();
    let cancel = Cancel::default();
    let job = Job::quiet().with_cancel(cancel.clone());
    let runner =
        std::thread::spawn(move || boot_by_loader(&image, Working::Tcg, Caps::default(), &job));
    // Before the machine, another program looks at the disk's partitions.
    while !is_running_on("qemu-system", &name) {
        assert!(!runner.is_finished(), "{:?}", runner.join());
    }
    cancel.cancel();
    let ended = runner.join().unwrap();
    assert!(matches!(ended, Err(VmError::Cancelled(_))), "{ended:?}");
    assert!(!is_running_on("", &name));
}

/// Whether any process of this program has this file on its command line.
pub fn is_running_on(program: &str, image: &std::path::Path) -> bool {
    let has = |line: &[u8], what: &[u8]| line.windows(what.len().max(1)).any(|part| part == what);
    let name = image.as_os_str().as_encoded_bytes();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines
        .into_iter()
        .any(|line| has(&line, name) && (program.is_empty() || has(&line, program.as_bytes())))
}
