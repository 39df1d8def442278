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
mod names;
mod search;

use super::{Facts, Head, Scan};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileTree};
use environment::Environment;
use std::collections::BTreeMap;

/// Longest source that is read.
const MAX_SOURCE: usize = 256 << 10;
/// Most sources that are read.
const MAX_SOURCES: usize = 30_000;
/// Most names in strings that are looked up.
const MAX_NAMES: usize = 1_000_000;

/// The row function of `python-library`: interpreters need their standard library.
pub fn library(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    for environment in environment::environments(tree, scan.source) {
        scan.check()?;
        let Some((library, interpreter)) = environment.library.zip(environment.interpreter) else {
            continue;
        };
        let real = tree.follow(interpreter).map_or(interpreter, |end| end.file);
        let because = scan.because(real, Evidence::Convention);
        let what = tree.name(library);
        if let Some(prefix) = virtual_prefix(tree, interpreter) {
            let because = scan.because(interpreter, Evidence::Convention);
            let landmarks = [&b"pyvenv.cfg"[..], b"lib64"];
            for file in landmarks.iter().filter_map(|name| tree.child(prefix, name)) {
                scan.found.need(because, file, b"pyvenv.cfg");
            }
            let version = String::from_utf8_lossy(what).replace("python", "");
            let name = tree.path(prefix);
            scan.component("Python environment", name, version, vec![prefix], None);
        }
        for &part in tree.children(library) {
            if !is_left_out(tree.name(part)) && !environment.sites.contains(&part) {
                scan.found.need(because, part, what);
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
pub fn distribution(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let environments = environment::environments(tree, scan.source);
    let mut owners = BTreeMap::new();
    for (&site, &at) in &environment::by_folder(&environments) {
        if environments[at].library == Some(site) {
            continue;
        }
        scan.check()?;
        let units = distribution::units(tree, scan.source, site);
        let by_name = units
            .iter()
            .map(|unit| (unit.name.as_str(), unit))
            .collect();
        for unit in &units {
            distribution::needs(scan, &environments[at], unit, &by_name)?;
            let has_code = |part: &FileId| distribution::entry(tree, *part).is_some();
            if unit.metadata.is_some() || unit.parts.iter().any(has_code) {
                let number = component(scan, unit);
                owners.extend(unit.parts.iter().map(|&part| (part, number)));
            }
        }
    }
    let components = (scan.found.components.all.as_slice(), &owners);
    modules::index(
        tree,
        &environments,
        components,
        &mut scan.found.components.modules,
    );
    Ok(())
}

fn component(scan: &mut Scan<'_>, unit: &distribution::Unit) -> u32 {
    let (name, parts) = (unit.name.trim_end_matches(".py"), unit.parts.clone());
    let version = unit.version.as_str();
    scan.component("Python distribution", name, version, parts, unit.metadata)
}

/// The row function of `python-data`: a package needs the data files in its folder.
pub fn data(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let environments = environment::environments(tree, scan.source);
    for (&site, &at) in &environment::by_folder(&environments) {
        scan.check()?;
        if environments[at].library == Some(site) {
            continue;
        }
        for (package, file) in data::files(tree, site) {
            let because = scan.because(package, Evidence::Convention);
            scan.found.need(because, file, tree.name(file));
        }
    }
    Ok(())
}

/// The row function of `python-import`, and of `python-name`, which reads the same sources.
pub fn import(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let environments = environment::environments(tree, scan.source);
    let folders = environment::by_folder(&environments);
    let facts = scan.facts;
    let sources: Vec<(FileId, Place<'_>)> = scan
        .regular(|_, file| is_source(facts, file))
        .into_iter()
        .filter_map(|file| Some((file, place(facts, &folders, &environments, file)?)))
        .collect();
    let sources = scan.first(MAX_SOURCES, sources, "Python sources");
    let mut named = Vec::new();
    for (done, (file, place)) in sources.iter().enumerate() {
        let file = *file;
        scan.check()?;
        scan.report("reading Python sources", done, sources.len());
        let imports = if facts.heads[file.index()] == Head::Elf {
            extension::imports(&mut |offset, len| scan.source.read(tree, file, offset, len))
        } else {
            let said = imports::read(&scan.read(file, MAX_SOURCE)?);
            let room = MAX_NAMES - named.len();
            named.extend(said.names.into_iter().map(|name| (file, name)).take(room));
            said.imports
        };
        let because = scan.because(file, Evidence::Read);
        for import in imports {
            for target in search::find(tree, place, file, &import) {
                let is_meant = !import.is_inner
                    || place.is_same_unit(tree, target)
                    || is_declared(facts, place, file, target);
                if target != file && is_meant {
                    scan.found.need(because, target, import.module.as_bytes());
                }
            }
        }
    }
    names::names(scan, named)
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
    if matches!(name, b"setup.py" | b"conftest.py") {
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

/// The place of a source; `None` for those that are not read (a standard library, tests, programs).
fn place<'a>(
    facts: &Facts<'_>,
    folders: &BTreeMap<FileId, usize>,
    environments: &'a [Environment],
    file: FileId,
) -> Option<Place<'a>> {
    let tree = &facts.inventory.tree;
    let mut place = place_in(tree, folders, environments, file)?;
    match &facts.heads[file.index()] {
        Head::Elf if place.unit.is_none() => return None,
        Head::Script(line) if place.unit.is_none() => {
            place.environment = started_with(tree, environments, line).unwrap_or(place.environment);
        }
        _ => {}
    }
    Some(place)
}

fn place_in<'a>(
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
