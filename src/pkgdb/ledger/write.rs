//! The records without what goes, and the rules that keep it away.

use super::RECORDS;
use crate::model::{FileId, Inventory};
use crate::pkgdb::Format;
use crate::pkgdb::edits::{Change, Edits, Exclusions, NewText, free_name};

/// Packages leave the record with their lines; a file that goes alone stays recorded, as not there.
pub fn edits(change: &Change<'_>) -> Edits {
    let tree = &change.inventory.tree;
    let Some((&file, bytes)) = change.inventory.texts.iter().next() else {
        return Edits::default();
    };
    let mut content = Vec::new();
    let mut packages = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        packages += usize::from(line.starts_with(b"package "));
        if packages > 0 && change.packages.contains(packages - 1) {
            continue;
        }
        let path = line.strip_prefix(b"+ ").map(<[u8]>::trim_ascii);
        if path.is_some_and(|path| change.loses(path)) {
            content.push(b'-');
            content.extend_from_slice(&line[1..]);
        } else {
            content.extend_from_slice(line);
        }
    }
    if content == *bytes {
        return Edits::default();
    }
    Edits {
        texts: vec![NewText {
            path: tree.path(file),
            content,
            is_new: false,
            why: "its packages leave the ledger".to_owned(),
        }],
        ..Edits::default()
    }
}

/// One line a class, then one a file.
pub fn exclusions(format: &dyn Format, cut: &Exclusions<'_>) -> Option<NewText> {
    let inventory: &Inventory = cut.inventory;
    let classes = cut.rules.iter().filter_map(|rule| format.class(rule));
    let mut lines: Vec<Vec<u8>> = classes
        .flat_map(|class| class.exclusions)
        .map(|class| format!("never {class}\n").into_bytes())
        .collect();
    let files = cut.cut.ones().map(|at| FileId(at as u32));
    lines.extend(files.map(|file| [b"never ", &inventory.tree.path(file)[..], b"\n"].concat()));
    (!lines.is_empty()).then(|| NewText {
        path: free_name(&inventory.tree, RECORDS, b".never"),
        content: lines.concat(),
        is_new: true,
        why: "the next version does not bring back what was cut".to_owned(),
    })
}
