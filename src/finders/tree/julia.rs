//! Julia's depots: a project's `Manifest.toml` needs the packages that it names, a package the artifacts that its
//! `Artifacts.toml` names.
//!
//! A package's folder has one folder a version, named by a hash of what the manifest says; all versions count, in every
//! depot: which of them come first is a setting of who runs Julia.

use crate::finders::Scan;
use crate::finders::scan::MAX_RECORD;
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileTree};

/// Most depots: each package is looked for in all of them.
const MAX_DEPOTS: usize = 64;

/// The row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let depots = tree.ids().filter(|&file| is_depot(tree, file));
    let depots: Vec<FileId> = depots.take(MAX_DEPOTS).collect();
    if depots.is_empty() {
        return Ok(());
    }
    for &depot in &depots {
        scan.component("Julia depot", tree.path(depot), "", vec![depot], None);
        let packages = tree.child(depot, b"packages");
        for &package in packages.map_or(&[][..], |folder| tree.children(folder)) {
            let name = tree.name(package);
            scan.component("Julia package", name, "", vec![package], None);
        }
    }
    for file in tree.ids() {
        let name = tree.name(file);
        let is_manifest = matches!(name, b"Manifest.toml" | b"JuliaManifest.toml");
        if !is_manifest && name != b"Artifacts.toml" {
            continue;
        }
        let text = scan.whole(file, MAX_RECORD)?;
        let because = scan.because(file, Evidence::Read);
        for name in names(&text, is_manifest) {
            scan.check()?;
            let folder = if is_manifest {
                &b"packages"[..]
            } else {
                b"artifacts"
            };
            let inner = depots
                .iter()
                .filter_map(|&depot| tree.child(tree.child(depot, folder)?, &name));
            for inner in inner {
                scan.found.need(because, inner, &name);
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
