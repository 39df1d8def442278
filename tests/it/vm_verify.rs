//! The ladder's rungs on real images: each kind of damage is found by its own rung.

use crate::command::run;
use crate::vm_machine::guest;
use guestslim::guest::libguestfs::{Accel, Access, Appliance, Drive};
use guestslim::job::Job;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Everything stays as it is.
const ALL: &str = r#"(version: 1, name: "all", marks: [keep(package("*"), whole)], rules: {
    "documentation": off, "manuals": off, "translations": off, "development": off, "debug-symbols": off,
    "package-caches": off, "user-caches": off, "logs": off, "temporary": off,
})"#;

const ZONE: &[u8] = b"/usr/share/zoneinfo/Europe/Berlin";
const STATUS: &[u8] = b"/var/lib/dpkg/status";

/// Replaces bytes of a file by as many others.
fn patch(appliance: &Appliance, folder: &Path, path: &[u8], edit: impl Fn(Vec<u8>) -> Vec<u8>) {
    let host = folder.join("file");
    appliance.download(path, &host).expect("it is there");
    let bytes = fs::read(&host).expect("readable");
    let edited = edit(bytes.clone());
    assert_ne!(edited, bytes, "{}", String::from_utf8_lossy(path));
    appliance.write(path, &edited).expect("it writes");
}

fn without_zlib(status: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(status.to_vec()).expect("text");
    let stanzas = text.split_inclusive("\n\n");
    let kept = stanzas.filter(|stanza| !stanza.starts_with("Package: zlib1g\n"));
    kept.collect::<String>().into_bytes()
}

fn damage(image: &Path, folder: &Path) {
    let drive = Drive {
        path: image,
        format: "qcow2",
        access: Access::Write,
    };
    let job = Job::quiet();
    let appliance = Appliance::launch(&[drive], Accel::Tcg, &job).expect("it starts");
    appliance
        .mount_guest(Access::Write, &job)
        .expect("it mounts");
    patch(&appliance, folder, ZONE, |mut bytes| {
        bytes[60] ^= 1;
        bytes
    });
    patch(&appliance, folder, STATUS, |bytes| without_zlib(&bytes));
    for path in [
        &b"/usr/bin/perl"[..],
        b"/usr/lib/x86_64-linux-gnu/libz.so.1.2.13",
    ] {
        appliance.remove(path).expect("it was there");
    }
    appliance
        .write(b"/etc/evil\x1b[2J", b"x")
        .expect("it writes");
    appliance.unmount_all().expect("it unmounts");
    appliance.shutdown().expect("it stops");
}

#[test]
fn each_kind_of_damage_fails_its_own_rung() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = guest("small.qcow2")
        .path()
        .to_str()
        .expect("plain")
        .to_owned();
    let image = folder.path().join("damaged.qcow2");
    fs::copy(&source, &image).expect("there is room");
    damage(&image, folder.path());
    let profile = folder.path().join("all.ron");
    fs::write(&profile, ALL).expect("there is room");
    let (image, profile) = (
        image.to_str().expect("plain"),
        profile.to_str().expect("plain"),
    );
    let ran = run(&[
        "verify",
        image,
        "-p",
        profile,
        "--against",
        &source,
        "--no-boot",
        "--json",
    ]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let expected = [
        ("manifest", "/etc/evil\\x1b[2J: nobody put it there"),
        ("manifest", "/usr/bin/perl: it is missing"),
        ("contents", "/usr/share/zoneinfo/Europe/Berlin"),
        ("packages", "needs zlib1g"),
        ("libraries", "needs libz.so.1"),
        ("scripts", "needs /usr/bin/perl"),
        ("links", "/usr/lib/x86_64-linux-gnu/libz.so.1 needs"),
    ];
    let rungs = report["rungs"].as_array().expect("a list");
    for (id, text) in expected {
        let rung = rungs.iter().find(|rung| rung["id"] == id).expect(id);
        assert_eq!(rung["verdict"], "fail", "{rung}");
        let details = rung["details"].as_array().expect("a list");
        let has = |line: &Value| line.as_str().is_some_and(|line| line.contains(text));
        assert!(details.iter().any(has), "{id} does not say {text}: {rung}");
    }
    let container = rungs.iter().find(|rung| rung["id"] == "container");
    assert_eq!(
        container.map(|rung| &rung["verdict"]),
        Some(&Value::from("pass"))
    );
}
