//! Guests of every layout: exported in place, and booted by their own boot loader.

use crate::salt::{occurrences, to_raw};
use crate::vm_machine::guest;
use guestslim::export::{ExportOptions, export};
use guestslim::guest::image::Image;
use guestslim::guest::{Accel, OpenOptions, boots_only_by_uefi, open};
use guestslim::job::Job;
use guestslim::load::load;
use guestslim::model::text::escape;
use guestslim::plan::{Intent, Level, Mark, Selector, Wish};
use guestslim::session::Session;
use guestslim::vm::{Caps, Working, boot_by_loader};
use std::sync::Arc;

/// What the recipes leave in the free space of every disk but the small one's.
const EARLIER_LIFE: &str = "of an earlier life of this disk";

/// What a layout's disk must look like.
struct Layout {
    name: &'static str,
    /// Mount point and type of every file system.
    mounts: &'static [(&'static str, &'static str)],
    is_uefi: bool,
}

fn export_and_boot(layout: &Layout) {
    let source = guest(&format!("{}.qcow2", layout.name));
    let open_options = OpenOptions {
        accel: Accel::Tcg,
        ..OpenOptions::default()
    };
    let job = Job::quiet();
    let mut opened = open(source.path(), &open_options, &job).expect("it opens");
    let loaded = load(opened.as_mut(), &job).expect("it loads");
    drop(opened);
    let mounts: Vec<(String, &str)> = (loaded.inventory.mounts.iter())
        .map(|mount| (escape(&mount.at).into_owned(), &mount.file_system.kind[..]))
        .collect();
    let expected = layout.mounts.iter();
    let expected: Vec<_> = expected.map(|&(at, kind)| (at.to_owned(), kind)).collect();
    assert_eq!(mounts, expected);

    let intent = Intent {
        marks: vec![Mark {
            selector: Selector::Package("openssh-server".to_owned()),
            wish: Wish::Keep(Level::Trimmed),
        }],
        ..Intent::default()
    };
    let session = Session::new(Arc::new(loaded), intent);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = ExportOptions {
        output: folder.path().join("slim.qcow2"),
        open: open_options,
        ..ExportOptions::default()
    };
    let report = export(
        source.path(),
        session.loaded(),
        session.plan(),
        &options,
        &job,
    )
    .expect("it exports");
    println!("{report:#?}");
    let read = (layout.mounts.iter()).filter(|(_, kind)| *kind != "vfat");
    assert_eq!(report.checked.len(), read.count() + 1, "{report:#?}");
    let is_trouble = |warning: &String| {
        ["not checked", "stay"]
            .iter()
            .any(|word| warning.contains(word))
    };
    assert!(
        !report.warnings.iter().any(is_trouble),
        "{:?}",
        report.warnings
    );

    let raw = folder.path().join("slim.raw");
    to_raw(source.path(), &raw);
    assert!(occurrences(&raw, EARLIER_LIFE) > 0);
    to_raw(&options.output, &raw);
    assert_eq!(occurrences(&raw, EARLIER_LIFE), 0);

    let output = Image::probe(&options.output, None).expect("an image");
    let is_uefi = boots_only_by_uefi(&output, &job).expect("it can be read");
    assert_eq!(is_uefi, layout.is_uefi);
    let boot = boot_by_loader(&output, Working::Tcg, Caps::default(), &job).expect("QEMU runs");
    let log = boot.console.log();
    assert_eq!(boot.verdict.as_deref(), Ok("login prompt"), "{log}");
}

#[test]
fn a_gpt_disk_for_uefi_boots_after_its_export() {
    export_and_boot(&Layout {
        name: "gpt-uefi",
        mounts: &[("/", "ext4"), ("/boot/efi", "vfat")],
        is_uefi: true,
    });
}

#[test]
fn a_separate_boot_partition_boots_after_its_export() {
    export_and_boot(&Layout {
        name: "boot",
        mounts: &[("/", "ext4"), ("/boot", "ext4")],
        is_uefi: false,
    });
}

#[test]
fn an_xfs_root_boots_after_its_export() {
    export_and_boot(&Layout {
        name: "xfs",
        mounts: &[("/", "xfs")],
        is_uefi: false,
    });
}
