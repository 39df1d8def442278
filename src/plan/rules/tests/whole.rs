//! The rules over all file names of a distribution.

use super::{dpkg_excludes, guest, named};
use crate::model::{Entry, FileKind, TreeBuilder};
use crate::plan::rules::{RULES, Subject};
use std::collections::BTreeMap;

/// All file names of a distribution, where apt's index of them was fetched and unpacked:
/// `apt-get -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=true update`, then `apt-helper cat-file`.
#[test]
fn no_glob_takes_what_is_outside_of_its_class_in_a_whole_distribution() {
    let Some(path) = std::env::var_os("GUESTSLIM_CONTENTS") else {
        println!("not walked: GUESTSLIM_CONTENTS names no index of a distribution's files");
        return;
    };
    let index = std::fs::read(path).expect("the index can be read");
    let mut rows: Vec<(Vec<u8>, String)> = index
        .split(|&byte| byte == b'\n')
        .filter_map(index_row)
        .collect();
    let mut builder = TreeBuilder::default();
    for (path, _) in &rows {
        builder.add_path(path, Entry::new(FileKind::Regular));
    }
    let mut guest = guest(builder.finish().0);
    // A path that is a folder in one package and a file in another is in no guest.
    rows.retain(|row| guest.tree.lookup(&row.0).is_some());
    let mut names: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for (path, owner) in &rows {
        let file = guest.tree.lookup(path).expect("it was just added");
        guest.owners[file.index()] = names.binary_search(&owner.as_str()).expect("a name") as u32;
    }
    guest.packages = names.iter().map(|name| named(name)).collect();
    let mut outside: BTreeMap<(&str, &str), (u32, String)> = BTreeMap::new();
    for (path, owner) in &rows {
        let file = guest.tree.lookup(path).expect("it was just added");
        let subject = Subject::new(&guest, file, path);
        let text = String::from_utf8_lossy(path);
        for rule in RULES.iter().filter(|rule| dpkg_excludes(rule, &text)) {
            if !(rule.matches)(&subject) {
                let row = outside.entry((rule.id, owner)).or_default();
                *row = (row.0 + 1, text.to_string());
            }
        }
    }
    assert!(
        outside.is_empty(),
        "{} files walked: {outside:#?}",
        rows.len()
    );
}

/// A path and its first package; `path  section/package,section/other`.
fn index_row(line: &[u8]) -> Option<(Vec<u8>, String)> {
    let at = line.iter().rposition(|&byte| byte == b' ')?;
    let path = line[..at].trim_ascii();
    let path = match path.strip_prefix(b"lib/") {
        Some(rest) => [b"/usr/lib/", rest].concat(),
        None => [b"/", path].concat(),
    };
    let first = line[at + 1..].split(|&byte| byte == b',').next()?;
    let name = first.rsplit(|&byte| byte == b'/').next()?;
    Some((path, String::from_utf8_lossy(name).into_owned()))
}
