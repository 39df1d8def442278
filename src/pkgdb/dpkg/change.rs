//! What dpkg's and apt's own files say once packages are gone; only files that change are written.

use super::alternatives::Alternative;
use super::edit::{diversions_without, stanzas_without, statoverride_without, triggers_without};
use super::records::diversions;
use super::scripts::has_scripts;
use crate::model::{FileId, FileKind, FileTree, PackageId, Warnings};
use crate::pkgdb::edits::{Change, Edits, NewLink, NewText};
use fixedbitset::FixedBitSet;
use std::collections::HashSet;

/// Why a record is rewritten.
const WHY: &str = "its packages leave the record together with their files";
/// Why a link of a group of alternatives changes.
const NEXT: &str = "its choice goes, the next best takes over";

/// Who goes, for questions by name.
struct Gone<'a> {
    change: &'a Change<'a>,
    /// Names and architectures of packages that go.
    packages: HashSet<(&'a str, &'a str)>,
    /// Names of which no architecture stays.
    names: HashSet<&'a [u8]>,
    /// Names of packages of which files are cut and whose scripts would fail, were they triggered.
    cut: HashSet<&'a [u8]>,
}

/// Works the edits out; files that must go as a consequence are added to `gone`.
pub fn edits(change: &Change<'_>, gone: &mut FixedBitSet) -> Edits {
    let mut edits = Edits::default();
    let who = Gone::new(change);
    for (&file, bytes) in &change.inventory.texts {
        if change.goes(file) {
            continue;
        }
        let path = change.inventory.tree.path(file);
        if let Some(name) = path.strip_prefix(b"/var/lib/dpkg/alternatives/") {
            who.switch(file, name, bytes, &mut edits, gone);
        } else if let Some(content) = who.edited(&path, bytes) {
            let is_trigger = path.starts_with(b"/var/lib/dpkg/triggers/");
            if content == *bytes {
                continue;
            }
            if content.is_empty() && is_trigger && !path.ends_with(b"/File") {
                gone.insert(file.index());
            } else {
                edits.texts.push(NewText {
                    path: path.clone(),
                    content,
                    is_new: false,
                    why: WHY.to_owned(),
                });
            }
        }
        if path == b"/var/lib/dpkg/diversions" {
            edits.moves = who.undiverted(bytes);
        }
    }
    edits
}

impl<'a> Gone<'a> {
    fn new(change: &'a Change<'a>) -> Self {
        let inventory = change.inventory;
        let fact = |id: PackageId| inventory.package(id);
        let kept: HashSet<&str> = change
            .packages(true)
            .map(|id| fact(id).name.as_str())
            .collect();
        let is_cut = |id: &PackageId| {
            let files = &fact(*id).files;
            change.cut.contains(id.index()) && files.iter().any(|&file| change.goes(file))
        };
        Self {
            change,
            packages: change
                .packages(false)
                .map(|id| (fact(id).name.as_str(), fact(id).arch.as_str()))
                .collect(),
            names: change
                .packages(false)
                .map(|id| fact(id).name.as_str())
                .filter(|name| !kept.contains(name))
                .map(str::as_bytes)
                .collect(),
            cut: change
                .packages(true)
                .filter(is_cut)
                .filter(|&id| has_scripts(inventory, id))
                .map(|id| fact(id).name.as_bytes())
                .collect(),
        }
    }

