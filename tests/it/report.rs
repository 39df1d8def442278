//! What lies beside an output: the report for people, the report for programs, the bill of materials.

use crate::steps::{guest_with, session};
use guestslim::export::{
    BESIDE, ExportOptions, FullReport, ImageSizes, PackageCounts, Report, StepTime, UpdateCost,
    Verified, plan_hash, steps,
};
use guestslim::model::text;
use guestslim::profile::Profile;
use guestslim::session::Session;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const MORE: &[(&str, &str)] = &[
    (
        "/opt/env/lib/python3.11/site-packages/Sci_Py-1.11.2+x.dist-info/METADATA",
        "Name: Sci_Py\n",
    ),
    (
        "/opt/other/lib/python3.11/site-packages/Sci_Py-1.11.2+x.dist-info/METADATA",
        "Name: Sci_Py\n",
    ),
    (
        "/opt/conda/conda-meta/zlib-1.3-h1_0.json",
        r#"{"name": "zlib", "version": "1.3", "files": ["lib/libz.so.1"]}"#,
    ),
    ("/opt/conda/conda-meta/history", ""),
    ("/opt/conda/lib/libz.so.1", ""),
    (
        "/usr/local/lib/R/site-library/MASS/DESCRIPTION",
        "Package: MASS\nVersion: 7.3-58.2\n",
    ),
    ("/usr/local/lib/R/site-library/MASS/Meta/package.rds", ""),
    (
        "/usr/local/lib/R/library/base/DESCRIPTION",
        "Package: base\nVersion: 4.3.1\nPriority: base\n",
    ),
    ("/usr/local/lib/R/library/base/Meta/package.rds", ""),
    (
        "/opt/spack/hdf5/.spack/spec.json",
        r#"{"spec": {"nodes": [{"name": "hdf5", "version": "1.14.3"}]}}"#,
    ),
    ("/opt/jdk-17/release", "JAVA_VERSION=\"17.0.9\"\n"),
    ("/opt/jdk-17/bin/java", ""),
    ("/opt/jdk-17/lib/server/libjvm.so", ""),
    ("/var/tmp/\u{1b}[31mred", "mine"),
];

fn sizes(file: u64, sizes: guestslim::plan::Sizes) -> ImageSizes {
    ImageSizes {
        file,
        disk: 4 << 30,
        used: None,
        files: sizes.files,
        apparent: sizes.apparent.0,
        allocated: 0,
    }
}

fn report(session: &Session) -> Report {
    let plan = session.plan();
    Report {
        guestslim: "0.1.0",
        source: "/images/full.qcow2".to_owned(),
        output: "/images/slim.qcow2".to_owned(),
        format: "qcow2",
        way: "in-place",
        guest: "Debian GNU/Linux 12 (bookworm) amd64".to_owned(),
        profile: Some("node".to_owned()),
        source_sha256: "5".repeat(64),
        source_chain: Vec::new(),
        confinement: vec!["landlock", "seccomp"],
        output_sha256: "0".repeat(64),
        plan_sha256: plan_hash(session.loaded(), plan),
        before: sizes(2_000_000_000, plan.before),
        after: sizes(300_000_000, plan.after),
        projected: 310_000_000,
        update: Some(UpdateCost {
            previous: "/images/last.qcow2".to_owned(),
            chunk: 65_536,
            chunks: 10_000,
            new_chunks: 1_200,
            new_bytes: 1_200 * 65_536,
        }),
        packages: PackageCounts::of(plan),
        removed_files: 12,
        removed_bytes: 4096,
        steps: vec![StepTime {
            step: "remove 12 files".to_owned(),
            seconds: 1.25,
        }],
        seconds: 33.3,
        checked: vec!["structure of the qcow2 image".to_owned()],
        warnings: vec!["freed space of /dev/sda1 stays in the output: no trim".to_owned()],
    }
}

/// The guest's session, and each file beside its output, by ending.
fn beside() -> (Session, BTreeMap<&'static str, String>) {
    let (_folder, loaded) = guest_with(MORE);
    let session = session(loaded);
    let report = report(&session);
    let options = ExportOptions {
        profile: Some(Profile {
            intent: session.intent().clone(),
            ..Profile::default()
        }),
        ..ExportOptions::default()
    };
    let verified = Verified::not_checked("--no-verify");
    let (loaded, plan) = (session.loaded(), session.plan());
    let full = FullReport::new(&report, &verified, loaded, plan, &options).expect("an image");
    let written = BESIDE
        .iter()
        .map(|file| {
            let mut bytes = Vec::new();
            file.write(&full, &mut bytes)
                .expect("memory takes every write");
            (file.ending, String::from_utf8(bytes).expect("text"))
        })
        .collect();
    (session, written)
}

fn json(files: &BTreeMap<&str, String>, ending: &str) -> Value {
    serde_json::from_str(&files[ending]).expect("JSON")
}

