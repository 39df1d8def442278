//! Traces of real guests.

use crate::command::run as guestslim;
use crate::vm_machine::guest;
use guestslim::guest::{Accel, OpenOptions};
use guestslim::job::Job;
use guestslim::plan::{Intent, Level, Mark, Selector, Wish};
use guestslim::profile::{Check, Profile, mark_text};
use guestslim::trace::{Request, trace};
use guestslim::vm::wire::{End, Method};
use guestslim::vm::{Subject, Working};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

const NUMPY: &[u8] =
    b"exec python3 -c 'import numpy; print(numpy.linalg.det([[1.0, 2.0], [3.0, 4.0]]))'";

fn open() -> Subject {
    let options = OpenOptions {
        accel: Accel::Tcg,
        ..OpenOptions::default()
    };
    Subject::open(guest("small.qcow2").path(), &options, &Job::quiet()).unwrap()
}

fn run(subject: &Subject, lines: &[&[u8]]) -> BTreeSet<String> {
    let request = Request {
        commands: lines.iter().map(|line| line.to_vec()).collect(),
        ..Request::default()
    };
    let trace = trace(subject, &request, Working::Tcg, &mut |_| (), &Job::quiet()).unwrap();
    assert_eq!(trace.incomplete, None, "{}", trace.console.log());
    assert_eq!(trace.method, Method::Hooks);
    assert_eq!(trace.state, "running", "{}", trace.console.log());
    assert_eq!(
        trace.outcomes[0].end,
        Some(End::Code(0)),
        "{:?}",
        trace.outcomes
    );
    trace.evidence(&subject.loaded.inventory.tree)
}

/// Two runs of the same workload; the tests share them.
fn runs() -> &'static [BTreeSet<String>; 2] {
    static RUNS: OnceLock<[BTreeSet<String>; 2]> = OnceLock::new();
    RUNS.get_or_init(|| {
        let subject = open();
        [run(&subject, &[NUMPY]), run(&subject, &[NUMPY])]
    })
}

#[test]
fn a_numpy_run_names_the_same_files_each_time() {
    let [first, second] = runs();
    let differ: Vec<_> = first.symmetric_difference(second).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    let has = |end: &str| first.iter().any(|path| path.ends_with(end));
    // Executed, mapped through two links, imported, only asked about, read as a link, read before the root was writable.
    for end in [
        "/bin/python3.11",
        "/numpy/linalg/_umath_linalg.cpython-311-x86_64-linux-gnu.so",
        "/numpy/linalg/linalg.py",
        "/etc/alternatives/liblapack.so.3-x86_64-linux-gnu",
        "/usr/lib/systemd/systemd",
        "/etc/fstab",
    ] {
        assert!(has(end), "{end} is not among {} files", first.len());
    }
}

/// A profile that keeps what the run touched and no more, but for what was taken out by hand: all of numpy, a file of a
/// person's own.
fn broken_profile() -> Profile {
    let is_taken = |path: &str| path.contains("/dist-packages/numpy/");
    let touched = runs()[0].iter().filter(|path| !is_taken(path));
    let check = |command: &[u8]| Check {
        command: String::from_utf8(command.to_vec()).unwrap(),
        exit: 0,
        stdout: None,
    };
    Profile {
        name: "broken".to_owned(),
        intent: Intent {
            needed_level: Level::NeededOnly,
            trace: touched.cloned().collect(),
            marks: vec![Mark {
                selector: Selector::Path("/home/sci/.profile".to_owned()),
                wish: Wish::Drop,
            }],
            ..Intent::default()
        },
        checks: vec![
            check(NUMPY),
            check(b"cat /home/sci/.profile"),
            check(b"true"),
        ],
        ..Profile::default()
    }
}

#[test]
fn an_image_cut_to_a_trace_works_and_what_was_taken_out_by_hand_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (profile, healed, output) = (at("node.ron"), at("node.healed.ron"), at("node.qcow2"));
    let text = broken_profile().to_ron();
    fs::write(&profile, &text).unwrap();
    let source = guest("small.qcow2").path().to_str().unwrap().to_owned();
    let ran = guestslim(&[
        "replay", &profile, &source, "-o", &output, "--heal", "--json", "--accel", "tcg",
    ]);
    assert!(ran.code < 2, "{}{}", ran.err, ran.out);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let round = &report["healed"]["rounds"][0];
    assert_eq!(round["lost_before"], 2, "{}", report["healed"]);
    assert_eq!(round["lost_after"], 0, "{}", report["healed"]);
    assert_eq!(report["healed"]["holds"], true);
    let proved = &report["verified"]["report"];
    for rung in proved["rungs"].as_array().unwrap() {
        assert_ne!(rung["verdict"], "fail", "{rung}");
        let is_proof =
            ["manifest", "contents", "boot", "checks"].contains(&rung["id"].as_str().unwrap());
        assert!(!is_proof || rung["verdict"] == "pass", "{rung}");
    }
    let checks = proved["rungs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|rung| rung["id"] == "checks");
    assert_eq!(
        checks.unwrap()["because"],
        "3 of 3 passed, as in the source"
    );
    assert_eq!(
        fs::read_to_string(&profile).unwrap(),
        text,
        "the given profile is not written"
    );
    let healed = Profile::read(Path::new(&healed)).unwrap();
    let marks: Vec<String> = healed.intent.marks.iter().map(mark_text).collect();
    assert!(
        marks.contains(&r#"keep(path("/home/sci/.profile"), whole)"#.to_owned()),
        "{marks:?}"
    );
    let size = |path: &str| fs::metadata(path).unwrap().len();
    assert!(
        size(&output) * 4 < size(&source),
        "{} of {}",
        size(&output),
        size(&source)
    );
}