    fn tree(&self) -> &'a FileTree {
        &self.change.inventory.tree
    }

    /// The new contents of one file of the database; `None` for one that is none of ours.
    fn edited(&self, path: &[u8], bytes: &[u8]) -> Option<Vec<u8>> {
        let goes = |name: &str, arch: &str| {
            self.packages.contains(&(name, arch)) || self.names.contains(name.as_bytes())
        };
        Some(match path {
            b"/var/lib/dpkg/status" | b"/var/lib/apt/extended_states" => {
                stanzas_without(bytes, goes)
            }
            b"/var/lib/dpkg/diversions" => {
                diversions_without(bytes, |_, _, package| self.names.contains(package))
            }
            b"/var/lib/dpkg/statoverride" => {
                statoverride_without(bytes, |path| self.change.loses(path))
            }
            // Were it missing, dpkg would run every package's triggers; it names triggers first, not packages.
            b"/var/lib/dpkg/triggers/Unincorp" => return None,
            _ if path.starts_with(b"/var/lib/dpkg/triggers/") => {
                triggers_without(bytes, |package| {
                    self.names.contains(package) || self.cut.contains(package)
                })
            }
            _ => return None,
        })
    }

    /// Diverted files whose diverting package goes and that stay: from where to where they move.
    fn undiverted(&self, bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        diversions(b"", bytes, &mut Warnings::default())
            .into_iter()
            .filter(|entry| self.names.contains(entry.package.as_slice()))
            .filter(|entry| self.change.keeps(&entry.to) && !self.change.keeps(&entry.from))
            .filter_map(|entry| Some((self.real_path(&entry.to)?, self.real_path(&entry.from)?)))
            .collect()
    }

    /// The path with all links but the last part's followed, also of a file that is not there.
    fn real_path(&self, path: &[u8]) -> Option<Vec<u8>> {
        let at = path.iter().rposition(|&byte| byte == b'/')?;
        let name = &path[at + 1..];
        let folder = self.tree().resolve(&path[..=at])?.file;
        let is_place =
            self.tree().kind(folder) == FileKind::Directory && !matches!(name, b"" | b"." | b"..");
        is_place.then(|| {
            let mut real = self.tree().path(folder);
            if real != b"/" {
                real.push(b'/');
            }
            real.extend_from_slice(name);
            real
        })
    }

    /// Takes the choices that go out of one group of alternatives.
    fn switch(
        &self,
        file: FileId,
        name: &[u8],
        bytes: &[u8],
        edits: &mut Edits,
        gone: &mut FixedBitSet,
    ) {
        let Ok(group) = Alternative::parse(name, bytes) else {
            return;
        };
        let middle = self.tree().lookup(&Alternative::middle(name));
        let current = middle
            .and_then(|link| self.tree().target(link))
            .unwrap_or_default();
        let Some(edited) = group.without(current, |choice| self.change.loses(choice)) else {
            return;
        };
        match edited.file {
            Some(content) => {
                let path = self.tree().path(file);
                edits.texts.push(NewText {
                    path,
                    content,
                    is_new: false,
                    why: NEXT.to_owned(),
                });
            }
            None => gone.insert(file.index()),
        }
        // Pairs: the link that people use, then the one in the middle, which says where the choice is.
        for pair in edited.links.chunks(2) {
            let is_led = pair
                .last()
                .is_some_and(|(_, end)| end.as_ref().is_some_and(|end| self.change.keeps(end)));
            for (link, target) in pair {
                self.set_link(link, target.as_ref().filter(|_| is_led), edits, gone);
            }
        }
    }

    /// Points one link of a group, or removes it. What is no symlink is somebody's own and stays.
    fn set_link(
        &self,
        link: &[u8],
        target: Option<&Vec<u8>>,
        edits: &mut Edits,
        gone: &mut FixedBitSet,
    ) {
        let there = self.tree().resolve_parent(link).map(|found| found.file);
        if there.is_some_and(|file| self.tree().kind(file) != FileKind::Symlink) {
            return;
        }
        match (target, there) {
            (None, Some(file)) => gone.insert(file.index()),
            (Some(target), there) => {
                let is_right = there.is_some_and(|file| {
                    self.tree().target(file) == Some(target) && !self.change.goes(file)
                });
                if let Some(path) = self.real_path(link).filter(|_| !is_right) {
                    if let Some(file) = there {
                        gone.set(file.index(), false);
                    }
                    edits.links.push(NewLink {
                        path,
                        target: target.clone(),
                        why: NEXT.to_owned(),
                    });
                }
            }
            (None, None) => {}
        }
    }
}
