//! spack's packages: a folder with `.spack/spec.json`, whose first node is the package itself.

use super::{MAX_RECORD, Unit};
use crate::finders::{Because, Facts, Found, Source};
use crate::job::{Cancelled, Job};
use crate::model::{Evidence, FileId, FileTree, Node, Warning, text::escape};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct File {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    nodes: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    hash: String,
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    #[serde(default)]
    hash: String,
    /// Where spack up to 0.20 says what it is for.
    #[serde(default, rename = "type")]
    kinds: Vec<String>,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Deserialize, Default)]
struct Parameters {
    #[serde(default)]
    deptypes: Vec<String>,
}

impl Dependency {
    fn is_for_running(&self) -> bool {
        let mut kinds = self.kinds.iter().chain(&self.parameters.deptypes);
        kinds.any(|kind| kind == "run" || kind == "link")
    }
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
    let mut packages = Vec::new();
    let mut by_hash = BTreeMap::new();
    for folder in tree.ids().filter(|&file| tree.name(file) == b".spack") {
        job.check()?;
        let Some(file) = tree.child(folder, b"spec.json") else {
            continue;
        };
        if let Some(package) = read(tree, source, file, found) {
            by_hash.insert(package.hash.clone(), file);
            packages.push((file, package));
        }
    }
    for (file, package) in packages {
        let because = Because {
            finder,
            from: Node::File(file),
            evidence: Evidence::Declared,
        };
        let needed = package
            .dependencies
            .iter()
            .filter(|one| one.is_for_running());
        for dependency in needed {
            if let Some(&other) = by_hash.get(&dependency.hash) {
                found.need(because, Node::File(other), dependency.name.as_bytes());
            }
        }
        let unit = Unit {
            kind: "spack package",
            name: package.name,
            version: package.version,
            record: file,
            parts: vec![tree.parent(tree.parent(file))],
        };
        unit.add(finder, facts, found);
    }
    Ok(())
}

fn read(
    tree: &FileTree,
    source: &mut dyn Source,
    file: FileId,
    found: &mut Found,
) -> Option<Package> {
    let bytes = source.read(tree, file, 0, MAX_RECORD);
    match serde_json::from_slice::<File>(&bytes) {
        // A prefix right below the root would make the whole guest one unit.
        Ok(mut spec)
            if !spec.spec.nodes.is_empty() && tree.parent(tree.parent(file)) != FileId::ROOT =>
        {
            Some(spec.spec.nodes.swap_remove(0))
        }
        Ok(_) => None,
        Err(error) => {
            let text = format!("no spack record: {}", escape(error.to_string().as_bytes()));
            found.warnings.push(Warning::new(&tree.path(file), text));
            None
        }
    }
}
