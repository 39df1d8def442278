//! Installed distributions: what belongs to one, and what it requires.

use super::environment::{Environment, text_in};
use crate::finders::{Scan, Source};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileTree};
use std::collections::{BTreeMap, BTreeSet};

/// One distribution, or a package that none claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Its normalised name.
    pub name: String,
    /// Its version, where its metadata is named by it.
    pub version: String,
    /// Files and folders right in the site.
    pub parts: Vec<FileId>,
    /// The part that says what it is.
    pub metadata: Option<FileId>,
    /// Normalised names of what it requires without asking for an extra.
    pub requires: Vec<String>,
}

/// Most distributions that share a file or folder right in a site, as those of one big namespace package do.
const MAX_SHARED: u32 = 64;

/// The distributions of a site, and its other packages as units of their own.
pub fn units(tree: &FileTree, source: &mut dyn Source, site: FileId) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut claims: BTreeMap<FileId, u32> = BTreeMap::new();
    let mut alike: BTreeMap<String, Vec<FileId>> = BTreeMap::new();
    for &part in tree.children(site) {
        if metadata_stem(tree.name(part)).is_none() {
            let own = tree.name(part).split(|&byte| byte == b'.').next();
            let own = String::from_utf8_lossy(own.unwrap_or_default());
            alike.entry(normal(&own)).or_default().push(part);
        }
    }
    for &folder in tree.children(site) {
        let Some(stem) = metadata_stem(tree.name(folder)) else {
            continue;
        };
        let mut parts = top_level(tree, source, site, folder);
        let name = normal(&String::from_utf8_lossy(stem));
        parts.extend(alike.get(&name).into_iter().flatten());
        parts.insert(folder);
        parts.retain(|&part| {
            let count = claims.entry(part).or_default();
            *count += 1;
            *count <= MAX_SHARED
        });
        units.push(Unit {
            name,
            version: metadata_version(tree.name(folder)),
            metadata: Some(folder),
            requires: requires(tree, source, folder),
            parts: parts.into_iter().collect(),
        });
    }
    let others = tree
        .children(site)
        .iter()
        .copied()
        .filter(|part| !claims.contains_key(part));
    units.extend(others.map(|part| Unit {
        name: String::from_utf8_lossy(tree.name(part)).into_owned(),
        version: String::new(),
        metadata: None,
        parts: vec![part],
        requires: Vec::new(),
    }));
    units
}

/// `numpy` of `numpy-1.24.2.dist-info`.
fn metadata_stem(name: &[u8]) -> Option<&[u8]> {
    let stem = name
        .strip_suffix(b".dist-info")
        .or_else(|| name.strip_suffix(b".egg-info"))?;
    stem.split(|&byte| byte == b'-').next()
}

/// `1.24.2` of `numpy-1.24.2.dist-info`.
fn metadata_version(name: &[u8]) -> String {
    let stem = name
        .strip_suffix(b".dist-info")
        .or_else(|| name.strip_suffix(b".egg-info"))
        .unwrap_or(name);
    let version = stem.split(|&byte| byte == b'-').nth(1);
    String::from_utf8_lossy(version.unwrap_or_default()).into_owned()
}

/// As PEP 503 writes names: lower case, runs of `-_.` as one dash.
fn normal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// The entries of the site that RECORD or `top_level.txt` name. Paths that leave the site (scripts) are no part of it.
fn top_level(
    tree: &FileTree,
    source: &mut dyn Source,
    site: FileId,
    metadata: FileId,
) -> BTreeSet<FileId> {
    let mut names: BTreeSet<Vec<u8>> = BTreeSet::new();
    let record = text_in(tree, source, metadata, b"RECORD").unwrap_or_default();
    for line in record.split(|&byte| byte == b'\n') {
        let first = line
            .split(|&byte| byte == b'/' || byte == b',')
            .next()
            .unwrap_or_default();
        names.insert(first.trim_ascii().to_vec());
    }
    let listed = text_in(tree, source, metadata, b"top_level.txt").unwrap_or_default();
    for name in listed.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        names.insert(name.to_vec());
        names.insert([name, b".py"].concat());
    }
    names
        .iter()
        .filter(|name| {
            !matches!(
                name.as_slice(),
                b"" | b"." | b".." | b"__pycache__" | b".py"
            )
        })
        .filter_map(|name| tree.child(site, name))
        .collect()
}