#[test]
fn the_report_for_people_is_a_page_and_lists() {
    let (session, files) = beside();
    let text = &files[".report.txt"];
    assert!(!text.contains('\u{1b}'), "{text}");
    let text = text.replace(
        &plan_hash(session.loaded(), session.plan()),
        "(the plan's hash)",
    );
    insta::assert_snapshot!("page", text);
}

#[test]
fn every_removed_path_is_in_the_report_with_its_reason() {
    let (session, files) = beside();
    let json = json(&files, ".report.json");
    let steps = steps(session.loaded(), session.plan(), &ExportOptions::default());
    let mut expected = BTreeSet::new();
    let mut freed = 0;
    for step in steps.expect("an image") {
        if let Some(removal) = step.kind.removal() {
            freed += removal.freed.0;
            let paths = removal.files.iter().chain(&removal.folders);
            expected.extend(paths.map(|path| text::escape(path).into_owned()));
        }
    }
    let removed = json["removed"].as_array().expect("a list");
    let paths: BTreeSet<String> = removed
        .iter()
        .map(|line| line["path"].as_str().expect("a path").to_owned())
        .collect();
    assert_eq!(paths, expected);
    assert!(paths.contains("/var/tmp/\\x1b[31mred"), "{paths:?}");
    let total = |lines: &[Value]| -> u64 { lines.iter().filter_map(|l| l["freed"].as_u64()).sum() };
    assert_eq!(total(removed), freed);
    assert_eq!(
        total(json["removed_by_reason"].as_array().expect("a list")),
        freed
    );
    let reason = |path: &str| {
        let line = removed.iter().find(|line| line["path"] == path);
        line.expect("it goes")["reason"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    let expected = [
        ("/usr/sbin/cron", "with its package cron"),
        ("/var/lib/dpkg/info/cron.list", "record of cron, which goes"),
        (
            "/usr/share/doc/base/guide",
            "rule documentation, documentation, but for copyright files",
        ),
        (
            "/etc/systemd/system/multi-user.target.wants/cron.service",
            "with /lib/systemd/system/cron.service",
        ),
    ];
    for (path, because) in expected {
        assert_eq!(reason(path), because);
    }
}

#[test]
fn the_bill_of_materials_is_whole_valid_and_the_same_each_time() {
    let (session, files) = beside();
    assert_eq!(files[".cdx.json"], beside().1[".cdx.json"]);
    let bom = json(&files, ".cdx.json");
    assert_eq!(
        (&bom["bomFormat"], &bom["specVersion"]),
        (&"CycloneDX".into(), &"1.5".into())
    );
    assert_eq!(bom["version"], 1);
    let serial = bom["serialNumber"]
        .as_str()
        .expect("text")
        .strip_prefix("urn:uuid:");
    let groups: Vec<usize> = serial.expect("a UUID").split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12]);
    let kinds = ["application", "library", "operating-system", "file"];
    let components = bom["components"].as_array().expect("a list");
    let others = [
        &bom["metadata"]["component"],
        &bom["metadata"]["tools"]["components"][0],
    ];
    let mut references = BTreeSet::new();
    for component in components.iter().chain(others) {
        assert!(
            kinds.iter().any(|kind| component["type"] == *kind),
            "{component}"
        );
        assert!(
            component["name"]
                .as_str()
                .is_some_and(|name| !name.is_empty())
        );
        let reference = component["bom-ref"].as_str().expect("a reference");
        assert!(references.insert(reference), "{reference} is there twice");
    }
    let purls: Vec<&str> = components
        .iter()
        .filter_map(|component| component["purl"].as_str())
        .collect();
    assert_eq!(
        purls,
        [
            "pkg:deb/debian/base@1?arch=amd64&distro=debian-12",
            "pkg:deb/debian/nano@7?arch=amd64&distro=debian-12",
            "pkg:conda/zlib@1.3",
            "pkg:pypi/sci-py@1.11.2%2Bx",
            "pkg:pypi/sci-py@1.11.2%2Bx",
            "pkg:cran/MASS@7.3-58.2",
        ]
    );
    let in_no_index: BTreeSet<(&str, &str)> = components
        .iter()
        .filter(|component| component["type"] == "library" && component["purl"].is_null())
        .filter_map(|component| Some((component["name"].as_str()?, component["version"].as_str()?)))
        .collect();
    let expected = [("base", "4.3.1"), ("hdf5", "1.14.3"), ("jdk-17", "17.0.9")];
    assert_eq!(in_no_index, expected.into());
    let kept = session.inventory().package_ids();
    let kept = kept.filter(|&id| session.plan().keeps_package(id)).count();
    assert_eq!(
        purls
            .iter()
            .filter(|purl| purl.starts_with("pkg:deb/"))
            .count(),
        kept
    );
}
