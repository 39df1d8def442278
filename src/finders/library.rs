//! ELF files need their interpreter and libraries, found as the loader of glibc finds them.
//!
//! The order is that of ld.so(8): `DT_RPATH` where there is no `DT_RUNPATH`, `DT_RUNPATH`, the folders of
//! `/etc/ld.so.conf`, the default folders, and `/etc/ld.so.cache` for what no configuration names. Every hardware variant of a library is needed, since the next host has another
//! processor, and every link on the way. What a library finds only because the program that loads it has a search path
//! or has loaded it already (`libR.so`, `libjvm.so`) is looked for by name, nearest first: that is the convention.

use super::elf::{Abi, Elf, Elves};
use super::{Because, Found, Scan};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileKind, FileTree, Warning};
use search::{Folder, Search};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

mod cache;
mod search;

/// Names of objects that the kernel provides.
const VIRTUAL: [&[u8]; 3] = [b"linux-vdso.so.1", b"linux-gate.so.1", b"linux-vdso64.so.1"];

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let mut loader = Loader::new(scan);
    for (&file, elf) in scan.facts.elves {
        scan.check()?;
        let because = scan.because(file, Evidence::Read);
        if let Some(interpreter) = &elf.interpreter {
            match tree.resolve(interpreter) {
                Some(end) => scan.found.chain(because, &end, interpreter),
                None => scan.found.miss(because, interpreter),
            }
        }
        for name in &elf.needed {
            loader.need(because, file, elf, name, scan.found);
        }
    }
    loader.add_twins(scan);
    loader.warn_spent(scan);
    Ok(())
}

/// Where a name was found: the file without variants first, then its hardware variants.
#[derive(Debug, Default)]
struct Hit {
    files: Vec<FileId>,
    links: Vec<FileId>,
}

/// The loader's search over one guest.
pub(super) struct Loader<'a> {
    tree: &'a FileTree,
    elves: &'a Elves,
    search: Search,
    /// Answers of the default folders.
    known: HashMap<(Vec<u8>, Abi), Option<Rc<Hit>>>,
    /// Files by name, for what only the loading program can find.
    names: HashMap<&'a [u8], Vec<FileId>>,
    /// Folders and files that may still be looked at.
    left: usize,
}

/// Most folders and files that are looked at for all names together, some hundred times those of a big guest.
const MAX_LOOKS: usize = 20_000_000;
/// What a file costs whose place is compared with another's.
const LOOKS_OF_A_FILE: usize = 4;

impl<'a> Loader<'a> {
    /// Reads the loader's configuration.
    pub fn new(scan: &mut Scan<'a>) -> Self {
        let tree = scan.tree();
        let mut names: HashMap<&[u8], Vec<FileId>> = HashMap::new();
        for file in tree.ids() {
            let is_candidate = matches!(tree.kind(file), FileKind::Regular | FileKind::Symlink);
            let name = tree.name(file);
            if is_candidate && name.windows(3).any(|window| window == b".so") {
                names.entry(name).or_default().push(file);
            }
        }
        Self {
            tree,
            elves: scan.facts.elves,
            search: Search::new(tree, scan.source, &mut scan.found.warnings),
            known: HashMap::new(),
            names,
            left: MAX_LOOKS,
        }
    }

    /// Whether names were not looked for because there are too many.
    pub fn warn_spent(&self, scan: &mut Scan<'_>) {
        if self.left == 0 {
            let text =
                "libraries are looked for in more places than on any system: not all were found";
            scan.found.warnings.push(Warning::new(b"", text));
        }
    }

    /// Takes looks off; `false` when nothing is left.
    fn take_looks(&mut self, looks: usize) -> bool {
        self.left = self.left.saturating_sub(looks);
        self.left > 0
    }

    /// Whether the loader would find this name for a file.
    pub fn is_found(&mut self, file: FileId, elf: &Elf, name: &[u8]) -> bool {
        self.find(file, elf, name).is_some()
    }

    /// The library that the loader would take for this name, without its variants for special processors.
    pub fn provider(&mut self, file: FileId, elf: &Elf, name: &[u8]) -> Option<FileId> {
        self.find(file, elf, name)?.files.first().copied()
    }

    /// Adds what the loader would find for this name, or that there is nothing.
    pub fn need(
        &mut self,
        because: Because,
        file: FileId,
        elf: &Elf,
        name: &[u8],
        found: &mut Found,
    ) {
        if VIRTUAL.contains(&name) {
            return;
        }
        if let Some(hit) = self.find(file, elf, name) {
            for &part in hit.links.iter().chain(&hit.files) {
                found.need(because, part, name);
            }
        } else if let Some(hit) = self.nearest(file, elf.abi, name) {
            let because = Because {
                evidence: because.evidence.max(Evidence::Convention),
                ..because
            };
            for &part in hit.links.iter().chain(&hit.files) {
                found.need(because, part, name);
            }
        } else {
            found.miss(because, name);
        }
    }

