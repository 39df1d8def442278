//! Traces of real guests, and images that are cut to them.

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

/// Something that a scientist runs, and what is taken out of an image by hand that was cut to it.
struct Workload {
    guest: &'static str,
    line: &'static str,
    /// Other commands that must still work.
    checks: &'static [&'static str],
    /// Paths that are marked drop.
    drops: &'static [&'static str],
    /// Whether a path is taken out of the trace.
    is_taken: fn(&str) -> bool,
    /// Two runs with all of the boot and the shutdown; the tests share them.
    runs: OnceLock<[BTreeSet<String>; 2]>,
}

const NUMPY_FILES: &str = "/dist-packages/numpy/";

const LOADER_FILE: &str = "/boot/grub/i386-pc/normal.mod";

/// Numpy, cut to a trace that knows neither numpy nor anything of the boot: a unit fails, too. Its boot loader cannot start a kernel.
static NUMPY: Workload = Workload {
    guest: "small.qcow2",
    line: "exec python3 -c 'import numpy; print(numpy.linalg.det([[1.0, 2.0], [3.0, 4.0]]))'",
    checks: &["cat /home/sci/.profile", "true"],
    drops: &["/home/sci/.profile", LOADER_FILE],
    is_taken: |path| path.contains(NUMPY_FILES) || !path.contains("python"),
    runs: OnceLock::new(),
};

/// R, and a program that it asks and that no finder can know of.
static R: Workload = Workload {
    guest: "demo.qcow2",
    line: "Rscript -e 'source(\"/home/sci/analysis/fit.R\"); \
        cat(system2(\"file\", c(\"-b\", \"--mime-type\", \"/etc/fstab\"), stdout = TRUE))'",
    checks: &[],
    drops: &[
        "/opt/science",
        "/home/sci/.cache",
        "/home/sci/analysis/*.py",
    ],
    is_taken: |path| path.ends_with("/bin/file") || path.contains("magic"),
    runs: OnceLock::new(),
};

