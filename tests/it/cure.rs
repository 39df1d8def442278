//! From missing files to marks, on a tiny guest.

use crate::tiny;
use guestslim::cure::{Cure, Lack, prescribe};
use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::{Loaded, load};
use guestslim::model::FileId;
use guestslim::plan::{Selector, Wish};
use guestslim::profile::{Profile, mark_text};
use guestslim::session::Session;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;

const PROFILE: &str = r#"// Mine.
(
    version: 1,
    name: "x",
    marks: [
        keep(package("python3-numpy"), hollowed),
        drop(path("/opt")),
        keep(path("/home/sci/*.txt")),
        drop(path("/home")),
    ],
)"#;

fn loaded() -> Arc<Loaded> {
    let guest = tiny::guest();
    // What a rule takes although the file that it leads to stays.
    let log = guest.path().join("var/log");
    fs::create_dir_all(&log).expect("a folder");
    symlink("../../usr/share/doc/numpy/guide.txt", log.join("README")).expect("a symlink");
    let job = Job::quiet();
    let mut guest = open(guest.path(), &OpenOptions::default(), &job).expect("it opens");
    Arc::new(load(guest.as_mut(), &job).expect("it loads"))
}

fn files(loaded: &Loaded, paths: &[&[u8]]) -> Vec<FileId> {
    let file = |path: &&[u8]| loaded.inventory.tree.lookup(path).expect("it is there");
    paths.iter().map(file).collect()
}

fn marks(lacks: &[Lack]) -> Vec<String> {
    let marks = lacks
        .iter()
        .flat_map(|lack| lack.remedy.marks.iter().map(mark_text));
    marks.collect()
}

#[test]
fn the_mark_is_on_the_package_where_that_is_not_much_dearer_else_on_the_path() {
    let loaded = loaded();
    let intent = Profile::parse(PROFILE).expect("a profile").intent();
    let cases: [(&[&[u8]], &[&str]); 6] = [
        (
            &[b"/usr/bin/vim.basic"],
            &[r#"keep(package("vim"), trimmed)"#],
        ),
        (
            &[b"/usr/lib/numpy/core.py"],
            &[r#"keep(package("python3-numpy"), trimmed)"#],
        ),
        // A rule takes it from the package, so that a mark on the package does not help.
        (
            &[b"/usr/share/doc/numpy/guide.txt"],
            &[r#"keep(path("/usr/share/doc/numpy/guide.txt"), whole)"#],
        ),
        (
            &[b"/opt/old/solver"],
            &[r#"keep(path("/opt/old/solver"), whole)"#],
        ),
        (
            &[b"/home/sci/red-\x1b[31m.txt", b"/home/sci/latin1-\xe9.txt"],
            &[
                r#"keep(path("/home/sci/red-\\x1b[[]31m.txt"), whole)"#,
                r#"keep(path("/home/sci/latin1-\\xe9.txt"), whole)"#,
            ],
        ),
        // Nothing is to be done for what stays anyhow.
        (&[b"/usr/lib/os-release"], &[]),
    ];
    for (missing, expected) in cases {
        let lacks = prescribe(&loaded, &intent, &files(&loaded, missing));
        assert_eq!(marks(&lacks), expected, "{missing:?}");
        assert_eq!(lacks.iter().any(|lack| lack.adds > 0), !expected.is_empty());
    }
}

#[test]
fn a_healed_profile_keeps_what_was_missing_and_all_that_it_said_before() {
    let loaded = loaded();
    let profile = Profile::parse(PROFILE).expect("a profile");
    let missing = files(
        &loaded,
        &[
            b"/usr/lib/numpy/core.py",
            b"/opt/old/solver",
            b"/home/sci/two\nlines.txt",
        ],
    );
    let cure = Cure {
        lost: vec!["python3 x".to_owned()],
        incomplete: None,
        lacks: prescribe(&loaded, &profile.intent(), &missing),
        adds: 49_152,
    };
    let healed = Profile::parse(&cure.applied_to(&profile).to_ron()).expect("it can be read again");
    let marks: Vec<String> = healed.intent.marks.iter().map(mark_text).collect();
    insta::assert_snapshot!(
        "healed",
        format!("{}\n\n{}", healed.comment, marks.join("\n"))
    );
    let plan = |profile: &Profile| Session::new(Arc::clone(&loaded), profile.intent());
    let keeps = |session: &Session| {
        let keeps = |&file: &FileId| session.plan().keeps_file(file);
        missing.iter().map(keeps).collect::<Vec<_>>()
    };
    assert_eq!(keeps(&plan(&profile)), [false; 3]);
    assert_eq!(keeps(&plan(&healed)), [true; 3]);
    insta::assert_snapshot!("cure", cure.text());
}

#[test]
fn where_a_trace_is_a_packages_files_go_into_it_unless_a_mark_is_in_the_way() {
    let loaded = loaded();
    let mut profile = Profile::parse(PROFILE).expect("a profile");
    profile.intent.trace = vec!["/usr/bin/dash".to_owned()];
    let numpy: &[u8] = b"/usr/lib/numpy/core.py";
    let missing = files(&loaded, &[numpy, b"/usr/bin/vim.basic", b"/opt/old/solver"]);
    let heal = |profile: &Profile| {
        let cure = Cure {
            lost: vec!["unit x.service".to_owned()],
            incomplete: None,
            lacks: prescribe(&loaded, &profile.intent(), &missing),
            adds: 49_152,
        };
        let healed = cure.applied_to(profile);
        let session = Session::new(Arc::clone(&loaded), healed.intent());
        let keeps = |&file: &FileId| session.plan().keeps_file(file);
        assert!(missing.iter().all(keeps));
        (cure, healed)
    };
    let (cure, healed) = heal(&profile);
    let trace = [
        "/usr/bin/dash",
        "/usr/bin/vim.basic",
        "/usr/lib/numpy/core.py",
    ];
    assert_eq!(healed.intent.trace, trace);
    assert_eq!(
        marks(&cure.lacks),
        [r#"keep(path("/opt/old/solver"), whole)"#]
    );
    insta::assert_snapshot!("traced", format!("{}\n{}", healed.comment, cure.text()));
    // A package that is dropped comes back by a mark: a trace that contradicts a mark would be a finding for ever.
    profile
        .intent
        .mark(Selector::Package("vim".to_owned()), Wish::Drop);
    let (cure, healed) = heal(&profile);
    assert_eq!(
        healed.intent.trace,
        ["/usr/bin/dash", "/usr/lib/numpy/core.py"]
    );
    assert!(marks(&cure.lacks).contains(&r#"keep(package("vim"), trimmed)"#.to_owned()));
}

#[test]
fn a_link_that_does_not_come_back_with_its_target_is_named_too() {
    let loaded = loaded();
    let mut profile = Profile::parse(PROFILE).expect("a profile");
    profile.intent.trace = vec!["/usr/bin/dash".to_owned()];
    let paths: [&[u8]; 2] = [b"/usr/share/doc/numpy/guide.txt", b"/var/log/README"];
    let lacks = prescribe(&loaded, &profile.intent(), &files(&loaded, &paths));
    assert_eq!(marks(&lacks), [""; 0]);
    assert_eq!(
        lacks[0].remedy.trace,
        ["/usr/share/doc/numpy/guide.txt", "/var/log/README"]
    );
}
