//! Python: who imports what, found through the real search path; distributions as units.
//!
//! A module that is imported brings the whole distribution that it belongs to (data files, libraries and metadata are
//! opened by name), but for its test suites. An interpreter brings its standard library. Where a mark on a module cuts a
//! distribution, imports inside it, what its extension modules name, and data files in the folders of its packages decide.

mod data;
mod distribution;
mod environment;
mod extension;
mod imports;
mod modules;
mod search;

use super::{Because, Facts, Found, Head, Source};
use crate::job::{Cancelled, Job};
use crate::model::{Component, Evidence, FileId, FileKind, FileTree, Node, Warning};
use environment::Environment;
use std::collections::BTreeMap;

/// Longest source that is read.
const MAX_SOURCE: usize = 256 << 10;
/// Most sources that are read.
const MAX_SOURCES: usize = 30_000;

/// The row function of `python-library`: interpreters need their standard library.
pub fn library(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    for environment in environment::environments(tree, source) {
        job.check()?;
        let Some((library, interpreter)) = environment.library.zip(environment.interpreter) else {
            continue;
        };
        let real = tree.follow(interpreter).map_or(interpreter, |end| end.file);
        let because = Because {
            finder,
            from: Node::File(real),
            evidence: Evidence::Convention,
        };
        let what = tree.name(library);
        if let Some(prefix) = virtual_prefix(tree, interpreter) {
            let because = Because {
                from: Node::File(interpreter),
                ..because
            };
            let landmarks = [&b"pyvenv.cfg"[..], b"lib64"];
            for file in landmarks.iter().filter_map(|name| tree.child(prefix, name)) {
                found.need(because, Node::File(file), b"pyvenv.cfg");
            }
            found.components.all.push(Component {
                kind: "Python environment",
                name: String::from_utf8_lossy(&tree.path(prefix)).into_owned(),
                version: String::from_utf8_lossy(what).replace("python", ""),
                parts: vec![prefix],
                metadata: Vec::new(),
            });
        }
        for &part in tree.children(library) {
            if !is_left_out(tree.name(part)) && !environment.sites.contains(&part) {
                found.need(because, Node::File(part), what);
            }
        }
    }
    Ok(())
}

/// The folder of a virtual environment, by its interpreter.
fn virtual_prefix(tree: &FileTree, interpreter: FileId) -> Option<FileId> {
    let prefix = tree.parent(tree.parent(interpreter));
    tree.child(prefix, b"pyvenv.cfg").map(|_| prefix)
}

/// Folders of a standard library that are no part of it, or only tests, or what embedding Python into C is compiled with.
fn is_left_out(name: &[u8]) -> bool {
    name.starts_with(b"config-")
        || matches!(
            name,
            b"site-packages" | b"dist-packages" | b"test" | b"__pycache__"
        )
}

/// The row function of `python-distribution`: a package's first file needs the distribution and its interpreter.
pub fn distribution(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let environments = environment::environments(tree, source);
    let mut owners = BTreeMap::new();
    for (&site, &at) in &environment::by_folder(&environments) {
        if environments[at].library == Some(site) {
            continue;
        }
        job.check()?;
        let units = distribution::units(tree, source, site);
        for unit in &units {
            distribution::needs(finder, tree, &environments[at], unit, &units, found);
            let has_code = |part: &FileId| distribution::entry(tree, *part).is_some();
            if unit.metadata.is_some() || unit.parts.iter().any(has_code) {
                let number = found.components.all.len() as u32;
                owners.extend(unit.parts.iter().map(|&part| (part, number)));
                found.components.all.push(component(unit));
            }
        }
    }
    let components = (found.components.all.as_slice(), &owners);
    modules::index(
        tree,
        &environments,
        components,
        &mut found.components.modules,
    );
    Ok(())
}

fn component(unit: &distribution::Unit) -> Component {
    Component {
        kind: "Python distribution",
        name: unit.name.trim_end_matches(".py").to_owned(),
        version: unit.version.clone(),
        parts: unit.parts.clone(),
        metadata: unit.metadata.into_iter().collect(),
    }
}

/// The row function of `python-data`: a package needs the data files in its folder.
pub fn data(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let environments = environment::environments(tree, source);
    for (&site, &at) in &environment::by_folder(&environments) {
        job.check()?;
        if environments[at].library == Some(site) {
            continue;
        }
        for (package, file) in data::files(tree, site) {
            let because = Because {
                finder,
                from: Node::File(package),
                evidence: Evidence::Convention,
            };
            found.need(because, Node::File(file), tree.name(file));
        }
    }
    Ok(())
}

