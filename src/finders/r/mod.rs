//! R: its home, its packages as whole folders, and the packages that scripts load.
//!
//! A package is one unit: R looks at its `DESCRIPTION`, its index files and its database of code by name, and says that the
//! package is not there when one of them is missing. Any file of it therefore needs all of it.

mod library;
mod script;

use super::{Facts, Head, Scan, programs};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, Module, Warnings};
use library::{Home, Package};

/// Longest script that is read.
const MAX_SCRIPT: usize = 256 << 10;
/// Most scripts that are read.
const MAX_SCRIPTS: usize = 5000;
/// What the shell script that starts R calls.
const HELPERS: [&[u8]; 5] = [b"sed", b"uname", b"expr", b"cat", b"rm"];

/// The row function of `r-home`: R needs its base packages, configuration and plug-ins.
pub fn home(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let homes = library::homes(tree);
    let packages = library::packages(tree, scan.source, &homes, &mut Warnings::default());
    let mut bases: Vec<Vec<FileId>> = vec![Vec::new(); homes.len()];
    for package in packages.iter().filter(|package| package.is_base) {
        if let Some(base) = bases.get_mut(package.home) {
            base.push(package.folder);
        }
    }
    for (at, (home, mut parts)) in homes.iter().zip(bases).enumerate() {
        scan.check()?;
        let own = [&b"etc"[..], b"modules", b"share"];
        parts.extend(own.iter().filter_map(|name| tree.child(home.folder, name)));
        parts.extend(tree.lookup(b"/usr/share/R/share").filter(|_| at == 0));
        for from in home.programs(tree) {
            let because = scan.because(from, Evidence::Convention);
            for &part in &parts {
                scan.found.need(because, part, tree.name(part));
            }
            let inner = home.inner(tree).filter(|&inner| inner != from);
            let script = home.script(tree).filter(|_| tree.name(from) == b"Rscript");
            for file in inner.into_iter().chain(script) {
                scan.found.need(because, file, tree.name(file));
            }
            if Some(from) == home.script(tree) {
                for helper in HELPERS {
                    if let Some(end) = programs::find(tree, helper) {
                        scan.found.chain(because, &end, helper);
                    }
                }
            }
        }
    }
    Ok(())
}

/// The row function of `r-package`: a package's files need the package, its R, and the packages that it declares.
pub fn package(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let homes = library::homes(tree);
    let packages = library::packages(tree, scan.source, &homes, &mut scan.found.warnings);
    let index = library::Index::new(&packages);
    for package in &packages {
        scan.check()?;
        let because = scan.because(package.description, Evidence::Convention);
        let what = package.name.as_bytes();
        scan.found.need(because, package.folder, what);
        let home = homes.get(package.home);
        let start = home.and_then(|home| home.script(tree).or_else(|| home.inner(tree)));
        if let Some(file) = start {
            scan.found.need(because, file, b"R");
        }
        for file in package.code(tree) {
            let because = scan.because(file, Evidence::Convention);
            scan.found.need(because, package.description, what);
        }
        let because = scan.because(package.description, Evidence::Declared);
        for name in &package.needs {
            match index.find(package.home, name) {
                Some(other) => scan.found.need(because, other.description, name.as_bytes()),
                None => scan.found.miss(because, name.as_bytes()),
            }
        }
        add_module(scan, home, package);
    }
    Ok(())
}

fn add_module(scan: &mut Scan<'_>, home: Option<&Home>, package: &Package) {
    let tree = scan.tree();
    let place = home.map_or(FileId::ROOT, |home| tree.parent(tree.parent(home.folder)));
    let number = scan.component(
        if package.is_base {
            "R base package"
        } else {
            "R package"
        },
        &package.name,
        &package.version,
        vec![package.folder],
        Some(package.description),
    );
    scan.found.components.modules.push(Module {
        language: "r",
        name: package.name.clone(),
        place,
        files: vec![package.description],
        whole: vec![package.folder],
        component: Some(number),
    });
}

/// The row function of `r-script`: scripts need the packages that they load.
pub fn scripts(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let homes = library::homes(tree);
    let packages = library::packages(tree, scan.source, &homes, &mut Warnings::default());
    if packages.is_empty() {
        return Ok(());
    }
    let index = library::Index::new(&packages);
    let facts = scan.facts;
    let files = scan.regular(|_, file| is_script(facts, file));
    for file in scan.first(MAX_SCRIPTS, files, "R scripts") {
        let because = scan.because(file, Evidence::Read);
        for load in script::loads(&scan.read(file, MAX_SCRIPT)?) {
            let what = load.package.as_bytes();
            match index.find(0, &load.package) {
                Some(package) => scan.found.need(because, package.description, what),
                None if load.is_certain => scan.found.miss(because, what),
                None => {}
            }
        }
    }
    Ok(())
}

/// A script of the scientist's own by its name, anybody's by its first line.
fn is_script(facts: &Facts<'_>, file: FileId) -> bool {
    let tree = &facts.inventory.tree;
    let name = tree.name(file);
    let is_named = name.ends_with(b".R") || name.ends_with(b".r") || name.ends_with(b".Rmd");
    let is_started = matches!(&facts.heads[file.index()], Head::Script(line)
        if line.windows(7).any(|window| window == b"Rscript"));
    is_started || (is_named && facts.inventory.owner(file).is_none())
}

#[cfg(test)]
mod tests;
