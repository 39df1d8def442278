//! Julia's depots: a project's `Manifest.toml` needs the packages that it names, a package the artifacts that its
//! `Artifacts.toml` names.
//!
//! A package's folder has one folder a version, named by a hash of what the manifest says; all versions count.

use super::MAX_RECORD;
use crate::finders::{Because, Facts, Found, Source};
use crate::job::{Cancelled, Job};
use crate::model::{Component, Evidence, FileId, FileTree, Node};

/// The row function.
pub fn find(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let depots: Vec<FileId> = tree.ids().filter(|&file| is_depot(tree, file)).collect();
    if depots.is_empty() {
        return Ok(());
    }
    for &depot in &depots {
        found.components.all.push(Component {
            kind: "Julia depot",
            name: String::from_utf8_lossy(&tree.path(depot)).into_owned(),
            version: String::new(),
            parts: vec![depot],
            metadata: Vec::new(),
        });
        add_packages(tree, depot, found);
    }
    for file in tree.ids() {
        let name = tree.name(file);
        let is_manifest = matches!(name, b"Manifest.toml" | b"JuliaManifest.toml");
        if !is_manifest && name != b"Artifacts.toml" {
            continue;
        }
        job.check()?;
        let text = source.read(tree, file, 0, MAX_RECORD);
        let because = Because {
            finder,
            from: Node::File(file),
            evidence: Evidence::Read,
        };
        for name in names(&text, is_manifest) {
            let folder = if is_manifest {
                &b"packages"[..]
            } else {
                b"artifacts"
            };
            let inner = depots
                .iter()
                .find_map(|&depot| tree.child(tree.child(depot, folder)?, &name));
            if let Some(inner) = inner {
                found.need(because, Node::File(inner), &name);
            }
        }
    }
    Ok(())
}

/// `~/.julia` by name, others by what is in them.
fn is_depot(tree: &FileTree, folder: FileId) -> bool {
    let has = |name: &[u8]| {
        tree.child(folder, name)
            .is_some_and(|child| tree.is_directory(child))
    };
    tree.is_directory(folder)
        && has(b"packages")
        && (tree.name(folder) == b".julia" || (has(b"artifacts") && has(b"compiled")))
}

fn add_packages(tree: &FileTree, depot: FileId, found: &mut Found) {
    let packages = tree.child(depot, b"packages");
    for &package in packages.map_or(&[][..], |folder| tree.children(folder)) {
        found.components.all.push(Component {
            kind: "Julia package",
            name: String::from_utf8_lossy(tree.name(package)).into_owned(),
            version: String::new(),
            parts: vec![package],
            metadata: Vec::new(),
        });
    }
}

/// The packages of a manifest (`[[deps.Foo]]`, before version 2 `[[Foo]]`), or the hashes of artifacts.
fn names(text: &[u8], is_manifest: bool) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = text
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter_map(|line| {
            if is_manifest {
                let name = line.strip_prefix(b"[[")?.strip_suffix(b"]]")?;
                return Some(name.strip_prefix(b"deps.").unwrap_or(name).to_vec());
            }
            let value = line.strip_prefix(b"git-tree-sha1")?.trim_ascii_start();
            let value = value.strip_prefix(b"=")?.trim_ascii_start();
            let value = value.strip_prefix(b"\"")?;
            Some(value.split(|&byte| byte == b'"').next()?.to_vec())
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