/// `Requires-Dist` of METADATA without those for an extra only.
fn requires(tree: &FileTree, source: &mut dyn Source, metadata: FileId) -> Vec<String> {
    let bytes = text_in(tree, source, metadata, b"METADATA").unwrap_or_default();
    let mut found: Vec<String> = bytes
        .split(|&byte| byte == b'\n')
        .take_while(|line| !line.trim_ascii().is_empty())
        .filter_map(|line| line.strip_prefix(b"Requires-Dist:"))
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .filter(|line| !line.contains("extra =="))
        .map(|line| {
            let line = line.trim();
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
            let end = line.find(|c| !is_name(c)).unwrap_or(line.len());
            normal(&line[..end])
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// A distribution's entries need all of it, its interpreter, and what it requires. The first one stands for the others, so
/// that a long list of entries makes no more edges than there are files.
pub fn needs(
    scan: &mut Scan<'_>,
    environment: &Environment,
    unit: &Unit,
    by_name: &BTreeMap<&str, &Unit>,
) -> Result<(), Cancelled> {
    let tree = scan.tree();
    // A part may go on in another site of the same environment.
    let elsewhere = |part: FileId| {
        let sites = environment.sites.iter().copied();
        sites
            .filter(move |&site| site != tree.parent(part))
            .filter_map(move |site| tree.child(site, tree.name(part)))
    };
    let members: Vec<FileId> = unit
        .parts
        .iter()
        .flat_map(|&part| elsewhere(part).chain([part]))
        .flat_map(|part| members(tree, part))
        .collect();
    let entries: Vec<FileId> = unit
        .parts
        .iter()
        .filter_map(|&part| entry(tree, part))
        .collect();
    for &entry in &entries {
        let because = scan.because(entry, Evidence::Component);
        let first = entries.first().filter(|&&first| first != entry);
        for &member in first.map_or(members.as_slice(), std::slice::from_ref) {
            scan.found.need(because, member, unit.name.as_bytes());
        }
        let because = scan.because(entry, Evidence::Convention);
        if let Some(interpreter) = environment.interpreter {
            scan.found.need(because, interpreter, b"python");
            if let Some(end) = tree.follow(interpreter) {
                scan.found.chain(because, &end, b"python");
            }
        }
        let because = scan.because(entry, Evidence::Declared);
        for name in &unit.requires {
            scan.check()?;
            let required = by_name.get(name.as_str());
            for part in required.into_iter().flat_map(|unit| &unit.parts) {
                if let Some(to) = entry_of(tree, *part) {
                    scan.found.need(because, to, name.as_bytes());
                }
            }
        }
    }
    Ok(())
}

/// The file whose presence means that a distribution is in use: a package's `__init__.py`, a module, an extension.
pub fn entry(tree: &FileTree, part: FileId) -> Option<FileId> {
    if tree.is_directory(part) {
        tree.child(part, b"__init__.py")
    } else {
        let name = tree.name(part);
        (name.ends_with(b".py") || name.ends_with(b".so")).then_some(part)
    }
}

/// Like [`entry`], and the metadata of a distribution that has no code.
fn entry_of(tree: &FileTree, part: FileId) -> Option<FileId> {
    entry(tree, part).or_else(|| {
        tree.is_directory(part)
            .then(|| tree.child(part, b"METADATA"))
            .flatten()
    })
}

/// All files of a part but test suites and byte code (which follows its source).
fn members(tree: &FileTree, part: FileId) -> Vec<FileId> {
    let mut found = Vec::new();
    let mut at = part.0;
    let end = tree.subtree(part).end;
    while at < end {
        let file = FileId(at);
        if tree.is_directory(file) && matches!(tree.name(file), b"tests" | b"test" | b"__pycache__")
        {
            at = tree.subtree(file).end;
            continue;
        }
        if !tree.is_directory(file) {
            found.push(file);
        }
        at += 1;
    }
    found
}
