//! Java runtimes: a folder with `bin/java` and a virtual machine. The program opens the machine by a relative path, so the
//! whole folder is one unit.

use super::Unit;
use crate::finders::Scan;
use crate::job::Cancelled;
use crate::model::{FileId, FileTree};

/// The row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    for program in scan.regular(|tree, file| tree.name(file) == b"java") {
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
            version: version(scan, home)?,
            record: program,
            parts: vec![home],
        };
        unit.add(scan);
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
fn version(scan: &mut Scan<'_>, home: FileId) -> Result<String, Cancelled> {
    let Some(file) = scan.tree().child(home, b"release") else {
        return Ok(String::new());
    };
    let text = scan.text(file)?;
    let mut lines = text.split(|&byte| byte == b'\n');
    let version = lines.find_map(|line| line.strip_prefix(b"JAVA_VERSION="));
    let version = String::from_utf8_lossy(version.unwrap_or_default());
    Ok(version.trim_matches('"').to_owned())
}
