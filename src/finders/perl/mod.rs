//! Perl: the modules that scripts and modules use, found through `@INC`, with their compiled halves.
//!
//! A module brings what it names, its `auto` folder (shared object and pieces for the autoloader), and, where it works out at
//! run time what it loads, the folder of its own name. Perl's Unicode tables are opened late by its core, so that any module
//! of the big standard library brings them.

mod include;
mod source;

use super::{Because, Facts, Found, Head, Scan};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileTree, Module};
use include::Include;

/// Longest source that is read.
const MAX_SOURCE: usize = 256 << 10;
/// Most folders that one source adds to those in which modules are looked for.
const MAX_FOLDERS: usize = 64;
/// Most sources that are read.
const MAX_SOURCES: usize = 30_000;

/// The row function of `perl-module`.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let include = Include::new(tree, &mut scan.found.patterns);
    if include.roots.is_empty() {
        return Ok(());
    }
    let facts = scan.facts;
    let sources =
        scan.regular(|_, file| is_script(facts, file) || include.module(tree, file).is_some());
    let sources = scan.first(MAX_SOURCES, sources, "Perl sources");
    for (done, &file) in sources.iter().enumerate() {
        scan.check()?;
        scan.report("reading Perl sources", done, sources.len());
        let because = scan.because(file, Evidence::Read);
        let uses = source::uses(&scan.read(file, MAX_SOURCE)?);
        add_uses(facts, &include, because, file, &uses, scan.found);
        if let Some(module) = include.module(tree, file) {
            add_halves(
                tree,
                &include,
                because,
                &module,
                uses.is_dynamic,
                scan.found,
            );
        }
    }
    for (name, file) in include.modules(tree) {
        scan.check()?;
        let mut whole = vec![file];
        whole.extend(include.halves(tree, &include::path(&name)));
        scan.found.components.modules.push(Module {
            language: "perl",
            name,
            place: tree.lookup(b"/usr").unwrap_or(FileId::ROOT),
            files: vec![file],
            whole,
            component: None,
        });
    }
    Ok(())
}

fn add_uses(
    facts: &Facts<'_>,
    include: &Include,
    because: Because,
    file: FileId,
    uses: &source::Uses,
    found: &mut Found,
) {
    let tree = &facts.inventory.tree;
    let owner = facts.inventory.owner(file);
    let own: Vec<FileId> = uses
        .folders
        .iter()
        .take(MAX_FOLDERS)
        .filter_map(|path| Some(tree.resolve(path.as_bytes())?.file))
        .collect();
    for one in &uses.modules {
        let here = tree.parent(file);
        for target in include.find(tree, here, &own, &one.path) {
            // What is tried in an `eval` is done without where it is not there; only the scientist's own scripts mean it,
            // and what lies in the same package.
            let is_meant =
                one.is_certain || owner.is_none() || facts.inventory.owner(target) == owner;
            let because = Because {
                evidence: if is_meant {
                    Evidence::Read
                } else {
                    Evidence::Wanted
                },
                ..because
            };
            if target != file {
                found.need(because, target, one.path.as_bytes());
            }
        }
    }
}

/// The compiled half of a module, the pieces that its autoloader opens, and what it loads by names that it works out.
fn add_halves(
    tree: &FileTree,
    include: &Include,
    because: Because,
    module: &include::Place,
    is_dynamic: bool,
    found: &mut Found,
) {
    let because = Because {
        evidence: Evidence::Convention,
        ..because
    };
    let what = module.path.as_bytes();
    for half in include.halves(tree, &module.path) {
        found.need(because, half, what);
    }
    if let Some(tables) = tree.child(module.root, b"unicore").or(include.tables)
        && include.is_standard(module.root)
    {
        found.need(because, tables, b"unicore");
    }
    let stem = module.path.strip_suffix(".pm").unwrap_or_default();
    if is_dynamic
        && let Some(end) = tree.resolve_from(module.root, stem.as_bytes(), true)
        && tree.is_directory(end.file)
    {
        found.need(because, end.file, stem.as_bytes());
    }
}

fn is_script(facts: &Facts<'_>, file: FileId) -> bool {
    matches!(&facts.heads[file.index()], Head::Script(line)
            if line.windows(4).any(|window| window == b"perl"))
}

#[cfg(test)]
mod tests;
