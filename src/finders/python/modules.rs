//! The modules of a guest by name, as an environment's interpreter would find them.

use super::environment::{Environment, by_folder};
use crate::model::{Component, FileId, FileTree, Module};
use std::collections::{BTreeMap, HashSet};

/// How deep packages lie in each other, at most.
const MAX_DEPTH: usize = 24;

/// Adds all modules of all environments; `components` says which component a file right in a site belongs to.
pub fn index(
    tree: &FileTree,
    environments: &[Environment],
    components: (&[Component], &BTreeMap<FileId, u32>),
    modules: &mut Vec<Module>,
) {
    let folders = by_folder(environments);
    for (at, environment) in environments.iter().enumerate() {
        let mut seen = HashSet::new();
        let sites = environment.sites.iter().copied();
        // Debian's folders of distributions lie inside the library, and a site does not hide what the library has.
        for root in environment.library.into_iter().chain(sites) {
            if folders.get(&root) != Some(&at) {
                continue;
            }
            let is_library = environment.library == Some(root);
            let mut walk = Walk {
                tree,
                place: place(tree, environment),
                interpreter: environment.interpreter.filter(|_| is_library),
                skipped: if is_library { &environment.sites } else { &[] },
                components,
                modules,
            };
            walk.site(root, &mut seen);
        }
    }
}

/// The folder that a person names an environment by: the one that holds `bin` or `lib`.
fn place(tree: &FileTree, environment: &Environment) -> FileId {
    let bin = environment.interpreter.map(|file| tree.parent(file));
    let lib = environment.library.map(|library| tree.parent(library));
    bin.or(lib)
        .map_or(FileId::ROOT, |folder| tree.parent(folder))
}

struct Walk<'a> {
    tree: &'a FileTree,
    place: FileId,
    /// What a module of the standard library is opened by.
    interpreter: Option<FileId>,
    /// Folders that are no packages.
    skipped: &'a [FileId],
    components: (&'a [Component], &'a BTreeMap<FileId, u32>),
    modules: &'a mut Vec<Module>,
}

/// A module in a folder.
struct Entry {
    name: String,
    /// The package's folder or the module's file.
    own: FileId,
    /// What is opened; a namespace has nothing.
    file: Option<FileId>,
}

impl Walk<'_> {
    fn site(&mut self, root: FileId, seen: &mut HashSet<String>) {
        for entry in self.entries(root) {
            if !seen.insert(entry.name.clone()) {
                continue;
            }
            let component = self.components.1.get(&entry.own).copied();
            let chain: Vec<FileId> = self.interpreter.into_iter().collect();
            let name = entry.name.clone();
            self.add(&entry, &name, &chain, component, 0);
        }
    }

    fn add(
        &mut self,
        entry: &Entry,
        name: &str,
        around: &[FileId],
        component: Option<u32>,
        depth: usize,
    ) {
        let mut files = around.to_vec();
        files.extend(entry.file);
        if self.tree.is_directory(entry.own) && depth < MAX_DEPTH {
            for inner in self.entries(entry.own) {
                let name = format!("{name}.{}", inner.name);
                self.add(&inner, &name, &files, component, depth + 1);
            }
        }
        self.modules.push(Module {
            language: "python",
            name: name.to_owned(),
            place: self.place,
            files,
            whole: self.whole(entry, component.filter(|_| depth == 0)),
            component,
        });
    }

    /// A package or module that is all the code of its component takes the rest of it along.
    fn whole(&self, entry: &Entry, component: Option<u32>) -> Vec<FileId> {
        let component = component.map(|at| &self.components.0[at as usize]);
        let is_code = |part: &FileId| self.entry(*part).is_some();
        component
            .filter(|component| component.parts.iter().filter(|part| is_code(part)).count() == 1)
            .map_or_else(|| vec![entry.own], |component| component.parts.clone())
    }

    /// The modules in a folder, by name; a package hides a module of its name.
    fn entries(&self, folder: FileId) -> Vec<Entry> {
        let children = self.tree.children(folder).iter();
        let mut entries: Vec<Entry> = children
            .filter(|child| !self.skipped.contains(child))
            .filter_map(|&child| self.entry(child))
            .collect();
        entries.sort_by(|a, b| {
            let rank = |entry: &Entry| (entry.file.is_none(), !self.tree.is_directory(entry.own));
            a.name.cmp(&b.name).then_with(|| rank(a).cmp(&rank(b)))
        });
        entries.dedup_by(|later, first| later.name == first.name);
        entries
    }

    fn entry(&self, child: FileId) -> Option<Entry> {
        let tree = self.tree;
        let text = std::str::from_utf8(tree.name(child)).ok()?;
        let (stem, file) = if tree.is_directory(child) {
            let children = || tree.children(child).iter().copied();
            let first = children().find(|&inner| {
                !tree.is_directory(inner) && module_stem(tree.name(inner)) == Some("__init__")
            });
            let has_code = || children().any(|inner| module_stem(tree.name(inner)).is_some());
            if first.is_none() && !has_code() {
                return None;
            }
            (text, first)
        } else {
            (module_stem(text.as_bytes())?, Some(child))
        };
        let is_name = stem.chars().all(|c| c.is_alphanumeric() || c == '_');
        let is_module = is_name && !stem.is_empty() && !matches!(stem, "__init__" | "__pycache__");
        is_module.then(|| Entry {
            name: stem.to_owned(),
            own: child,
            file,
        })
    }
}

/// `core` of `core.py` and of `core.cpython-311-x86_64-linux-gnu.so`.
pub fn module_stem(name: &[u8]) -> Option<&str> {
    let stem = name.strip_suffix(b".py").or_else(|| {
        let stem = name.strip_suffix(b".so")?;
        stem.split(|&byte| byte == b'.').next()
    })?;
    std::str::from_utf8(stem).ok()
}
