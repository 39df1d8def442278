//! The finders of languages on the real files of the demonstration guest: needs that only one finder knows, and a mark on a
//! module.

use guestslim::finders::FINDERS;
use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::load;
use guestslim::model::{FileId, Node};
use guestslim::plan::{Intent, Level, Selector, Wish};
use guestslim::session::{Edit, Session};
use std::path::PathBuf;
use std::sync::Arc;

const SITE: &str = "/usr/lib/python3/dist-packages";

/// Finder, who needs, what is needed; what starts without a slash lies in [`SITE`].
const NEEDS: &[(&str, &str, &str)] = &[
    (
        "python-library",
        "/opt/science/bin/python3",
        "/opt/science/pyvenv.cfg",
    ),
    (
        "python-distribution",
        "scipy/__init__.py",
        "scipy/odr/__init__.py",
    ),
    (
        "python-import",
        "scipy/linalg/__init__.py",
        "scipy/linalg/_basic.py",
    ),
    (
        "python-import",
        "scipy/special/_ellip_harm_2.cpython-311-x86_64-linux-gnu.so",
        "scipy/integrate/__init__.py",
    ),
    (
        "python-data",
        "numpy/core/__init__.py",
        "numpy/core/lib/npy-pkg-config/mlib.ini",
    ),
    (
        "r-home",
        "/usr/lib/R/lib/libR.so",
        "/usr/lib/R/library/stats",
    ),
    ("r-home", "/usr/lib/R/bin/R", "/usr/bin/sed"),
    (
        "r-package",
        "/usr/lib/R/library/stats4/DESCRIPTION",
        "/usr/lib/R/library/stats/DESCRIPTION",
    ),
    (
        "perl-module",
        "/usr/sbin/dpkg-fsys-usrunmess",
        "/usr/share/perl/5.36.0/File/Find.pm",
    ),
    (
        "perl-module",
        "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Storable.pm",
        "/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Storable/Storable.so",
    ),
];

fn demo() -> Session {
    let folder = std::env::var_os("GUESTSLIM_GUESTS").unwrap_or_else(|| "target/guests".into());
    let path = PathBuf::from(folder).join("demo.qcow2");
    let job = Job::quiet();
    let mut guest = open(&path, &OpenOptions::default(), &job).expect("the guest is built");
    let loaded = load(guest.as_mut(), &job).expect("it loads");
    Session::new(Arc::new(loaded), Intent::default())
}

fn file(session: &Session, path: &str) -> FileId {
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{SITE}/{path}")
    };
    let found = session.inventory().tree.lookup(path.as_bytes());
    found.unwrap_or_else(|| panic!("{path} is in the guest"))
}

fn module(text: &str) -> Selector {
    let (language, name) = text.split_once(':').expect("a language");
    Selector::Module {
        language: language.to_owned(),
        name: name.to_owned(),
    }
}

#[test]
fn every_finder_of_a_language_knows_what_a_real_debian_needs() {
    let mut session = demo();
    for (id, from, to) in NEEDS {
        let needs = session
            .loaded()
            .graph
            .needs_of(Node::File(file(&session, from)));
        let to = Node::File(file(&session, to));
        let is_known = needs
            .iter()
            .any(|need| need.to == to && FINDERS[need.finder as usize].id == *id);
        assert!(is_known, "{id}: {from}");
    }
    for text in [
        "python:json",
        "python@/opt/science:pandas",
        "r:stats",
        "perl:POSIX",
    ] {
        session.apply(Edit::Mark(module(text), Wish::Keep(Level::NeededOnly)));
        let mark = session.intent().marks.len() - 1;
        assert!(session.mark_matches(mark) > 0, "{text}");
    }
    // The scientist's own scripts import scipy; without them only the mark decides.
    session.apply(Edit::Mark(
        Selector::Path("/home/sci".to_owned()),
        Wish::Drop,
    ));
    session.apply(Edit::Mark(
        module("python:scipy.linalg"),
        Wish::Keep(Level::NeededOnly),
    ));
    let keeps = |path: &str| session.plan().keeps_file(file(&session, path));
    assert!(keeps("scipy/linalg/_basic.py") && keeps("numpy/core/__init__.py"));
    assert!(!keeps("scipy/odr/tests/test_odr.py") && !keeps("scipy/linalg/tests/test_basic.py"));
}
