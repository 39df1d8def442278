//! spack's packages: a folder with `.spack/spec.json`, whose first node is the package itself.

use super::Unit;
use crate::finders::Scan;
use crate::job::Cancelled;
use crate::model::{Evidence, FileId};
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
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let mut packages = Vec::new();
    let mut by_hash = BTreeMap::new();
    for folder in tree.ids().filter(|&file| tree.name(file) == b".spack") {
        let Some(file) = tree.child(folder, b"spec.json") else {
            continue;
        };
        // A prefix right below the root would make the whole guest one unit.
        if let Some(File { mut spec }) = scan.record(file, "spack")?
            && !spec.nodes.is_empty()
            && tree.parent(folder) != FileId::ROOT
        {
            let package = spec.nodes.swap_remove(0);
            by_hash.insert(package.hash.clone(), file);
            packages.push((file, package));
        }
    }
    for (file, package) in packages {
        let because = scan.because(file, Evidence::Declared);
        let needed = package
            .dependencies
            .iter()
            .filter(|one| one.is_for_running());
        for dependency in needed {
            if let Some(&other) = by_hash.get(&dependency.hash) {
                scan.found.need(because, other, dependency.name.as_bytes());
            }
        }
        let unit = Unit {
            kind: "spack package",
            name: package.name,
            version: package.version,
            record: file,
            parts: vec![tree.parent(tree.parent(file))],
        };
        unit.add(scan);
    }
    Ok(())
}
