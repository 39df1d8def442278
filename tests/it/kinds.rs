//! Kinds of faults that broke programs at the defaults, each on a small root folder with what real packages have.

use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::load;
use guestslim::plan::Level;
use guestslim::profile::Profile;
use guestslim::session::Session;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;

/// A guest: packages with what they depend on, and files, `path -> target` for a link, each with its owner or `-`.
struct Guest<'a> {
    packages: &'a [(&'a str, &'a str)],
    files: &'a [(&'a str, &'a str)],
}

fn put(root: &Path, line: &str) {
    let (path, target) = line
        .split_once(" -> ")
        .map_or((line, None), |(path, target)| (path, Some(target)));
    let inside = root.join(&path[1..]);
    fs::create_dir_all(inside.parent().expect("a folder")).expect("folders");
    if let Some(target) = target {
        symlink(target, inside).expect("a link");
        return;
    }
    let text = match path.rsplit('/').next() {
        Some("pyvenv.cfg") => "home = /usr/bin\n",
        Some("RECORD") => "sci/__init__.py,,\n",
        _ => "",
    };
    fs::write(&inside, text).expect("written");
    if path.contains("/bin/") {
        fs::set_permissions(inside, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
}

impl Guest<'_> {
    fn session(&self, profile: &str) -> Session {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        let mut status = String::new();
        for (name, depends) in self.packages {
            let depends = match *depends {
                "" => String::new(),
                others => format!("Depends: {others}\n"),
            };
            let head = "Status: install ok installed\nArchitecture: amd64\nVersion: 1\n";
            writeln!(status, "Package: {name}\n{head}{depends}")
                .expect("a String takes every write");
            let own = self.files.iter().filter(|(_, owner)| owner == name);
            let paths = own.map(|(line, _)| line.split(" -> ").next().unwrap_or_default());
            let list: Vec<&str> = paths.collect();
            let file = format!("/var/lib/dpkg/info/{name}.list");
            put(root, &file);
            fs::write(root.join(&file[1..]), list.join("\n") + "\n").expect("written");
        }
        put(root, "/var/lib/dpkg/status");
        fs::write(root.join("var/lib/dpkg/status"), status).expect("written");
        put(root, "/etc/os-release");
        for (line, _) in self.files {
            put(root, line);
        }
        let job = Job::quiet();
        let mut guest = open(root, &OpenOptions::default(), &job).expect("it opens");
        let loaded = load(guest.as_mut(), &job).expect("it loads");
        let profile = format!("(version: 1, name: \"\", {profile})");
        let intent = Profile::parse(&profile).expect("a profile").intent;
        Session::new(Arc::new(loaded), intent)
    }

    /// The files that go, as paths.
    fn gone(&self, profile: &str) -> Vec<String> {
        gone(&self.session(profile))
    }
}

fn gone(session: &Session) -> Vec<String> {
    let tree = &session.inventory().tree;
    let files = tree.ids().filter(|&file| !session.plan().keeps_file(file));
    files
        .map(|file| String::from_utf8(tree.path(file)).expect("plain text"))
        .collect()
}

/// Links of what stays that lead nowhere afterwards.
fn dangling(session: &Session) -> Vec<String> {
    let tree = &session.inventory().tree;
    let keeps = |file| session.plan().keeps_file(file);
    let links = tree.ids().filter(|&link| keeps(link)).filter(|&link| {
        let end = tree.follow(link);
        end.is_some_and(|end| !end.links.iter().chain([&end.file]).all(|&file| keeps(file)))
    });
    links
        .map(|link| String::from_utf8(tree.path(link)).expect("plain text"))
        .collect()
}

fn messages(session: &Session) -> Vec<&str> {
    let findings = session.plan().findings.iter();
    findings.map(|finding| finding.message.as_str()).collect()
}

#[test]
fn libtool_files_stay_beside_plug_ins_and_go_beside_libraries() {
    let guest = Guest {
        packages: &[("libmagickcore", ""), ("libmagick-dev", "")],
        files: &[
            (
                "/usr/lib/x86_64-linux-gnu/ImageMagick/coders/png.la",
                "libmagickcore",
            ),
            (
                "/usr/lib/x86_64-linux-gnu/ImageMagick/coders/png.so",
                "libmagickcore",
            ),
            ("/usr/lib/x86_64-linux-gnu/libMagick.la", "libmagick-dev"),
            ("/usr/lib/x86_64-linux-gnu/libMagick.so", "libmagick-dev"),
        ],
    };
    assert_eq!(
        guest.gone("marks: [keep(package(\"libmagick*\"), trimmed)]"),
        ["/usr/lib/x86_64-linux-gnu/libMagick.la"]
    );
}

#[test]
fn symbols_stay_for_a_program_that_declares_them_and_go_for_other_symbols() {
    const SYMBOLS: &str = "/usr/lib/debug/.build-id/00/1.debug";
    const KEEP: &str =
        "marks: [keep(package(\"valgrind\"), trimmed), keep(package(\"more-dbg\"), trimmed)]";
    let files: &[(&str, &str)] = &[
        ("/usr/bin/valgrind", "valgrind"),
        (SYMBOLS, "libc6-dbg"),
        ("/usr/lib/debug/.build-id/00/2.debug", "more-dbg"),
    ];
    let with = |depends| {
        Guest {
            packages: &[
                ("libc6-dbg", ""),
                ("valgrind", depends),
                ("more-dbg", "libc6-dbg"),
            ],
            files,
        }
        .gone(KEEP)
    };
    assert_eq!(with("libc6-dbg"), ["/usr/lib/debug/.build-id/00/2.debug"]);
    assert!(
        with("").contains(&SYMBOLS.to_owned()),
        "only symbols declare it"
    );
}

#[test]
fn a_link_to_another_package_s_documentation_stays() {
    let guest = Guest {
        packages: &[("tool", "libtool1"), ("libtool1", "")],
        files: &[
            ("/usr/share/doc/tool -> libtool1", "tool"),
            ("/usr/share/doc/libtool1/copyright", "libtool1"),
            ("/usr/share/doc/libtool1/README", "libtool1"),
        ],
    };
    assert_eq!(
        guest.gone("marks: [keep(package(\"tool\"), trimmed)]"),
        ["/usr/share/doc/libtool1/README"]
    );
}

const ALTERNATIVES: Guest<'_> = Guest {
    packages: &[
        ("openmpi-bin", "libopenmpi-dev"),
        ("libopenmpi-dev", ""),
        ("mpich", ""),
    ],
    files: &[
        ("/usr/bin/mpirun.openmpi -> orterun", "openmpi-bin"),
        ("/usr/bin/orterun", "openmpi-bin"),
        ("/usr/bin/ompi_info", "openmpi-bin"),
        ("/usr/bin/mpirun -> /etc/alternatives/mpirun", "-"),
        ("/etc/alternatives/mpirun -> /usr/bin/mpirun.openmpi", "-"),
        ("/usr/lib/x86_64-linux-gnu/libopen-pal.so.40", "openmpi-bin"),
        (
            "/usr/lib/x86_64-linux-gnu/openmpi/lib/pkgconfig/ompi.pc",
            "libopenmpi-dev",
        ),
        (
            "/usr/lib/x86_64-linux-gnu/pkgconfig/ompi.pc -> ../openmpi/lib/pkgconfig/ompi.pc",
            "libopenmpi-dev",
        ),
        (
            "/usr/lib/x86_64-linux-gnu/pkgconfig/mpi.pc -> /etc/alternatives/mpi.pc",
            "-",
        ),
        (
            "/etc/alternatives/mpi.pc -> /usr/lib/x86_64-linux-gnu/pkgconfig/ompi.pc",
            "-",
        ),
    ],
};

