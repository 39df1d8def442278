//! Guests of every layout: exported in the ways that it allows, and booted by their own boot loader.

use crate::salt::{occurrences, to_raw};
use crate::vm_machine::guest;
use guestslim::export::{ExportError, ExportOptions, Report, Way, export, steps};
use guestslim::guest::image::Image;
use guestslim::guest::{Accel, OpenOptions, boots_only_by_uefi, open};
use guestslim::job::Job;
use guestslim::load::load;
use guestslim::model::text::escape;
use guestslim::plan::{Intent, Level, Mark, Selector, Wish};
use guestslim::session::Session;
use guestslim::vm::{Caps, Working, boot_by_loader};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// What the recipes leave in the free space of every disk but the small one's, and in swap areas.
const LEFT: [&str; 2] = ["of an earlier life of this disk", "swapped out once"];

/// What a layout's disk must look like, and how it is exported.
struct Layout {
    name: &'static str,
    /// Mount point and type of every file system.
    mounts: &'static [(&'static str, &'static str)],
    is_uefi: bool,
    /// The ways in which it is exported and booted here.
    ways: &'static [Way],
    /// The ways that are refused.
    refused: &'static [Way],
}

const LAYOUTS: [Layout; 6] = [
    Layout {
        name: "gpt-bios",
        mounts: &[("/", "ext4")],
        is_uefi: false,
        ways: &[Way::Shrink, Way::Repack],
        refused: &[],
    },
    Layout {
        name: "gpt-uefi",
        mounts: &[("/", "ext4"), ("/boot/efi", "vfat"), ("none", "swap")],
        is_uefi: true,
        ways: &[Way::InPlace, Way::Repack],
        refused: &[Way::Shrink],
    },
    Layout {
        name: "boot",
        mounts: &[("/", "ext4"), ("/boot", "ext4"), ("none", "swap")],
        is_uefi: false,
        ways: &[Way::InPlace, Way::Repack],
        refused: &[],
    },
    Layout {
        name: "xfs",
        mounts: &[("/", "xfs")],
        is_uefi: false,
        ways: &[Way::InPlace, Way::Repack],
        refused: &[Way::Shrink],
    },
    Layout {
        name: "lvm",
        mounts: &[("/", "ext4")],
        is_uefi: false,
        ways: &[Way::InPlace],
        refused: &[Way::Shrink, Way::Repack],
    },
    Layout {
        name: "btrfs",
        mounts: &[("/", "btrfs")],
        is_uefi: false,
        ways: &[Way::InPlace],
        refused: &[Way::Shrink, Way::Repack],
    },
];

fn open_options() -> OpenOptions {
    OpenOptions {
        accel: Accel::Tcg,
        ..OpenOptions::default()
    }
}

fn planned(source: &Image, layout: &Layout) -> Session {
    let job = Job::quiet();
    let mut opened = open(source.path(), &open_options(), &job).expect("it opens");
    let loaded = load(opened.as_mut(), &job).expect("it loads");
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
    Session::new(Arc::new(loaded), intent)
}

/// Exports a layout in each way that it allows. What the last way wrote boots, and what any wrote that moves something; in
/// place, the same files are on a disk of which the beginning is the source's.
fn export_and_boot(name: &str) {
    let layout = LAYOUTS.iter().find(|layout| layout.name == name);
    let layout = layout.expect("it is in the table");
    let source = guest(&format!("{name}.qcow2"));
    let session = planned(&source, layout);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let raw = folder.path().join("raw");
    to_raw(source.path(), &raw);
    assert!(occurrences(&raw, LEFT[0]) > 0);
    let has_swap = layout.mounts.iter().any(|(_, kind)| *kind == "swap");
    assert_eq!(occurrences(&raw, LEFT[1]) > 0, has_swap);
    let head = beginning(&raw);
    let options = |way: Way| ExportOptions {
        output: folder.path().join(way.name()),
        open: open_options(),
        way,
        ..ExportOptions::default()
    };
    let (loaded, plan) = (session.loaded(), session.plan());
    for way in layout.refused {
        let refused = steps(loaded, plan, &options(*way));
        assert!(matches!(refused, Err(ExportError::Way { .. })), "{way:?}");
    }
    for (at, way) in (1..).zip(layout.ways) {
        let options = options(*way);
        let report = export(source.path(), loaded, plan, &options, &Job::quiet());
        let report = report.expect("it exports");
        println!("{report:#?}");
        assert_sound(layout, &report);
        to_raw(&options.output, &raw);
        let left = LEFT.map(|text| occurrences(&raw, text));
        assert_eq!(left, [0; 2], "{way:?}");
        assert_eq!(beginning(&raw) == head, *way == Way::InPlace, "{way:?}");
        if *way != Way::InPlace || at == layout.ways.len() {
            assert_boots(layout, &options.output);
        }
    }
}

/// A disk's first MiB: boot code, partition table, and what GRUB has before the first partition.
fn beginning(disk: &Path) -> Vec<u8> {
    let mut head = vec![0; 1 << 20];
    let mut file = std::fs::File::open(disk).expect("it is there");
    file.read_exact(&mut head).expect("it is long enough");
    head
}

/// Every file system was checked, and nothing stays that should have gone.
fn assert_sound(layout: &Layout, report: &Report) {
    let read = (layout.mounts.iter()).filter(|(_, kind)| !matches!(*kind, "vfat" | "swap"));
    assert_eq!(report.checked.len(), read.count() + 1, "{report:#?}");
    let is_trouble = |warning: &&String| {
        let mut words = ["not checked", "stay", "may hold"].iter();
        words.any(|word| warning.contains(word))
    };
    let trouble: Vec<&String> = report.warnings.iter().filter(is_trouble).collect();
    // A new journal holds nothing; the old one may.
    let journals = layout.name == "boot" && report.way == "in-place";
    let expected = "/dev/sda1 journals contents (data=journal)";
    let is_expected = |warning: &&String| warning.starts_with(expected);
    assert_eq!(trouble.len(), usize::from(journals), "{report:#?}");
    assert!(trouble.iter().all(is_expected), "{report:#?}");
    let is_smaller = report.after.disk < report.before.disk;
    assert_eq!(is_smaller, report.way != "in-place", "{report:#?}");
}

fn assert_boots(layout: &Layout, output: &Path) {
    let job = Job::quiet();
    let output = Image::probe(output, None).expect("an image");
    let is_uefi = boots_only_by_uefi(&output, &job).expect("it can be read");
    assert_eq!(is_uefi, layout.is_uefi);
    let boot = boot_by_loader(&output, Working::Tcg, Caps::default(), &job).expect("QEMU runs");
    let log = boot.console.log();
    assert_eq!(boot.verdict.as_deref(), Ok("login prompt"), "{log}");
}

#[test]
fn a_gpt_disk_for_the_bios_boots_after_its_export() {
    export_and_boot("gpt-bios");
}

#[test]
fn a_gpt_disk_for_uefi_boots_after_its_export() {
    export_and_boot("gpt-uefi");
}

#[test]
fn a_separate_boot_partition_boots_after_its_export() {
    export_and_boot("boot");
}

#[test]
fn an_xfs_root_boots_after_its_export() {
    export_and_boot("xfs");
}

#[test]
fn a_root_on_lvm_boots_after_its_export() {
    export_and_boot("lvm");
}

#[test]
fn a_btrfs_root_boots_after_its_export() {
    export_and_boot("btrfs");
}
