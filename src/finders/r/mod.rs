//! R: its home, its packages as whole folders, and the packages that scripts load.
//!
//! A package is one unit: R looks at its `DESCRIPTION`, its index files and its database of code by name, and says that the
//! package is not there when one of them is missing. Any file of it therefore needs all of it.

mod library;
mod script;

use super::{Because, Facts, Found, Head, Source, programs};
use crate::job::{Cancelled, Job};
use crate::model::{Component, Evidence, FileId, FileKind, FileTree, Module, Node, Warning};
use library::{Home, Package};

/// Longest script that is read.
const MAX_SCRIPT: usize = 256 << 10;
/// Most scripts that are read.
const MAX_SCRIPTS: usize = 5000;
/// What the shell script that starts R calls.
const HELPERS: [&[u8]; 5] = [b"sed", b"uname", b"expr", b"cat", b"rm"];

/// The row function of `r-home`: R needs its base packages, configuration and plug-ins.
pub fn home(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let homes = library::homes(tree);
    for (at, home) in homes.iter().enumerate() {
        job.check()?;
        let packages = library::packages(tree, source, &homes, &mut Vec::new());
        let base = packages
            .iter()
            .filter(|package| package.home == at && package.is_base);
        let mut parts: Vec<FileId> = base.map(|package| package.folder).collect();
        let own = [&b"etc"[..], b"modules", b"share"];
        parts.extend(own.iter().filter_map(|name| tree.child(home.folder, name)));
        parts.extend(tree.lookup(b"/usr/share/R/share").filter(|_| at == 0));
        for from in home.programs(tree) {
            let because = Because {
                finder,
                from: Node::File(from),
                evidence: Evidence::Convention,
            };
            for &part in &parts {
                found.need(because, Node::File(part), tree.name(part));
            }
            let inner = home.inner(tree).filter(|&inner| inner != from);
            let script = home.script(tree).filter(|_| tree.name(from) == b"Rscript");
            for file in inner.into_iter().chain(script) {
                found.need(because, Node::File(file), tree.name(file));
            }
            if Some(from) == home.script(tree) {
                for helper in HELPERS {
                    if let Some(end) = programs::find(tree, helper) {
                        found.chain(because, &end, helper);
                    }
                }
            }
        }
    }
    Ok(())
}

/// The row function of `r-package`: a package's files need the package, its R, and the packages that it declares.
pub fn package(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let homes = library::homes(tree);
    let packages = library::packages(tree, source, &homes, &mut found.warnings);
    for package in &packages {
        job.check()?;
        let mut because = Because {
            finder,
            from: Node::File(package.description),
            evidence: Evidence::Convention,
        };
        let what = package.name.as_bytes();
        found.need(because, Node::File(package.folder), what);
        let home = homes.get(package.home);
        let start = home.and_then(|home| home.script(tree).or_else(|| home.inner(tree)));
        if let Some(file) = start {
            found.need(because, Node::File(file), b"R");
        }
        for file in package.code(tree) {
            let because = Because {
                from: Node::File(file),
                ..because
            };
            found.need(because, Node::File(package.description), what);
        }
        because.evidence = Evidence::Declared;
        for name in &package.needs {
            match library::find(&packages, package.home, name) {
                Some(other) => found.need(because, Node::File(other.description), name.as_bytes()),
                None => found.miss(because, name.as_bytes()),
            }
        }
        add_module(tree, home, package, found);
    }
    Ok(())
}

fn add_module(tree: &FileTree, home: Option<&Home>, package: &Package, found: &mut Found) {
    let place = home.map_or(FileId::ROOT, |home| tree.parent(tree.parent(home.folder)));
    let number = found.components.all.len() as u32;
    found.components.all.push(Component {
        kind: "R package",
        name: package.name.clone(),
        version: package.version.clone(),
        parts: vec![package.folder],
        metadata: vec![package.description],
    });
    found.components.modules.push(Module {
        language: "r",
        name: package.name.clone(),
        place,
        files: vec![package.description],
        whole: vec![package.folder],
        component: Some(number),
    });
}

/// The row function of `r-script`: scripts need the packages that they load.
pub fn scripts(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let homes = library::homes(tree);
    let packages = library::packages(tree, source, &homes, &mut Vec::new());
    if packages.is_empty() {
        return Ok(());
    }
    let files: Vec<FileId> = tree.ids().filter(|&file| is_script(facts, file)).collect();
    if files.len() > MAX_SCRIPTS {
        let text = format!("only the first {MAX_SCRIPTS} R scripts were read");
        found.warnings.push(Warning::new(b"", text));
    }
    for file in files.into_iter().take(MAX_SCRIPTS) {
        job.check()?;
        let because = Because {
            finder,
            from: Node::File(file),
            evidence: Evidence::Read,
        };
        for load in script::loads(&source.read(tree, file, 0, MAX_SCRIPT)) {
            match library::find(&packages, 0, &load.package) {
                Some(package) => {
                    found.need(
                        because,
                        Node::File(package.description),
                        load.package.as_bytes(),
                    );
                }
                None if load.is_certain => found.miss(because, load.package.as_bytes()),
                None => {}
            }
        }
    }
    Ok(())
}

/// A script of the scientist's own by its name, anybody's by its first line.
fn is_script(facts: &Facts<'_>, file: FileId) -> bool {
    let tree = &facts.inventory.tree;
    if tree.kind(file) != FileKind::Regular {
        return false;
    }
    let name = tree.name(file);
    let is_named = name.ends_with(b".R") || name.ends_with(b".r") || name.ends_with(b".Rmd");
    let is_started = matches!(&facts.heads[file.index()], Head::Script(line)
        if line.windows(7).any(|window| window == b"Rscript"));
    is_started || (is_named && facts.inventory.owner(file).is_none())
}

#[cfg(test)]
mod tests;
