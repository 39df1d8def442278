//! Traces of real guests.

use crate::vm_machine::guest;
use guestslim::guest::{Accel, OpenOptions};
use guestslim::job::Job;
use guestslim::trace::{Request, trace};
use guestslim::vm::wire::{End, Method};
use guestslim::vm::{Subject, Working};
use std::collections::BTreeSet;

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

#[test]
fn a_numpy_run_names_the_same_files_each_time() {
    let subject = open();
    let first = run(&subject, &[NUMPY]);
    let second = run(&subject, &[NUMPY]);
    let differ: Vec<_> = first.symmetric_difference(&second).collect();
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
