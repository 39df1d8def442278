//! The small guest's files as a tar archive: what the plan says is in it, nothing else, and it works.

use crate::built;
use crate::command::run;
use guestslim::export::Layout;
use guestslim::export::{Compression, OutputFormat, list};
use guestslim::job::Job;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

fn small() -> String {
    let path = built::small();
    path.to_str().expect("a plain path").to_owned()
}

#[test]
fn an_archive_holds_what_the_plan_says_and_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("root.tar");
    let path = output.to_str().expect("a plain path");
    let small = small();
    let ran = run(&[
        "replay",
        "profiles/ssh-floor.ron",
        &small,
        "-o",
        path,
        "--output-format",
        "tar",
        "--accel",
        "tcg",
        "--json",
    ]);
    assert!(ran.code < 2, "{}{}", ran.err, ran.out);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let rungs = report["verified"]["report"]["rungs"].as_array();
    for id in ["container", "manifest", "contents"] {
        let rung = rungs.and_then(|rungs| rungs.iter().find(|rung| rung["id"] == id));
        let verdict = rung.map(|rung| &rung["verdict"]);
        assert_eq!(verdict, Some(&Value::from("pass")), "{id}: {rung:?}");
    }
    runs_in_a_root_of_its_own(&output, folder.path());
    becomes_an_image(&output, folder.path());
}

/// Unpacks the archive and runs a program of the guest in it, where this user may do that.
fn runs_in_a_root_of_its_own(archive: &Path, folder: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let root = folder.join("root");
    fs::create_dir(&root).expect("writable");
    let unpacked = Command::new("tar")
        .args([
            "--extract",
            "--numeric-owner",
            "--xattrs",
            "--xattrs-include=*",
            "--acls",
        ])
        .arg("--file")
        .arg(archive)
        .arg("--directory")
        .arg(&root)
        .status();
    assert!(unpacked.expect("tar runs").success());
    let said = Command::new("chroot")
        .arg(&root)
        .args(["/usr/bin/dpkg-query", "--show", "openssh-server"])
        .output()
        .expect("chroot runs");
    let (out, err) = (&said.stdout, &said.stderr);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    );
    assert!(out.starts_with(b"openssh-server\t"), "{text}");
}

/// The same archive as a container image, which holds the same files.
fn becomes_an_image(archive: &Path, folder: &Path) {
    let job = Job::quiet();
    let entries = |path: &Path, format| {
        let listing = list(path, format, &job, &mut |_, _| Ok(())).expect("readable");
        (listing.entries, listing.tree.len())
    };
    let expected = entries(archive, OutputFormat::Tar);
    let image = folder.join("image");
    let layout = Layout {
        machine: ("amd64".to_owned(), None),
        compression: Compression::Zstd,
        created: None,
    };
    layout
        .write(archive, &image, &job, |_| ())
        .expect("written");
    assert_eq!(entries(&image, OutputFormat::Oci), expected);
}
