//! The ladder's rungs on real images: each kind of damage is found by its own rung.

use crate::command::run;
use crate::vm_guest::writable;
use crate::vm_machine::guest;
use guestslim::guest::libguestfs::Appliance;
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
const PAM: &[u8] = b"/usr/lib/x86_64-linux-gnu/libpam.so.0.85.1";
const PING: &[u8] = b"/usr/bin/ping";

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

/// Another version of a library: its symbols have other versions.
fn of_other_version(library: &[u8]) -> Vec<u8> {
    const OLD: &[u8] = b"\0LIBPAM_1.0\0";
    let mut bytes = library.to_vec();
    let places = library.windows(OLD.len()).enumerate();
    for (at, _) in places.filter(|(_, window)| *window == OLD) {
        bytes[at + 8] = b'9';
    }
    bytes
}

/// Does something to the files of an image.
fn change(image: &Path, change: impl FnOnce(&Appliance)) {
    let (appliance, _) = writable(image);
    change(&appliance);
    appliance.unmount_all().expect("it unmounts");
    appliance.shutdown().expect("it stops");
}

fn damage(appliance: &Appliance, folder: &Path) {
    patch(appliance, folder, ZONE, |mut bytes| {
        bytes[60] ^= 1;
        bytes
    });
    patch(appliance, folder, PAM, |bytes| of_other_version(&bytes));
    // Writing takes a program's capabilities away.
    patch(appliance, folder, PING, |mut bytes| {
        bytes.push(0);
        bytes
    });
    patch(appliance, folder, STATUS, |bytes| without_zlib(&bytes));
    for path in [
        &b"/usr/bin/perl"[..],
        b"/usr/bin/perlthanks",
        b"/usr/lib/systemd/systemd-journald",
        b"/usr/lib/x86_64-linux-gnu/libz.so.1.2.13",
        b"/usr/lib/python3/dist-packages/numpy/linalg/linalg.py",
    ] {
        appliance.remove(path).expect("it was there");
    }
    for path in [&b"/etc/evil\x1b[2J"[..], b"/usr/bin/perlthanks"] {
        appliance.write(path, b"x").expect("it writes");
    }
}

/// A copy of the small guest in a folder, changed.
fn changed(folder: &Path, by: impl FnOnce(&Appliance)) -> (String, String) {
    let source = guest("small");
    let image = folder.join("damaged.qcow2");
    fs::copy(source.path(), &image).expect("there is room");
    change(&image, by);
    let text = |path: &Path| path.to_str().expect("plain").to_owned();
    (text(source.path()), text(&image))
}

/// The failed verification of a changed image against its source, under a profile that keeps all.
fn failed(folder: &Path, (source, image): &(String, String), how: &[&str]) -> Value {
    let profile = folder.join("all.ron");
    fs::write(&profile, ALL).expect("there is room");
    let profile = profile.to_str().expect("plain");
    let what = [
        "verify",
        image,
        "-p",
        profile,
        "--against",
        source,
        "--json",
    ];
    let ran = run(&[&what[..], how].concat());
    assert_eq!(ran.code, 4, "{}", ran.err);
    serde_json::from_str(&ran.out).expect("JSON")
}

fn rung<'a>(report: &'a Value, id: &str) -> &'a Value {
    let rungs = report["rungs"].as_array().expect("a list");
    rungs.iter().find(|rung| rung["id"] == id).expect(id)
}

#[test]
fn each_kind_of_damage_fails_its_own_rung() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = changed(folder.path(), |appliance| damage(appliance, folder.path()));
    let report = failed(folder.path(), &images, &["--no-boot"]);
    let expected = [
        ("manifest", "/etc/evil\\x1b[2J: nobody put it there"),
        ("manifest", "/usr/bin/perl: it is missing"),
        (
            "manifest",
            "/usr/bin/perlthanks: it is no hard link any more",
        ),
        ("contents", "/usr/share/zoneinfo/Europe/Berlin"),
        ("attributes", "/usr/bin/ping: security.capability differs"),
        ("packages", "needs zlib1g"),
        ("libraries", "needs libz.so.1"),
        ("symbol_versions", "needs libpam.so.0 (LIBPAM_1.0)"),
        ("scripts", "needs /usr/bin/perl"),
        ("unit_files", "needs /lib/systemd/systemd-journald"),
        (
            "languages",
            "needs /usr/lib/python3/dist-packages/numpy/linalg/linalg.py",
        ),
        ("links", "/usr/lib/x86_64-linux-gnu/libz.so.1 needs"),
    ];
    for (id, text) in expected {
        let rung = rung(&report, id);
        assert_eq!(rung["verdict"], "fail", "{rung}");
        let details = rung["details"].as_array().expect("a list");
        let has = |line: &Value| line.as_str().is_some_and(|line| line.contains(text));
        assert!(details.iter().any(has), "{id} does not say {text}: {rung}");
    }
    assert_eq!(rung(&report, "container")["verdict"], "pass");
}

/// Init starts with a library that is not there: the kernel panics before anything of the guest runs.
#[test]
fn an_image_that_does_not_boot_is_told_what_it_lacks() {
    const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so";
    let folder = tempfile::tempdir().expect("a folder");
    let images = changed(folder.path(), |appliance| {
        appliance.remove(LIBRARY.as_bytes()).expect("it was there");
    });
    let report = failed(folder.path(), &images, &["--quick", "--accel", "tcg"]);
    assert_eq!(rung(&report, "boot")["verdict"], "fail", "{report}");
    assert_eq!(report["lost"]["boot"], true);
    let cure = &report["cure"];
    assert_eq!(cure["lost"], serde_json::json!(["the boot"]), "{report}");
    assert_eq!(cure["incomplete"], Value::Null);
    let lacks = cure["lacks"].as_array().expect("a list");
    let paths: Vec<&Value> = lacks.iter().map(|lack| &lack["paths"]).collect();
    assert_eq!(paths, [&serde_json::json!([LIBRARY])], "{cure}");
    assert_eq!(lacks[0]["component"], "libsystemd-shared");
}
