//! The commands on a tiny guest.

use crate::command::{guestslim, run};
use crate::tiny;
use guestslim::export;
use guestslim::guest::{self, OpenOptions};
use guestslim::job::Job;
use guestslim::load;
use guestslim::model::Node;
use guestslim::plan::{Intent, Level, Wish};
use guestslim::profile::Profile;
use guestslim::session::{Edit, Session};
use std::fs;
use std::path::Path;
use std::sync::Arc;

const PROFILE: &str = r#"(
    version: 1,
    name: "tiny",
    marks: [keep(package("python3-numpy"), trimmed), drop(path("/opt/old"))],
)
"#;

struct Bench {
    guest: tempfile::TempDir,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            guest: tiny::guest(),
            folder: tempfile::tempdir().expect("a folder"),
        };
        bench.write("p.ron", PROFILE);
        bench
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("a plain path").to_owned()
    }

    fn guest(&self) -> &str {
        self.guest.path().to_str().expect("a plain path")
    }

    fn profile(&self) -> String {
        self.folder
            .path()
            .join("p.ron")
            .to_str()
            .expect("a plain path")
            .to_owned()
    }

    /// The text without what differs from run to run.
    fn settled(&self, text: &str) -> String {
        let text = text.replace(self.guest(), "GUEST");
        text.replace(self.folder.path().to_str().expect("a plain path"), "FOLDER")
    }
}

