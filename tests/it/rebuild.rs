//! The initramfs that a guest makes anew: who can be asked, what the steps say, what the screen and the command line say.

use crate::command::run;
use crate::picture::draw;
use crate::tiny;
use guestslim::export::{ExportError, ExportOptions, Initramfs, OutputFormat, Step, steps};
use guestslim::load::Loaded;
use guestslim::plan::Intent;
use guestslim::rebuild::check;
use guestslim::session::Session;
use std::sync::Arc;

const INITRAMFS: &str = "/boot/initrd.img-6.1 500\n";

fn guest(files: &str) -> Loaded {
    let mut loaded = draw(&format!("base!\n{INITRAMFS}{files}"));
    let boot = loaded.inventory.tree.lookup(b"/boot/initrd.img-6.1");
    loaded.inventory.boot.initramfs = boot;
    "qcow2".clone_into(&mut loaded.inventory.origin.format);
    loaded
}

#[test]
fn only_a_guest_with_initramfs_tools_is_asked() {
    let why = |loaded: &Loaded| check(&loaded.inventory).map_err(|error| error.to_string());
    let mut able = guest("/usr/sbin/mkinitramfs 9\n");
    assert_eq!(why(&able), Ok(()));
    able.inventory.boot.initramfs = None;
    for (loaded, word) in [
        (able, "no initramfs"),
        (guest("/usr/bin/dracut 9\n"), "dracut"),
        (guest("/usr/bin/true 9\n"), "no initramfs-tools"),
    ] {
        let said = why(&loaded).expect_err("it cannot");
        assert!(said.contains(word), "{said}");
    }
}

fn steps_of(
    loaded: Loaded,
    format: OutputFormat,
    bytes: Option<&[u8]>,
) -> Result<Vec<Step>, ExportError> {
    let session = Session::new(Arc::new(loaded), Intent::default());
    let options = ExportOptions {
        output: "slim".into(),
        format,
        initramfs: Initramfs::Rebuilt(bytes.map(Arc::from)),
        ..ExportOptions::default()
    };
    steps(session.loaded(), session.plan(), &options)
}

#[test]
fn the_step_names_the_file_and_an_archive_has_none() {
    let line = |format, bytes| {
        let steps = steps_of(guest(""), format, bytes).expect("an image");
        let step = steps.iter().find(|step| step.heading.contains("initramfs"));
        step.map(Step::to_string)
    };
    let heading = "write the initramfs that the guest's own tools made\n    /boot/initrd.img-6.1";
    let what = "with only the drivers that its disks need";
    assert_eq!(
        line(OutputFormat::Qcow2, None),
        Some(format!("{heading} (made in a throw-away machine): {what}"))
    );
    assert_eq!(
        line(OutputFormat::Raw, Some(b"1234")),
        Some(format!("{heading} (rewritten, 4 B): {what}"))
    );
    assert_eq!(line(OutputFormat::Tar, None), None);
    let mut none = guest("");
    none.inventory.boot.initramfs = None;
    let error = steps_of(none, OutputFormat::Qcow2, None).expect_err("there is none");
    assert!(error.is_unsupported());
}

#[test]
fn a_dry_run_says_why_it_cannot_be_made_anew() {
    let (guest, folder) = (tiny::guest(), tempfile::tempdir().expect("a folder"));
    let profile = folder.path().join("p.ron");
    let text = "(version: 1, name: \"x\", initramfs: rebuilt)";
    std::fs::write(&profile, text).expect("a file");
    let ran = run(&[
        "replay",
        profile.to_str().expect("plain"),
        guest.path().to_str().expect("plain"),
        "--dry-run",
    ]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(
        ran.err.contains("the default boot entry has no initramfs"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("hint: leave `initramfs: rebuilt` out"),
        "{}",
        ran.err
    );
}
