//! Marks on a language's modules, from a profile to a plan, on a small root folder.

use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::load;
use guestslim::model::Node;
use guestslim::profile::{Profile, drift};
use guestslim::session::Session;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

const STATUS: &str =
    "Package: python3-sci\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n";
const SITE: &str = "/usr/lib/python3/dist-packages";

/// Python files of the package, and of an environment in `/opt/env`.
const FILES: &[(&str, &str)] = &[
    ("sci/__init__.py", ""),
    ("sci/linalg/__init__.py", "from ._solve import solve\n"),
    (
        "sci/linalg/_solve.py",
        "def solve():\n    from sci import tables\n",
    ),
    ("sci/linalg/tests/test_solve.py", "import sci.stats\n"),
    ("sci/tables/__init__.py", ""),
    ("sci/tables/values.csv", "1\n"),
    ("sci/stats/__init__.py", "import sci.linalg\n"),
    ("sci-1.dist-info/METADATA", "Name: sci\n"),
    (
        "sci-1.dist-info/RECORD",
        "sci/__init__.py,,\n../../../../etc/passwd,,\n",
    ),
];

fn write(root: &Path, path: &str, text: &str) {
    let inside = root.join(&path[1..]);
    fs::create_dir_all(inside.parent().expect("a folder")).expect("folders");
    fs::write(inside, text).expect("written");
}

fn make_root() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    let mut list = String::new();
    for (path, text) in FILES {
        let path = format!("{SITE}/{path}");
        write(root, &path, text);
        writeln!(list, "{path}").expect("a String takes every write");
    }
    write(root, "/var/lib/dpkg/status", STATUS);
    write(root, "/var/lib/dpkg/info/python3-sci.list", &list);
    write(root, "/usr/lib/python3.11/os.py", "");
    write(root, "/usr/bin/python3.11", "");
    write(root, "/opt/env/pyvenv.cfg", "home = /usr/bin\n");
    write(root, "/opt/env/bin/python3", "");
    write(
        root,
        "/opt/env/lib/python3.11/site-packages/sci/__init__.py",
        "",
    );
    folder
}

fn profile(marks: &str) -> Profile {
    Profile::parse(&format!("(version: 1, name: \"\", marks: [{marks}])")).expect("a profile")
}

fn session(marks: &str) -> Session {
    let root = make_root();
    let job = Job::quiet();
    let mut guest = open(root.path(), &OpenOptions::default(), &job).expect("it opens");
    let loaded = load(guest.as_mut(), &job).expect("it loads");
    Session::new(Arc::new(loaded), profile(marks).intent)
}

/// Which of [`FILES`] stay.
fn kept(session: &Session) -> Vec<&'static str> {
    let files = FILES.iter().map(|(path, _)| *path);
    files
        .filter(|path| keeps(session, &format!("{SITE}/{path}")))
        .collect()
}

fn keeps(session: &Session, path: &str) -> bool {
    let file = session.inventory().tree.lookup(path.as_bytes());
    session
        .plan()
        .keeps_file(file.expect("a file of the guest"))
}

#[test]
fn a_module_stays_with_what_it_imports_and_not_with_its_distribution() {
    let session = session("keep(module(\"python:sci.linalg\"), needed_only)");
    assert_eq!(
        kept(&session),
        [
            "sci/__init__.py",
            "sci/linalg/__init__.py",
            "sci/linalg/_solve.py",
            "sci/tables/__init__.py",
            "sci/tables/values.csv",
            "sci-1.dist-info/METADATA",
            "sci-1.dist-info/RECORD",
        ]
    );
    let csv = format!("{SITE}/sci/tables/values.csv");
    let file = session
        .inventory()
        .tree
        .lookup(csv.as_bytes())
        .expect("it is there");
    let chain = session.why(Node::File(file));
    let last = chain.last().expect("a chain");
    assert!(
        last.text
            .ends_with("module python:sci.linalg is marked keep"),
        "{chain:?}"
    );
    assert!(keeps(&session, "/usr/bin/python3.11") && keeps(&session, "/usr/lib/python3.11/os.py"));
}

#[test]
fn at_higher_levels_the_distribution_comes_along() {
    let trimmed = session("keep(module(\"python:sci.linalg\"), trimmed)");
    let all_but_tests: Vec<&str> = FILES
        .iter()
        .map(|(path, _)| *path)
        .filter(|path| !path.contains("tests"))
        .collect();
    assert!(
        all_but_tests
            .iter()
            .all(|path| kept(&trimmed).contains(path))
    );
    let both = "keep(module(\"python:sci.linalg\"), needed_only), keep(module(\"python:sci.tables\"), trimmed)";
    assert!(
        kept(&session(both)).contains(&"sci/stats/__init__.py"),
        "the later mark wins"
    );
}

#[test]
fn a_mark_may_be_about_one_environment_and_about_names_like_one() {
    let other = "/opt/env/lib/python3.11/site-packages/sci/__init__.py";
    let one = session("drop(module(\"python@/opt/env:sci\"))");
    assert!(!keeps(&one, other));
    let like = session("keep(module(\"python@/usr:sci.s*\"), needed_only), drop(path(\"/opt\"))");
    assert!(kept(&like).contains(&"sci/stats/__init__.py") && !keeps(&like, other));
}

#[test]
fn a_module_that_is_not_there_is_drift_and_a_finding() {
    let marks = "keep(module(\"python:sci.lost\"))";
    let session = session(marks);
    let drift = drift(&profile(marks), session.inventory());
    assert_eq!(
        drift[0].message,
        "module python:sci.lost matches nothing in this guest"
    );
    let findings = &session.plan().findings;
    assert!(
        findings
            .iter()
            .any(|finding| finding.message.contains("python:sci.lost"))
    );
}

#[test]
fn a_module_without_a_language_is_an_error() {
    for text in ["scipy", "cobol:x", "python:", "python@opt:x"] {
        let profile = format!("(version: 1, name: \"\", marks: [keep(module(\"{text}\"))])");
        let error = Profile::parse(&profile).expect_err("no module");
        assert!(
            error
                .to_string()
                .contains("a module is named with its language"),
            "{text}: {error}"
        );
    }
}