/// The row function of `python-import`.
pub fn import(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    let environments = environment::environments(tree, source);
    let folders = environment::by_folder(&environments);
    let mut read = 0usize;
    for file in tree.ids().filter(|&file| is_source(facts, file)) {
        job.check()?;
        let Some(mut place) = place(tree, &folders, &environments, file) else {
            continue;
        };
        match &facts.heads[file.index()] {
            Head::Elf if place.unit.is_none() => continue,
            Head::Script(line) if place.unit.is_none() => {
                place.environment =
                    started_with(tree, &environments, line).unwrap_or(place.environment);
            }
            _ => {}
        }
        read += 1;
        if read > MAX_SOURCES {
            let text = format!("only the first {MAX_SOURCES} Python sources were read");
            found.warnings.push(Warning::new(b"", text));
            break;
        }
        if read.is_multiple_of(256) {
            job.items("reading Python sources", read as u64, None);
        }
        let imports = if facts.heads[file.index()] == Head::Elf {
            extension::imports(&mut |offset, len| source.read(tree, file, offset, len))
        } else {
            imports::imports(&source.read(tree, file, 0, MAX_SOURCE))
        };
        let because = Because {
            finder,
            from: Node::File(file),
            evidence: Evidence::Read,
        };
        for import in imports {
            for target in search::find(tree, &place, file, &import) {
                let is_meant = !import.is_inner
                    || place.is_same_unit(tree, target)
                    || is_declared(facts, &place, file, target);
                if target != file && is_meant {
                    found.need(because, Node::File(target), import.module.as_bytes());
                }
            }
        }
    }
    Ok(())
}

/// Whether an import that may never run is meant to: in a script of the scientist's own, and where the importer's package
/// depends on the other one. All else is optional, and what a package finds optional it does not need.
fn is_declared(facts: &Facts<'_>, place: &Place<'_>, file: FileId, target: FileId) -> bool {
    let inventory = facts.inventory;
    let (Some(from), Some(to)) = (inventory.owner(file), inventory.owner(target)) else {
        return place.unit.is_none();
    };
    let package = inventory.package(from);
    let name = &inventory.package(to).name;
    let mut declared = package.depends.iter().chain(&package.pre_depends).flatten();
    from == to || declared.any(|relation| relation.name == *name)
}

/// Python by its name, or by its first line; or an extension module by its name.
fn is_source(facts: &Facts<'_>, file: FileId) -> bool {
    let tree = &facts.inventory.tree;
    let name = tree.name(file);
    if tree.kind(file) != FileKind::Regular || matches!(name, b"setup.py" | b"conftest.py") {
        return false;
    }
    let is_extension =
        facts.heads[file.index()] == Head::Elf && modules::module_stem(name).is_some();
    name.ends_with(b".py")
        || is_extension
        || matches!(&facts.heads[file.index()], Head::Script(line)
            if line.windows(6).any(|window| window == b"python"))
}

/// Where a source lies, and where its imports are looked for.
pub(super) struct Place<'a> {
    environment: &'a Environment,
    /// The file or folder of the site that the file belongs to.
    unit: Option<FileId>,
}

impl Place<'_> {
    fn is_same_unit(&self, tree: &FileTree, target: FileId) -> bool {
        self.unit.is_some_and(|unit| tree.is_within(target, unit))
    }
}

/// The environment whose interpreter a script's first line names by its path.
fn started_with<'a>(
    tree: &FileTree,
    environments: &'a [Environment],
    line: &[u8],
) -> Option<&'a Environment> {
    let program = super::shebang::words(line).into_iter().next()?;
    let named = tree.resolve_parent(program)?.file;
    environments.iter().find(|environment| {
        environment
            .interpreter
            .is_some_and(|file| tree.parent(file) == tree.parent(named))
    })
}

/// The place of a source; `None` for those that are not read (a standard library, tests).
fn place<'a>(
    tree: &FileTree,
    folders: &BTreeMap<FileId, usize>,
    environments: &'a [Environment],
    file: FileId,
) -> Option<Place<'a>> {
    let mut unit = file;
    loop {
        let folder = tree.parent(unit);
        if let Some(&at) = folders.get(&folder) {
            let environment = &environments[at];
            let is_read = environment.library != Some(folder);
            return is_read.then_some(Place {
                environment,
                unit: Some(unit),
            });
        }
        if matches!(
            tree.name(unit),
            b"tests" | b"test" | b"doc" | b"site-packages" | b"node_modules"
        ) {
            return None;
        }
        if folder == FileId::ROOT {
            let environment = environments.first()?;
            return Some(Place {
                environment,
                unit: None,
            });
        }
        unit = folder;
    }
}

#[cfg(test)]
mod tests;
