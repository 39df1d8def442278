//! conda environments: `conda-meta/NAME-VERSION-BUILD.json` of each package, with its files and what it depends on.

use super::{MAX_RECORD, Unit};
use crate::finders::{Because, Facts, Found, Source};
use crate::job::{Cancelled, Job};
use crate::model::{Component, Evidence, FileId, FileTree, Node, Warning, text::escape};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The fields of a record that matter here.
#[derive(Deserialize)]
struct Record {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    depends: Vec<String>,
    #[serde(default)]
    files: Vec<String>,
}

/// The row function.
pub fn find(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let folders: Vec<FileId> = tree
        .ids()
        .filter(|&file| tree.name(file) == b"conda-meta" && tree.is_directory(file))
        .collect();
    for meta in folders {
        let mut records = BTreeMap::new();
        for &file in tree.children(meta) {
            job.check()?;
            if let Some(record) = read(tree, source, file, found) {
                records.insert(record.name.clone(), (file, record));
            }
        }
        if !records.is_empty() {
            add(finder, facts, tree.parent(meta), records, found);
        }
    }
    Ok(())
}

fn read(
    tree: &FileTree,
    source: &mut dyn Source,
    file: FileId,
    found: &mut Found,
) -> Option<Record> {
    if !tree.name(file).ends_with(b".json") {
        return None;
    }
    let bytes = source.read(tree, file, 0, MAX_RECORD);
    match serde_json::from_slice(&bytes) {
        Ok(record) => Some(record),
        Err(error) => {
            let text = format!("no conda record: {}", escape(error.to_string().as_bytes()));
            found.warnings.push(Warning::new(&tree.path(file), text));
            None
        }
    }
}

fn add(
    finder: u8,
    facts: &Facts<'_>,
    prefix: FileId,
    records: BTreeMap<String, (FileId, Record)>,
    found: &mut Found,
) {
    let tree = &facts.inventory.tree;
    found.components.all.push(Component {
        kind: "conda environment",
        name: String::from_utf8_lossy(&tree.path(prefix)).into_owned(),
        version: String::new(),
        parts: vec![prefix],
        metadata: Vec::new(),
    });
    for (file, record) in records.values() {
        let because = Because {
            finder,
            from: Node::File(*file),
            evidence: Evidence::Declared,
        };
        for depend in &record.depends {
            let name = depend.split_whitespace().next().unwrap_or_default();
            match records.get(name) {
                Some((other, _)) => found.need(because, Node::File(*other), depend.as_bytes()),
                // `__glibc` and the like are what the host has.
                None if name.starts_with("__") || name.is_empty() => {}
                None => found.miss(because, depend.as_bytes()),
            }
        }
    }
    let path = tree.path(prefix);
    for (file, record) in records.into_values() {
        let inside = |name: &String| tree.lookup(&[&path, name.as_bytes()].join(&b'/'));
        let parts = record.files.iter().filter_map(inside);
        let unit = Unit {
            kind: "conda package",
            name: record.name,
            version: record.version,
            record: file,
            parts: parts.filter(|&part| !tree.is_directory(part)).collect(),
        };
        unit.add(finder, facts, found);
    }
}
