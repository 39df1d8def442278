//! The bundled profiles on real guests: replayed, booted, and their checks run.

use crate::built;
use crate::command::run;
use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::load;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn guest(name: &str) -> String {
    let path = built::path(name);
    path.to_str().expect("a plain path").to_owned()
}

/// Replays a profile; the output boots, every check passes, and it is this much smaller.
fn replay(profile: &str, image: &str, accel: &str, percent: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("out.qcow2");
    let profile = format!("profiles/{profile}.ron");
    replay_to(&output, &profile, image, accel, percent);
}

fn replay_to(output: &Path, profile: &str, image: &str, accel: &str, percent: u64) {
    let image = guest(image);
    let ran = run(&[
        "replay",
        profile,
        &image,
        "-o",
        output.to_str().expect("plain"),
        "--json",
        "--accel",
        accel,
    ]);
    assert!(ran.code < 2, "{}{}", ran.err, ran.out);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let rungs = report["verified"]["report"]["rungs"]
        .as_array()
        .expect("it was verified");
    for id in [
        "manifest",
        "contents",
        "boot",
        "units",
        "package_manager",
        "checks",
    ] {
        let rung = rungs.iter().find(|rung| rung["id"] == id);
        assert_eq!(
            rung.map(|rung| &rung["verdict"]),
            Some(&Value::from("pass")),
            "{id}: {rung:?}"
        );
    }
    let size = |path: &str| fs::metadata(path).expect("it is there").len();
    let (before, after) = (size(&image), size(output.to_str().expect("plain")));
    assert!(after * 100 < before * percent, "{after} of {before}");
    let is_same = report["plan"]["plan_sha256"] == report["export"]["plan_sha256"];
    assert!(is_same, "what was planned is what was exported");
}

/// Length of the default boot entry's initramfs.
fn initramfs(image: &Path) -> u64 {
    let job = Job::quiet();
    let mut guest = open(image, &OpenOptions::default(), &job).expect("it opens");
    let inventory = load(guest.as_mut(), &job).expect("it loads").inventory;
    inventory
        .tree
        .size(inventory.boot.initramfs.expect("it has one"))
}

/// The bytes that the guest's tools made are in the output (`contents`), and it boots with them.
#[test]
fn the_floor_boots_with_an_initramfs_made_anew_and_lets_people_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string("profiles/ssh-floor.ron").expect("it is there");
    let text = text.replace(
        "    checks: [",
        "    initramfs: rebuilt,\n    hypervisors: [\"kvm\"],\n    checks: [",
    );
    let (profile, output) = (folder.path().join("p.ron"), folder.path().join("out.qcow2"));
    fs::write(&profile, text).expect("a file");
    let profile = profile.to_str().expect("plain");
    replay_to(&output, profile, "small.qcow2", "tcg", 30);
    let (before, after) = (initramfs(guest("small").as_ref()), initramfs(&output));
    assert!(after * 3 < before * 2, "{after} of {before}");
}

#[test]
fn the_python_node_computes() {
    // KVM, where it works; the others save the time of finding out.
    replay("numeric-python", "demo.qcow2", "auto", 20);
}

#[test]
fn the_r_node_computes() {
    replay("r-node", "demo.qcow2", "tcg", 20);
}