    /// A library's variants for special processors and the plain one need each other, whoever named one of them: which
    /// one is loaded is the next host's choice.
    fn add_twins(&self, scan: &mut Scan<'_>) {
        for folder in &self.search.folders {
            let mut twins: BTreeMap<&[u8], Vec<FileId>> = BTreeMap::new();
            for &place in folder.variants.iter().chain([&folder.file]) {
                for &file in self.tree.children(place) {
                    if !self.tree.is_directory(file) {
                        twins.entry(self.tree.name(file)).or_default().push(file);
                    }
                }
            }
            for (name, files) in twins.iter().filter(|(_, files)| files.len() > 1) {
                let next = files.iter().cycle().skip(1);
                for (&from, &to) in files.iter().zip(next) {
                    let because = scan.because(from, Evidence::Convention);
                    scan.found.need(because, to, name);
                }
            }
        }
    }

    fn find(&mut self, file: FileId, elf: &Elf, name: &[u8]) -> Option<Rc<Hit>> {
        if name.contains(&b'/') {
            return self.at_path(file, elf.abi, name).map(Rc::new);
        }
        if let Some(path) = elf.runpath.as_ref().or(elf.rpath.as_ref()) {
            let folders = self.search.along(self.tree, path, self.tree.parent(file));
            if !self.take_looks(path.len() + folders.len()) {
                return None;
            }
            if let Some(hit) = self.among(&folders, elf.abi, name) {
                return Some(Rc::new(hit));
            }
        }
        let key = (name.to_vec(), elf.abi);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let cached = self.search.cache.get(name).map_or(0, Vec::len);
        if !self.take_looks(self.search.folders.len() + cached) {
            return None;
        }
        let hit = self
            .among(&self.search.folders, elf.abi, name)
            .or_else(|| self.cached(elf.abi, name))
            .map(Rc::new);
        self.known.insert(key, hit.clone());
        hit
    }

    /// What ldconfig found in folders that no configuration names.
    fn cached(&self, abi: Abi, name: &[u8]) -> Option<Hit> {
        self.search.cache.get(name)?.iter().find_map(|path| {
            let mut hit = Hit::default();
            self.take(FileId::ROOT, path, abi, &mut hit).then_some(hit)
        })
    }

    /// A needed name with a slash is a path.
    fn at_path(&self, file: FileId, abi: Abi, name: &[u8]) -> Option<Hit> {
        let origin = self.tree.path(self.tree.parent(file));
        let path = search::expand(name, &origin).into_iter().next()?;
        let mut hit = Hit::default();
        self.take(FileId::ROOT, &path, abi, &mut hit).then_some(hit)
    }

    /// The first folder that has it, with the variants of all folders up to there.
    fn among(&self, folders: &[Rc<Folder>], abi: Abi, name: &[u8]) -> Option<Hit> {
        let mut variants = Hit::default();
        for folder in folders {
            for &variant in &folder.variants {
                self.take(variant, name, abi, &mut variants);
            }
            let mut hit = Hit::default();
            if self.take(folder.file, name, abi, &mut hit) {
                hit.links.extend(&folder.links);
                hit.links.append(&mut variants.links);
                hit.files.append(&mut variants.files);
                return Some(hit);
            }
        }
        (!variants.files.is_empty()).then_some(variants)
    }

    /// Adds the file at `path` from `folder` on when it is a library of this ABI.
    fn take(&self, folder: FileId, path: &[u8], abi: Abi, hit: &mut Hit) -> bool {
        let Some(end) = self.tree.resolve_from(folder, path, true) else {
            return false;
        };
        let fits = self.elves.get(&end.file).is_some_and(|elf| elf.abi == abi);
        if fits {
            hit.files.push(end.file);
            hit.links.extend(end.links);
        }
        fits
    }

    /// The library of this name that is nearest in the tree: what a loading program's own search path would find.
    fn nearest(&mut self, file: FileId, abi: Abi, name: &[u8]) -> Option<Hit> {
        let mut best: Option<(u32, Hit)> = None;
        let looks = self.names.get(name)?.len() * LOOKS_OF_A_FILE;
        if !self.take_looks(looks) {
            return None;
        }
        for &candidate in self.names.get(name)? {
            let mut hit = Hit::default();
            let folder = self.tree.parent(candidate);
            if !self.take(folder, name, abi, &mut hit) {
                continue;
            }
            let depth = self.shared_depth(file, candidate);
            if best.as_ref().is_none_or(|(most, _)| depth > *most) {
                best = Some((depth, hit));
            }
        }
        best.map(|(_, hit)| hit)
    }

    /// How many folders two paths have in common.
    fn shared_depth(&self, a: FileId, b: FileId) -> u32 {
        let mut shared = self.tree.parent(a);
        while !self.tree.is_within(b, shared) {
            shared = self.tree.parent(shared);
        }
        let mut depth = 0;
        while shared != FileId::ROOT {
            shared = self.tree.parent(shared);
            depth += 1;
        }
        depth
    }
}
