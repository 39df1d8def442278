//! The workflow's room: the source is read once, wishes win over the profile.

use crate::command;
use crate::tiny;
use guestslim::export::{Initramfs, OutputFormat, Way};
use guestslim::guest::OpenOptions;
use guestslim::job::Job;
use guestslim::profile::Profile;
use guestslim::replay::{Opened, Planned, Proof, Proved, Proving, Wishes, told};
use guestslim::verify::Verdict;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Everything stays as it is.
const ALL: &str = r#"(version: 1, name: "all", marks: [keep(package("*"), whole)], rules: {
    "documentation": off, "manuals": off, "translations": off, "development": off, "debug-symbols": off,
    "package-caches": off, "user-caches": off, "logs": off, "temporary": off,
})"#;

/// A job that counts how often a guest is loaded.
fn counting() -> (Job, Arc<AtomicUsize>) {
    let loads = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&loads);
    let job = Job::new(move |progress| {
        if progress.step == "reading files" {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    (job, loads)
}

/// The tiny guest as a disk.
fn disk(path: &Path) {
    let guest = tiny::guest();
    let made = command::program("mke2fs")
        .args(["-q", "-F", "-t", "ext4", "-d"])
        .args([guest.path(), path])
        .arg("32M")
        .output();
    assert!(made.expect("mke2fs is needed").status.success());
}

fn prove(image: &Path, profile: &Profile, opened: &mut Opened, job: &Job) -> Proved {
    let proof = Proof {
        image,
        open: OpenOptions::default(),
        profile: Some(profile),
        proving: Proving {
            boots: false,
            ..Proving::default()
        },
        initramfs: None,
    };
    proof.run(Some(opened), job).expect("it can be proved")
}

fn verdict<'a>(proved: &'a Proved, id: &str) -> &'a Verdict {
    let mut rungs = proved.report.rungs.iter();
    &rungs.find(|rung| rung.id == id).expect(id).verdict
}

#[test]
fn the_source_is_loaded_once_for_plan_and_proofs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, output) = (folder.path().join("source.raw"), folder.path().join("out"));
    disk(&source);
    fs::copy(&source, &output).expect("there is room");
    let profile = Profile::parse(ALL).expect("a profile");
    let (job, loads) = counting();
    let loads = || loads.load(Ordering::SeqCst);
    let mut opened =
        Opened::open_image(&source, &OpenOptions::default(), &job).expect("an ext4 disk");
    let planned = Planned::new(&opened, profile.clone());
    assert!(planned.session().plan().after.files > 0);
    assert_eq!(loads(), 1);
    let proved = prove(&output, &profile, &mut opened, &job);
    let verdict = |proved, id| verdict(proved, id).clone();
    let first = verdict(&proved, "contents");
    assert!(matches!(first, Verdict::Pass(_)), "{first:?}");
    assert_eq!(loads(), 2, "the output, once");
    // A source that was closed meanwhile is opened again, and not loaded again.
    opened.close();
    let proved = prove(&output, &profile, &mut opened, &job);
    assert_eq!(verdict(&proved, "contents"), first);
    assert_eq!(loads(), 3);
}

#[test]
fn a_proof_finds_other_bytes_and_a_folder_has_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, output) = (folder.path().join("source.raw"), folder.path().join("out"));
    disk(&source);
    let bytes = fs::read(&source).expect("it is there");
    let text = b"Vi IMproved - enhanced vi editor";
    let at = bytes.windows(text.len()).position(|part| part == text);
    let at = at.expect("the package database is on the disk");
    let mut other = bytes;
    other[at..at + 2].copy_from_slice(b"vI");
    fs::write(&output, other).expect("there is room");
    let profile = Profile::parse(ALL).expect("a profile");
    let job = Job::quiet();
    let options = OpenOptions::default();
    let mut opened = Opened::open_image(&source, &options, &job).expect("an ext4 disk");
    let proved = prove(&output, &profile, &mut opened, &job);
    assert!(proved.report.is_failed());
    assert_eq!(
        verdict(&proved, "contents"),
        &Verdict::Fail("1 files have other bytes".to_owned())
    );

    let guest = tiny::guest();
    let refused = Opened::open_image(guest.path(), &options, &job).err();
    let told = told(&refused.expect("a folder has no disk"));
    assert!(told.sentence.ends_with("is a folder and cannot be booted"));
    assert_eq!(told.hint.as_deref(), Some("give the disk image itself"));
    let mut planned = Opened::open(guest.path(), &options, &job).expect("a folder can be planned");
    assert!(planned.subject(&job).is_err());
}

#[test]
fn a_wish_wins_over_the_profile() {
    let profile =
        r#"(version: 1, name: "x", initramfs: rebuilt, output: (format: vdi, way: shrink))"#;
    let profile = Profile::parse(profile).expect("a profile");
    let options = Wishes::default().options(&profile);
    assert_eq!(options.output, Path::new("output.vdi"));
    assert_eq!(options.format, OutputFormat::Vdi);
    assert_eq!(options.way, Way::Shrink);
    assert_eq!(options.initramfs, Initramfs::Rebuilt(None));
    assert_eq!(options.profile.as_ref(), Some(&profile));
    let wishes = Wishes {
        output: Some("x".into()),
        format: Some(OutputFormat::Raw),
        way: Some(Way::Repack),
        ..Wishes::default()
    };
    let options = wishes.options(&profile);
    assert_eq!(options.output, Path::new("x"));
    assert_eq!(
        (options.format, options.way),
        (OutputFormat::Raw, Way::Repack)
    );
}