#[test]
fn a_marked_link_reaches_its_whole_chain() {
    for pattern in [
        "/usr/bin/mpirun",
        "/usr/bin/mpi*",
        "/etc/alternatives/mpirun",
    ] {
        let mark = format!("marks: [keep(path(\"{pattern}\"))]");
        let session = ALTERNATIVES.session(&mark);
        let gone = gone(&session);
        assert!(
            !gone.iter().any(|path| path.contains("run")),
            "{pattern}: {gone:?}"
        );
        assert!(gone.contains(&"/usr/lib/x86_64-linux-gnu/pkgconfig/mpi.pc".to_owned()));
        assert_eq!(dangling(&session), [""; 0], "{pattern}");
    }
}

#[test]
fn links_below_a_marked_folder_stay_exactly_when_what_they_lead_to_stays() {
    let session = ALTERNATIVES.session("marks: [keep(path(\"/etc\"))]");
    assert!(gone(&session).contains(&"/etc/alternatives/mpirun".to_owned()));
    assert_eq!(dangling(&session), [""; 0]);
    let both = "marks: [keep(path(\"/etc\")), keep(package(\"openmpi-bin\"), trimmed)]";
    assert!(!gone(&ALTERNATIVES.session(both)).contains(&"/etc/alternatives/mpirun".to_owned()));
}