fn run(subject: &Subject, line: &str) -> BTreeSet<String> {
    let request = Request {
        commands: vec![line.into()],
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

impl Workload {
    fn runs(&self) -> &[BTreeSet<String>; 2] {
        self.runs.get_or_init(|| {
            let subject = self.subject();
            [(); 2].map(|()| run(&subject, self.line))
        })
    }

    fn subject(&self) -> Subject {
        let options = OpenOptions {
            accel: Accel::Tcg,
            ..OpenOptions::default()
        };
        let path = guest(self.guest).path().to_owned();
        Subject::open(&path, &options, &Job::quiet()).unwrap()
    }

    /// Boot, run and shutdown touched the same files both times, these among them.
    fn touches_the_same(&self, ends: &[&str]) {
        let [first, again] = self.runs();
        let differ: Vec<_> = first.symmetric_difference(again).collect();
        assert!(differ.is_empty(), "{differ:#?}");
        for end in ends {
            let has = again.iter().any(|path| path.ends_with(end));
            assert!(has, "{end} is not among {} files", again.len());
        }
    }

    /// A profile that keeps what the run touched and no more, but for what is taken out.
    fn broken_profile(&self) -> Profile {
        let touched = self.runs()[0].iter().filter(|path| !(self.is_taken)(path));
        let check = |command: &&str| Check {
            command: (*command).to_owned(),
            exit: 0,
            stdout: None,
        };
        let drop = |path: &&str| Mark {
            selector: Selector::Path((*path).to_owned()),
            wish: Wish::Drop,
        };
        Profile {
            name: "broken".to_owned(),
            intent: Intent {
                needed_level: Level::NeededOnly,
                trace: touched.cloned().collect(),
                marks: self.drops.iter().map(drop).collect(),
                ..Intent::default()
            },
            checks: [&self.line]
                .into_iter()
                .chain(self.checks)
                .map(check)
                .collect(),
            ..Profile::default()
        }
    }

    /// Replays the broken profile and heals it: the checks that fail in the first image pass in the last one, which prints what
    /// the source prints. Returns the healed profile.
    fn is_healed(&self, lost: u64) -> Profile {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (profile, healed, output) = (at("node.ron"), at("node.healed.ron"), at("node.qcow2"));
        let text = self.broken_profile().to_ron();
        fs::write(&profile, &text).unwrap();
        let source = guest(self.guest).path().to_str().unwrap().to_owned();
        let ran = guestslim(&[
            "replay", &profile, &source, "-o", &output, "--heal", "--json", "--accel", "tcg",
        ]);
        assert!(ran.code < 2, "{}{}", ran.err, ran.out);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let round = &report["healed"]["rounds"][0];
        assert_eq!(round["lost_before"], lost, "{}", report["healed"]);
        assert_eq!(report["healed"]["holds"], true);
        self.is_proved(&report["verified"]["report"]);
        let given = fs::read_to_string(&profile).unwrap();
        assert_eq!(given, text, "the given profile is not written");
        let size = |path: &str| fs::metadata(path).unwrap().len();
        let (before, after) = (size(&source), size(&output));
        assert!(after * 4 < before, "{after} of {before}");
        Profile::read(Path::new(&healed)).unwrap()
    }

    fn is_proved(&self, proved: &Value) {
        for rung in proved["rungs"].as_array().unwrap() {
            assert_eq!(rung["verdict"], "pass", "{rung}");
            if rung["id"] == "checks" {
                let count = self.checks.len() + 1;
                let because = format!("{count} of {count} passed, as in the source");
                assert_eq!(rung["because"], because.as_str());
            }
        }
    }
}

#[test]
fn a_trace_of_numpy_names_the_same_files_each_time() {
    NUMPY.touches_the_same(&[
        // Executed, mapped through two links, imported, only asked about.
        "/bin/python3.11",
        "/numpy/linalg/_umath_linalg.cpython-311-x86_64-linux-gnu.so",
        "/numpy/linalg/linalg.py",
        "/etc/alternatives/liblapack.so.3-x86_64-linux-gnu",
        // Read as a link, read before the root was writable.
        "/usr/lib/systemd/systemd",
        "/etc/fstab",
    ]);
}

#[test]
fn an_image_cut_to_a_numpy_run_works_and_what_was_taken_out_by_hand_is_found_again() {
    let healed = NUMPY.is_healed(4);
    let comment = &healed.comment;
    for lost in ["the boot", "unit systemd-logind.service"] {
        assert!(comment.contains(lost), "{comment}");
    }
    let trace: BTreeSet<&String> = healed.intent.trace.iter().collect();
    // Byte code comes back with its source and need not be named.
    let is_named = |path: &&String| path.contains(NUMPY_FILES) && !path.contains("/__pycache__/");
    let lost: BTreeSet<&String> = NUMPY.runs()[0].iter().filter(is_named).collect();
    assert!(lost.is_subset(&trace), "{:?}", lost.difference(&trace));
    let marks: Vec<String> = healed.intent.marks.iter().map(mark_text).collect();
    let expected =
        [LOADER_FILE, "/home/sci/.profile"].map(|path| format!(r#"keep(path("{path}"), whole)"#));
    assert_eq!(marks, expected);
}

#[test]
fn a_trace_of_r_names_the_same_files_each_time() {
    R.touches_the_same(&[
        "/usr/lib/R/lib/libR.so",
        "/usr/lib/R/library/stats/R/stats.rdb",
        "/home/sci/analysis/fit.R",
        "/usr/bin/file",
        // Only the network's end runs it.
        "/usr/bin/touch",
    ]);
}

#[test]
fn an_image_cut_to_an_r_run_works_and_what_was_taken_out_by_hand_is_found_again() {
    let healed = R.is_healed(1);
    let trace: BTreeSet<&String> = healed.intent.trace.iter().collect();
    let touched: BTreeSet<&String> = R.runs()[0].iter().collect();
    assert_eq!(trace, touched, "what was found is what was taken out");
    assert_eq!(
        healed.intent.marks.len(),
        R.drops.len(),
        "no mark was needed"
    );
}
