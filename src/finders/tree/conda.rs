//! conda environments: `conda-meta/NAME-VERSION-BUILD.json` of each package, with its files and dependencies.

use super::Unit;
use crate::finders::Scan;
use crate::job::Cancelled;
use crate::model::{Evidence, FileId};
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
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let folders: Vec<FileId> = tree
        .ids()
        .filter(|&file| tree.name(file) == b"conda-meta" && tree.is_directory(file))
        .collect();
    for meta in folders {
        let mut records = BTreeMap::new();
        for &file in tree.children(meta) {
            if tree.name(file).ends_with(b".json")
                && let Some(record) = scan.record::<Record>(file, "conda")?
            {
                records.insert(record.name.clone(), (file, record));
            }
        }
        if !records.is_empty() {
            add(scan, tree.parent(meta), records);
        }
    }
    Ok(())
}

fn add(scan: &mut Scan<'_>, prefix: FileId, records: BTreeMap<String, (FileId, Record)>) {
    let tree = scan.tree();
    scan.component(
        "conda environment",
        tree.path(prefix),
        "",
        vec![prefix],
        None,
    );
    for (file, record) in records.values() {
        let because = scan.because(*file, Evidence::Declared);
        for depend in &record.depends {
            let name = depend.split_whitespace().next().unwrap_or_default();
            match records.get(name) {
                Some((other, _)) => scan.found.need(because, *other, depend.as_bytes()),
                // `__glibc` and the like are what the host has.
                None if name.starts_with("__") || name.is_empty() => {}
                None => scan.found.miss(because, depend.as_bytes()),
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
        unit.add(scan);
    }
}