#[test]
fn no_link_stays_behind_whose_way_passes_a_link_that_a_rule_took() {
    for marks in [
        "keep(package(\"openmpi-bin\"), needed_only), keep(path(\"/usr/lib/*/libopen-pal*\"))",
        "keep(package(\"openmpi-bin\"), trimmed)",
    ] {
        let session = ALTERNATIVES.session(&format!("marks: [{marks}]"));
        let package = session
            .inventory()
            .find_package("libopenmpi-dev")
            .expect("it is there");
        let level = session.plan().packages[package.index()].level;
        assert_eq!(level, Some(Level::Trimmed), "{marks}");
        assert_eq!(dangling(&session), [""; 0], "{marks}");
    }
}

const ENVIRONMENT: Guest<'_> = Guest {
    packages: &[("python3.11", "")],
    files: &[
        ("/usr/bin/python3.11", "python3.11"),
        ("/usr/lib/python3.11/os.py", "python3.11"),
        ("/opt/env/pyvenv.cfg", "-"),
        ("/opt/env/lib64 -> lib", "-"),
        ("/opt/env/bin/python3 -> /usr/bin/python3.11", "-"),
        ("/opt/env/bin/pip", "-"),
        ("/opt/env/lib/python3.11/site-packages/sci/__init__.py", "-"),
        ("/opt/env/lib/python3.11/site-packages/sci/more.py", "-"),
        (
            "/opt/env/lib/python3.11/site-packages/sci/tests/test_a.py",
            "-",
        ),
        (
            "/opt/env/lib/python3.11/site-packages/sci-1.dist-info/RECORD",
            "-",
        ),
        (
            "/opt/env/lib/python3.11/site-packages/other/__init__.py",
            "-",
        ),
        (
            "/opt/env/lib/python3.11/site-packages/other/tests/test_b.py",
            "-",
        ),
    ],
};

#[test]
fn a_virtual_environment_is_cut_to_a_module_with_its_interpreter() {
    let marks = "marks: [drop(path(\"/opt/env\")), keep(module(\"python:sci\"), needed_only)]";
    assert_eq!(
        ENVIRONMENT.gone(marks),
        [
            "/opt/env/bin/pip",
            "/opt/env/lib/python3.11/site-packages/other",
            "/opt/env/lib/python3.11/site-packages/other/__init__.py",
            "/opt/env/lib/python3.11/site-packages/other/tests",
            "/opt/env/lib/python3.11/site-packages/other/tests/test_b.py",
            "/opt/env/lib/python3.11/site-packages/sci/more.py",
            "/opt/env/lib/python3.11/site-packages/sci/tests",
            "/opt/env/lib/python3.11/site-packages/sci/tests/test_a.py",
        ]
    );
}

#[test]
fn a_rule_works_inside_a_virtual_environment() {
    assert_eq!(
        ENVIRONMENT.gone("rules: { \"test-suites\": on }"),
        [
            "/opt/env/lib/python3.11/site-packages/other/tests/test_b.py",
            "/opt/env/lib/python3.11/site-packages/sci/tests/test_a.py",
        ]
    );
}

#[test]
fn a_module_mark_cuts_its_distribution_also_where_no_package_owns_it() {
    let session = ENVIRONMENT.session("marks: [keep(module(\"python:sci\"), needed_only)]");
    assert_eq!(
        gone(&session),
        [
            "/opt/env/lib/python3.11/site-packages/sci/more.py",
            "/opt/env/lib/python3.11/site-packages/sci/tests/test_a.py",
        ]
    );
    assert!(
        messages(&session)
            .iter()
            .any(|text| text.contains("guestslim trace"))
    );
}

#[test]
fn a_package_that_loses_its_programs_is_a_note_wherever_they_lie() {
    let guest = Guest {
        packages: &[("postgresql-15", "")],
        files: &[
            ("/usr/lib/postgresql/15/bin/postgres", "postgresql-15"),
            ("/usr/lib/postgresql/15/lib/plpgsql.so", "postgresql-15"),
        ],
    };
    let session = guest.session("marks: [keep(package(\"postgresql-15\"), needed_only)]");
    let text =
        "package postgresql-15 marks postgresql-15 needed only, and none of its programs stays";
    assert!(
        messages(&session).contains(&text),
        "{:?}",
        messages(&session)
    );
}

#[test]
fn needed_only_without_a_trace_is_said_once_with_the_way_out() {
    let count = |profile: &str| {
        let session = ALTERNATIVES.session(profile);
        let all = messages(&session).into_iter();
        all.filter(|text| text.contains("without a trace")).count()
    };
    let marks = "marks: [keep(package(\"openmpi-bin\"), needed_only), keep(package(\"mpich\"), needed_only)]";
    assert_eq!(count(marks), 1);
    assert_eq!(count("needed_level: needed_only"), 1);
    assert_eq!(count(&format!("{marks}, trace: [\"/usr/bin/orterun\"]")), 0);
    assert_eq!(count("marks: [keep(package(\"openmpi-bin\"), trimmed)]"), 0);
}
