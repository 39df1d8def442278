//! Perl's own modules on this host's files: what a module loads is what its mark keeps.

use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::load;
use guestslim::plan::{Intent, Level, Selector, Wish};
use guestslim::session::{Edit, Session};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const MODULES: [&str; 6] = [
    "POSIX",
    "Encode",
    "JSON::PP",
    "File::Temp",
    "Storable",
    "Math::BigFloat",
];

fn perl(script: &str) -> Vec<String> {
    let output = Command::new("perl")
        .args(["-e", script])
        .output()
        .expect("perl runs");
    assert!(output.status.success(), "{script}");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

/// Copies a folder, links as links, and notes every path.
fn copy(root: &Path, from: &Path, list: &mut String) {
    let inside = root.join(from.strip_prefix("/").expect("absolute"));
    writeln!(list, "{}", from.display()).expect("a String takes every write");
    let kind = fs::symlink_metadata(from).expect("it is there").file_type();
    if kind.is_symlink() {
        let target = fs::read_link(from).expect("a target");
        std::os::unix::fs::symlink(target, inside).expect("a link");
    } else if kind.is_dir() {
        fs::create_dir_all(inside).expect("folders");
        for entry in fs::read_dir(from).expect("a folder") {
            copy(root, &entry.expect("an entry").path(), list);
        }
    } else {
        fs::copy(from, inside).expect("a copy");
    }
}

/// A guest with this host's `@INC` below `/usr`, owned by one package.
fn session() -> Session {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    let mut list = String::new();
    for path in perl("print \"$_\\n\" for @INC") {
        let path = PathBuf::from(path);
        let is_own = path.to_string_lossy().contains("/perl");
        if path.starts_with("/usr") && !path.starts_with("/usr/local") && is_own && path.exists() {
            fs::create_dir_all(
                root.join(
                    path.parent()
                        .expect("a folder")
                        .strip_prefix("/")
                        .expect("absolute"),
                ),
            )
            .expect("folders");
            let real = fs::canonicalize(&path).expect("it is there");
            copy(root, &real, &mut list);
            if real != path {
                copy(root, &path, &mut list);
            }
        }
    }
    let info = root.join("var/lib/dpkg/info");
    fs::create_dir_all(&info).expect("folders");
    fs::write(info.join("perl.list"), list).expect("written");
    let status = "Package: perl\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n";
    fs::write(root.join("var/lib/dpkg/status"), status).expect("written");
    let job = Job::quiet();
    let mut guest = open(root, &OpenOptions::default(), &job).expect("it opens");
    let loaded = load(guest.as_mut(), &job).expect("it loads");
    Session::new(Arc::new(loaded), Intent::default())
}

#[test]
fn what_real_modules_load_is_what_their_marks_keep() {
    let mut session = session();
    for module in MODULES {
        let selector = Selector::Module {
            language: "perl".to_owned(),
            name: module.to_owned(),
        };
        assert!(session.apply(Edit::Mark(selector, Wish::Keep(Level::NeededOnly))));
        let tree = &session.inventory().tree;
        let files = tree.ids().filter(|&file| !tree.is_directory(file));
        let kept = files
            .filter(|&file| session.plan().keeps_file(file))
            .count();
        assert!(
            kept * 2 < tree.len(),
            "{module}: {kept} of {} files",
            tree.len()
        );
        for path in perl(&format!(
            "require {module}; print \"$_\\n\" for values %INC"
        )) {
            let end = tree
                .resolve(path.as_bytes())
                .unwrap_or_else(|| panic!("{path} was copied"));
            assert!(session.plan().keeps_file(end.file), "{module} loads {path}");
        }
        session.undo();
    }
}
