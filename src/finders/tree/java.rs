//! Java runtimes: a folder with `bin/java` and a virtual machine. The program opens the machine by a path of its own, and the
//! whole folder is one unit.

use super::Unit;
use crate::finders::{Facts, Found, Source};
use crate::job::{Cancelled, Job};
use crate::model::{FileId, FileKind, FileTree};

/// The row function.
pub fn find(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let programs = tree
        .ids()
        .filter(|&file| tree.name(file) == b"java" && tree.kind(file) == FileKind::Regular);
    for program in programs {
        job.check()?;
        let home = tree.parent(tree.parent(program));
        if home == FileId::ROOT
            || tree.name(tree.parent(program)) != b"bin"
            || !is_runtime(tree, home)
        {
            continue;
        }
        let unit = Unit {
            kind: "Java runtime",
            name: String::from_utf8_lossy(tree.name(home)).into_owned(),
            version: version(tree, source, home),
            record: program,
            parts: vec![home],
        };
        unit.add(finder, facts, found);
    }
    Ok(())
}

/// Whether a folder holds a virtual machine, as since Java 9 or before.
fn is_runtime(tree: &FileTree, home: FileId) -> bool {
    [
        &b"lib/server/libjvm.so"[..],
        b"lib/amd64/server/libjvm.so",
        b"jre/lib/rt.jar",
        b"lib/rt.jar",
    ]
    .iter()
    .any(|path| tree.resolve_from(home, path, true).is_some())
}

/// `JAVA_VERSION="17.0.9"` of the file `release`.
fn version(tree: &FileTree, source: &mut dyn Source, home: FileId) -> String {
    let text = tree
        .child(home, b"release")
        .map(|file| source.read(tree, file, 0, 64 << 10))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines()
        .find_map(|line| line.strip_prefix("JAVA_VERSION="))
        .map(|version| version.trim_matches('"').to_owned())
        .unwrap_or_default()
}
