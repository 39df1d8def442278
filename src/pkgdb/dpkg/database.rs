//! The whole database put together: packages with their files, owners of files, texts that an export may rewrite.

use super::lists::{Places, paths, record_name};
use super::records::{auto_installed, diversions};
use super::status;
use crate::job::{Cancelled, Job};
use crate::model::inventory::NO_OWNER;
use crate::model::text::escape;
use crate::model::{FileId, FileKind, FileTree, Package, PackageId, Warning, Warnings};
use crate::pkgdb::format::{Database, Fetch};
use std::collections::BTreeMap;

const STATUS: &[u8] = b"/var/lib/dpkg/status";
pub(super) const INFO: &[u8] = b"/var/lib/dpkg/info";
const DIVERSIONS: &[u8] = b"/var/lib/dpkg/diversions";
const EXTENDED_STATES: &[u8] = b"/var/lib/apt/extended_states";

/// Longest single file: a status of half a million packages.
const MAX_SINGLE: u64 = 64 << 20;
/// Longest file in a folder of texts, some hundred times a real one.
const MAX_LISTED: u64 = 4 << 20;
/// Most bytes of all texts together: they are kept whole.
const MAX_TEXTS: u64 = 128 << 20;
/// Longest list of a package, and most bytes of all lists together.
const MAX_LIST: u64 = 32 << 20;
const MAX_LISTS: u64 = 384 << 20;
/// Most architectures in which one package is there.
const MAX_TWINS: usize = 64;

/// Single files whose text an export may have to rewrite.
const TEXTS: &[&[u8]] = &[
    STATUS,
    DIVERSIONS,
    EXTENDED_STATES,
    b"/var/lib/dpkg/statoverride",
];

/// Folders of such files.
const TEXT_FOLDERS: &[&[u8]] = &[b"/var/lib/dpkg/alternatives", b"/var/lib/dpkg/triggers"];

/// The database as far as it was read.
#[derive(Default)]
struct Reading {
    packages: Vec<Package>,
    owners: Vec<u32>,
    texts: BTreeMap<FileId, Vec<u8>>,
    arch: String,
    warnings: Warnings,
}

/// Whether the guest has the database.
pub fn is_in(tree: &FileTree) -> bool {
    tree.resolve(STATUS).is_some()
}

/// Reads the database of a guest. When the status cannot be read, every file counts as unowned, and that is a warning.
pub fn read(tree: &FileTree, fetch: Fetch<'_>, job: &Job) -> Result<Database, Cancelled> {
    let mut database = Reading {
        owners: vec![NO_OWNER; tree.len()],
        ..Reading::default()
    };
    database.read_texts(tree, fetch, job)?;
    if database.text(tree, STATUS).is_none() {
        let message = "no dpkg status: all files count as unowned";
        database.warnings.push(Warning::new(STATUS, message));
    }
    let mut warnings = Warnings::default();
    let status = database.text(tree, STATUS).unwrap_or_default();
    let records = status::read(STATUS, status, &mut warnings);
    database.warnings.append(warnings);
    let (packages, conffiles): (Vec<Package>, Vec<_>) = records
        .into_iter()
        .map(|record| (record.package, record.conffiles))
        .unzip();
    database.packages = packages;
    database.arch = database
        .packages
        .iter()
        .find(|package| package.name == "dpkg")
        .map_or(String::new(), |package| package.arch.clone());
    database.mark_auto(tree);
    database.read_lists(tree, &conffiles, fetch, job)?;
    Ok(Database {
        packages: database.packages,
        owners: database.owners,
        texts: database.texts,
        arch: database.arch,
        warnings: database.warnings,
    })
}

impl Reading {
    fn read_texts(
        &mut self,
        tree: &FileTree,
        fetch: Fetch<'_>,
        job: &Job,
    ) -> Result<(), Cancelled> {
        let single = TEXTS
            .iter()
            .filter_map(|path| Some(tree.resolve(path)?.file));
        let listed = TEXT_FOLDERS
            .iter()
            .filter_map(|path| tree.resolve(path))
            .flat_map(|folder| tree.children(folder.file).iter().copied());
        let single = single.map(|file| (file, MAX_SINGLE));
        let listed = listed.map(|file| (file, MAX_LISTED));
        let mut left = MAX_TEXTS;
        for (file, most) in single.chain(listed) {
            job.check()?;
            if tree.kind(file) == FileKind::Regular
                && !self.texts.contains_key(&file)
                && let Some(bytes) = fetch(file, most.min(left))
            {
                left -= bytes.len() as u64;
                self.texts.insert(file, bytes);
            }
        }
        Ok(())
    }

    fn text(&self, tree: &FileTree, path: &[u8]) -> Option<&[u8]> {
        let file = tree.resolve(path)?.file;
        self.texts.get(&file).map(Vec::as_slice)
    }