#[test]
fn inspect_shows_the_guest_and_its_odd_names_safely() {
    let bench = Bench::new();
    let ran = run(&["inspect", bench.guest()]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    insta::assert_snapshot!(bench.settled(&ran.out));
}

#[test]
fn plan_says_what_stays_and_what_goes() {
    let bench = Bench::new();
    let ran = run(&["plan", bench.guest(), "-p", &bench.profile(), "--all"]);
    assert_eq!(
        ran.code, 1,
        "it has no kernel, which is a warning: {}",
        ran.err
    );
    insta::assert_snapshot!(bench.settled(&ran.out));
}

#[test]
fn the_same_guest_and_profile_give_the_same_bytes() {
    let bench = Bench::new();
    let plan = || {
        run(&[
            "plan",
            bench.guest(),
            "-p",
            &bench.profile(),
            "--all",
            "--json",
        ])
        .out
    };
    let first = plan();
    assert!(first.contains("\"packages\""));
    assert_eq!(first, plan());
    // Another environment, another folder, and the profile as guestslim itself writes it.
    let shown = run(&["profile", "show", &bench.profile()]).out;
    let again = bench.write("again.ron", &shown);
    let output = guestslim()
        .args(["plan", bench.guest(), "-p", &again, "--all", "--json"])
        .current_dir("/")
        .env("TZ", "Pacific/Kiritimati")
        .env("LC_ALL", "C")
        .output()
        .expect("the binary runs");
    assert_eq!(String::from_utf8(output.stdout).expect("UTF-8"), first);
}

/// What the screen does: one edit after the other, some of them taken back.
#[test]
fn the_screens_way_and_the_headless_way_give_the_same_plan() {
    let bench = Bench::new();
    let job = Job::quiet();
    let mut guest =
        guest::open(bench.guest.path(), &OpenOptions::default(), &job).expect("it opens");
    let loaded = Arc::new(load::load(guest.as_mut(), &job).expect("it loads"));
    let mut session = Session::new(loaded, Intent::default());
    let numpy = Node::Package(
        session
            .inventory()
            .find_package("python3-numpy")
            .expect("there"),
    );
    let old = Node::File(session.inventory().tree.lookup(b"/opt/old").expect("there"));
    let numpy = session.selector_for(numpy);
    let old = session.selector_for(old);
    assert!(session.apply(Edit::Mark(old.clone(), Wish::Keep(Level::Whole))));
    assert!(session.undo());
    assert!(session.apply(Edit::Mark(numpy, Wish::Keep(Level::Trimmed))));
    assert!(session.apply(Edit::Mark(old, Wish::Drop)));
    assert!(session.undo() && session.redo());

    let saved = Profile::from_intent("tiny", session.intent(), session.inventory());
    let path = bench.write("saved.ron", &saved.to_ron());
    let headless = run(&["plan", bench.guest(), "-p", &path, "--json"]).out;
    let hash = export::plan_hash(session.loaded(), session.plan());
    assert!(headless.contains(&hash), "{hash}: {headless}");
    let by_hand = run(&["plan", bench.guest(), "-p", &bench.profile(), "--json"]).out;
    assert_eq!(headless, by_hand, "whoever wrote the profile");
    let again = Session::new(
        Arc::clone(session.loaded()),
        Profile::read(path.as_ref()).expect("read").intent(),
    );
    assert_eq!(again.plan(), session.plan());
}

#[test]
fn why_prints_a_chain_down_to_the_mark() {
    let bench = Bench::new();
    let why = |target: &str| {
        let ran = run(&["why", bench.guest(), "-p", &bench.profile(), target]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let table: String = [
        "libblas3",
        "/usr/lib/libblas.so.3",
        "/lib/libblas.so.3",
        "vim",
        "/opt/old/solver",
        "/usr/share/doc/numpy/guide.txt",
        "/home/sci/latin1-\\xe9.txt",
        "/home/sci/two\\x0alines.txt",
    ]
    .map(|target| format!("{target}\n{}\n", why(target)))
    .concat();
    insta::assert_snapshot!(table);
}

#[test]
fn every_command_speaks_json() {
    let bench = Bench::new();
    let (guest, profile) = (bench.guest(), bench.profile());
    for args in [
        &["inspect", guest, "--json"][..],
        &["plan", guest, "--json"],
        &["why", guest, "vim", "--json"],
        &["profile", "check", &profile, "--json"],
        &["profile", "check", &profile, guest, "--json"],
        &["profile", "show", &profile, "--json"],
        &["profile", "diff", &profile, &profile, "--json"],
    ] {
        let ran = run(args);
        assert!(ran.code < 2, "{args:?}: {}", ran.err);
        serde_json::from_str::<serde_json::Value>(&ran.out)
            .unwrap_or_else(|error| panic!("{args:?}: {error}"));
        assert_eq!(ran.err, "", "a pipe sees no progress");
    }
}

#[test]
fn drift_is_reported_and_strict_makes_it_fail() {
    let bench = Bench::new();
    let text = PROFILE.replace(
        "    marks:",
        "    made_on: (os: \"debian\", version: \"11\", packages: {\"vim\": \"1\", \"nano\": \"7\"}),\n    marks:",
    );
    let path = bench.write("old.ron", &text.replace("python3-numpy", "python3-nunpy"));
    let ran = run(&["profile", "check", &path, bench.guest()]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
    let strict = run(&["plan", bench.guest(), "-p", &path, "--strict"]);
    assert_eq!(strict.code, 2);
    assert!(
        strict.err.starts_with("error: ") && strict.err.contains("--strict allows none\nhint: "),
        "{}",
        strict.err
    );
}

#[test]
fn profiles_are_compared_by_what_matters() {
    let bench = Bench::new();
    let other = PROFILE
        .replace("trimmed", "whole")
        .replace("\"tiny\"", "\"other\"");
    let other = bench.write(
        "other.ron",
        &other.replace("    marks:", "    rules: {\"logs\": off},\n    marks:"),
    );
    let ran = run(&["profile", "diff", &bench.profile(), &other]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
    assert_eq!(run(&["profile", "diff", &other, &other]).code, 0);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let bench = Bench::new();
    let script = format!(
        "'{}' inspect '{}' --all | true; echo ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_guestslim"),
        bench.guest()
    );
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .output()
        .expect("bash runs");
    assert_eq!(
        (output.stdout.as_slice(), output.stderr.as_slice()),
        (&b"0\n"[..], &b""[..])
    );
}

#[test]
fn the_guest_is_the_same_afterwards() {
    let bench = Bench::new();
    let before = listing(bench.guest.path());
    run(&["inspect", bench.guest()]);
    run(&["plan", bench.guest(), "-p", &bench.profile()]);
    assert_eq!(listing(bench.guest.path()), before);
}

/// Every path with its size and time of change.
fn listing(root: &Path) -> Vec<String> {
    walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| {
            let entry = entry.expect("readable");
            let facts = entry.metadata().expect("readable");
            format!(
                "{} {} {:?}",
                entry.path().to_string_lossy(),
                facts.len(),
                facts.modified()
            )
        })
        .collect()
}
