//! The house's rules that a reader would otherwise have to check: arrows go down, each crate stays in its room.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms from top to bottom; a row uses only rows below it.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["tui", "cli"],
    &["replay"],
    &["cure"],
    &["session"],
    &["trace", "verify", "rebuild"],
    &["vm"],
    &["export"],
    &["profile"],
    &["load"],
    &["guest"],
    &["program"],
    &["finders"],
    &["plan"],
    &["graph"],
    &["pkgdb"],
    &["model"],
    &["job"],
    &["fault"],
];

/// Crates that only these rooms may name.
const CRATES: &[(&str, &[&str])] = &[
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("clap", &["cli", "main"]),
    ("clap_mangen", &["cli"]),
    ("pulldown_cmark", &["cli"]),
    ("anyhow", &["tui", "cli", "main"]),
    ("indicatif", &["cli"]),
    ("guestfs", &["guest"]),
    ("nbd", &["guest"]),
    ("landlock", &["program"]),
    ("seccompiler", &["program"]),
    ("command_fds", &["program"]),
    ("libc", &["program"]),
    ("walkdir", &["guest"]),
    ("globset", &["model"]),
    ("object", &["finders"]),
    ("ron", &["profile"]),
    ("tar", &["export"]),
    ("zstd", &["export", "finders", "rebuild"]),
    ("flate2", &["export", "finders", "guest", "rebuild"]),
    ("lzma_rust2", &["finders"]),
];

const LONGEST_FILE: usize = 400;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source folder is readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every source file: its path below `src`, its room, its text.
fn files() -> Vec<(String, String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&top, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let below = path
                .strip_prefix(&top)
                .expect("below src")
                .to_string_lossy()
                .into_owned();
            let room = below
                .split('/')
                .next()
                .expect("a first part")
                .trim_end_matches(".rs")
                .to_owned();
            (
                below,
                room,
                fs::read_to_string(&path).expect("source is text"),
            )
        })
        .collect()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|row| row.contains(&room))
}

/// Names after `prefix` wherever it occurs in code, comments left out.
fn named<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(move |line| line.split(prefix).skip(1))
        .map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap_or_default()
        })
}

#[test]
fn every_room_has_its_floor() {
    let rooms: BTreeSet<String> = files()
        .into_iter()
        .map(|(_, room, _)| room)
        .filter(|room| room != "lib")
        .collect();
    let unknown: Vec<_> = rooms.iter().filter(|room| floor(room).is_none()).collect();
    assert!(unknown.is_empty(), "rooms without a floor: {unknown:?}");
}

#[test]
fn arrows_go_down_only() {
    let mut wrong = Vec::new();
    for (path, room, text) in files() {
        let Some(from) = floor(&room) else { continue };
        for prefix in ["crate::", "guestslim::"] {
            for name in named(&text, prefix) {
                if name != room && floor(name).is_some_and(|to| to <= from) {
                    wrong.push(format!("{path} uses {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// An error type that is not in `replay`'s list would lose its hint in both faces.
#[test]
fn every_error_that_explains_itself_is_asked() {
    let list = fs::read_to_string("src/replay/told.rs").expect("it is there");
    let (_, list) = list.split_once("one_of!(").expect("the list");
    let (list, _) = list.split_once(");").expect("its end");
    let asked: BTreeSet<&str> = named_once(list).collect();
    let mut found = BTreeSet::new();
    for (_, _, text) in files() {
        found.extend(named(&text, "impl Explain for ").map(str::to_owned));
    }
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, asked);
}

fn named_once(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (path, room, text) in files() {
        let code: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        for (name, rooms) in CRATES
            .iter()
            .filter(|(_, rooms)| !rooms.contains(&room.as_str()))
        {
            let (path_of, import) = (format!("{name}::"), format!("use {name}"));
            let is_named = |line: &&str| {
                let at = line.find(&path_of);
                at.is_some_and(|at| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                }) || line.trim_start().starts_with(&import)
            };
            if code.iter().any(is_named) {
                wrong.push(format!("{path} names {name}, which belongs to {rooms:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Code without comments and tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn package_formats_stay_in_their_folders() {
    let words = ["dpkg", "extended_states", "deb-systemd", "apt/lists"];
    let is_elsewhere = |path: &str| {
        let is_test = path.contains("tests") || path.ends_with("fixture.rs");
        !path.starts_with("pkgdb/") && !path.contains("journeys/") && !is_test
    };
    let mut wrong = Vec::new();
    for (path, _, text) in files().iter().filter(|(path, _, _)| is_elsewhere(path)) {
        for word in words
            .iter()
            .filter(|word| code(text).any(|line| line.contains(*word)))
        {
            wrong.push(format!("{path} knows {word}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn unsafe_code_is_in_its_few_files() {
    let allowed = ["guest/libguestfs/ffi.rs"];
    let is_tracer = |path: &str| path.starts_with("vm/tracer/");
    let with_unsafe: Vec<String> = files()
        .into_iter()
        .filter(|(_, _, text)| named(text, "unsafe ").any(|_| true))
        .map(|(path, _, _)| path)
        .filter(|path| !allowed.contains(&path.as_str()) && !is_tracer(path))
        .collect();
    assert!(with_unsafe.is_empty(), "{with_unsafe:?}");
}

#[test]
fn files_open_with_what_they_are_and_stay_short() {
    let mut wrong = Vec::new();
    for (path, _, text) in files() {
        if !text.starts_with("//!") && path != "lib.rs" {
            wrong.push(format!("{path} does not say what it is"));
        }
        let lines = text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!("{path} has {lines} lines"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