    fn mark_auto(&mut self, tree: &FileTree) {
        let mut warnings = Warnings::default();
        let text = self.text(tree, EXTENDED_STATES).unwrap_or_default();
        let auto = auto_installed(EXTENDED_STATES, text, &mut warnings);
        for package in &mut self.packages {
            // apt records `all` packages under the native architecture.
            let arch = if package.arch == "all" {
                &self.arch
            } else {
                &package.arch
            };
            package.auto_installed = auto.contains(&(package.name.clone(), arch.clone()));
        }
        self.warnings.append(warnings);
    }

    fn read_lists(
        &mut self,
        tree: &FileTree,
        conffiles: &[Vec<Vec<u8>>],
        fetch: Fetch<'_>,
        job: &Job,
    ) -> Result<(), Cancelled> {
        let mut warnings = Warnings::default();
        let diverted = diversions(
            DIVERSIONS,
            self.text(tree, DIVERSIONS).unwrap_or_default(),
            &mut warnings,
        );
        self.warnings.append(warnings);
        let places = Places::new(tree, &diverted);
        let mut listed: Vec<Vec<FileId>> = vec![Vec::new(); self.packages.len()];
        let lists = self.sort_records(tree);
        let mut left = MAX_LISTS;
        for (done, &list) in lists.iter().enumerate() {
            job.check()?;
            job.items(
                "reading package lists",
                done as u64,
                Some(lists.len() as u64),
            );
            let Some((list, id)) = list else { continue };
            let name = &self.packages[id.index()].name;
            let bytes = fetch(list, MAX_LIST.min(left)).unwrap_or_default();
            left -= bytes.len() as u64;
            let found = &mut listed[id.index()];
            paths(&tree.path(list), &bytes, &mut self.warnings, |path| {
                job.check()?;
                found.extend(places.find(name, path));
                Ok(())
            })?;
            found.sort_unstable();
            found.dedup();
        }
        for (at, paths) in conffiles.iter().enumerate() {
            let name = &self.packages[at].name;
            let mut found: Vec<FileId> = paths
                .iter()
                .filter_map(|path| places.find(name, path))
                .filter(|&file| !tree.is_directory(file))
                .collect();
            found.sort_unstable();
            found.dedup();
            self.packages[at].conffiles = found;
        }
        self.own(tree, listed);
        Ok(())
    }

    /// Gives each package its record files; returns the lists with their packages.
    fn sort_records(&mut self, tree: &FileTree) -> Vec<Option<(FileId, PackageId)>> {
        let mut lists = vec![None; self.packages.len()];
        let Some(info) = tree.resolve(INFO) else {
            return lists;
        };
        for &file in tree.children(info.file) {
            let Some((name, arch, kind)) = record_name(tree.name(file)) else {
                continue;
            };
            let Some(id) = self.package_of_record(name, arch) else {
                continue;
            };
            self.packages[id.index()].record_files.push(file);
            if kind == "list" && tree.kind(file) == FileKind::Regular {
                lists[id.index()] = Some((file, id));
            }
        }
        for (package, list) in self.packages.iter().zip(&lists) {
            if list.is_none() {
                let name = escape(package.name.as_bytes());
                let message = format!("no file list of package {name}");
                self.warnings.push(Warning::new(INFO, message));
            }
        }
        lists
    }

    /// The package of a record file's name; a name without architecture is not one of several instances.
    fn package_of_record(&self, name: &str, arch: Option<&str>) -> Option<PackageId> {
        if let Some(arch) = arch {
            let key = |package: &Package| {
                (package.name.as_str(), package.arch.as_str()).cmp(&(name, arch))
            };
            let at = self.packages.binary_search_by(key);
            return at.ok().map(|at| PackageId(at as u32));
        }
        let first = self
            .packages
            .partition_point(|package| package.name.as_str() < name);
        let twins = self.packages[first..]
            .iter()
            .take(MAX_TWINS)
            .take_while(|package| package.name == name);
        // Old records of a `same` package may lack the architecture.
        let offset = twins
            .clone()
            .position(|package| package.multi_arch != "same")
            .or_else(|| twins.clone().next().map(|_| 0))?;
        Some(PackageId((first + offset) as u32))
    }

    /// Hands out the files. A link to a folder that several packages list is the folder to them: nobody owns it.
    fn own(&mut self, tree: &FileTree, listed: Vec<Vec<FileId>>) {
        let mut claims = vec![0u32; tree.len()];
        for file in listed.iter().flatten() {
            claims[file.index()] += 1;
        }
        let is_shared_link = |file: FileId| {
            claims[file.index()] > 1
                && tree
                    .follow(file)
                    .is_some_and(|end| tree.is_directory(end.file))
        };
        for (at, mut files) in listed.into_iter().enumerate() {
            files.retain(|&file| !is_shared_link(file));
            for file in &files {
                let owner = &mut self.owners[file.index()];
                if *owner == NO_OWNER {
                    *owner = at as u32;
                }
            }
            self.packages[at].files = files;
        }
    }
}
