//! The whole tree, level by level: all folders of a level in the order of their blocks, then all inodes of the next
//! level in the order of their numbers, so that the disk is read nearly in one sweep a level.

use super::growth::Growth;
use super::{Ext, Inode, Seen, Unread};
use crate::guest::MAX_FILES;
use crate::guest::blocks::Blocks;
use crate::job::Job;
use crate::model::{Entry, FileKind};
use std::collections::HashSet;

/// Linux opens no longer path (`PATH_MAX`), so that no program reaches what is deeper.
const LONGEST_PATH: usize = 4096;

/// So many inodes are held at once.
const BATCH: usize = 1 << 16;

/// A folder on which another file system is mounted: what is below it in this one is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::guest) struct Covered {
    /// The rest of the path, the next part last.
    pub rest: Vec<Vec<u8>>,
    /// Which mount it is.
    pub mount: usize,
}

struct Folder {
    id: u32,
    inode: Inode,
    covered: Vec<Covered>,
    /// Length of its path.
    path: usize,
}

/// A name: the place of its folder in the level, and its inode's number, not checked.
struct Child {
    folder: usize,
    name: Box<[u8]>,
    inode: u32,
}

/// Where a file system comes in the tree.
pub(in crate::guest) struct Place {
    /// Its number among the guest's file systems.
    pub file_system: u32,
    /// The provisional id of the folder that its root becomes, and the length of its path.
    pub root: u32,
    pub path: usize,
    /// What is mounted on it.
    pub covered: Vec<Covered>,
}

/// Adds a file system's whole tree below a folder, which takes the facts of its root folder. Returns the folders that
/// are covered: mount and provisional id.
pub(in crate::guest) fn walk(
    ext: &Ext,
    part: &mut dyn Blocks,
    place: Place,
    growth: &mut Growth,
    job: &Job,
) -> Result<Vec<(usize, u32)>, Unread> {
    let inode = ext.inode(part, Ext::ROOT)?;
    if inode.kind() != Some(FileKind::Directory) {
        return Err(Unread::broken("its root is no folder"));
    }
    let mut seen = ext.seen(job);
    seen.names = MAX_FILES.saturating_sub(growth.inodes.len());
    let mut walk = Walk {
        ext,
        file_system: place.file_system,
        growth,
        folders: HashSet::from([Ext::ROOT]),
        trees: HashSet::new(),
        seen,
        found: Vec::new(),
    };
    if let Some(fault) = inode.fault() {
        walk.growth.warn(place.root, None, fault);
    }
    let mut level = vec![Folder {
        id: place.root,
        inode,
        covered: place.covered,
        path: place.path,
    }];
    while !level.is_empty() {
        level = walk.level(part, &level)?;
    }
    Ok(walk.found)
}

struct Walk<'a> {
    ext: &'a Ext,
    file_system: u32,
    growth: &'a mut Growth,
    /// Folders that have their place: a second name of one would be a loop.
    folders: HashSet<u32>,
    /// Files whose extent tree has blocks of its own and was checked.
    trees: HashSet<u32>,
    seen: Seen<'a>,
    found: Vec<(usize, u32)>,
}

impl Walk<'_> {
    /// Adds what is in the folders of one level and returns the folders of the next.
    fn level(&mut self, part: &mut dyn Blocks, folders: &[Folder]) -> Result<Vec<Folder>, Unread> {
        let mut children = Vec::new();
        for at in self.in_block_order(part, folders)? {
            self.seen.job().check()?;
            self.read_folder(part, at, &folders[at], &mut children)?;
        }
        children.sort_unstable_by_key(|child| child.inode);
        let mut next = Vec::new();
        for batch in children.chunks(BATCH) {
            let done = self.growth.inodes.len() as u64;
            self.seen.job().items("reading the file tree", done, None);
            let inodes = self.inodes(part, batch)?;
            for (child, inode) in batch.iter().zip(inodes) {
                self.seen.step()?;
                let parent = &folders[child.folder];
                match inode {
                    Ok(inode) => next.extend(self.add(part, child, inode, parent)?),
                    Err(why) => self.growth.warn(parent.id, Some(&child.name), &why),
                }
            }
        }
        Ok(next)
    }

    /// The inodes of a batch, or what is wrong with them.
    fn inodes(
        &mut self,
        part: &mut dyn Blocks,
        batch: &[Child],
    ) -> Result<Vec<Result<Inode, String>>, Unread> {
        let mut inodes: Vec<Result<Inode, String>> = Vec::with_capacity(batch.len());
        for (at, child) in batch.iter().enumerate() {
            self.seen.step()?;
            let is_same = at > 0 && batch[at - 1].inode == child.inode;
            let inode = match inodes.last() {
                Some(last) if is_same => last.clone(),
                _ => match self.ext.inode(part, child.inode).map_err(Unread::of_piece) {
                    Ok(inode) => Ok(inode),
                    Err(why) => Err(why?),
                },
            };
            inodes.push(inode);
        }
        Ok(inodes)
    }

    fn in_block_order(
        &mut self,
        part: &mut dyn Blocks,
        folders: &[Folder],
    ) -> Result<Vec<usize>, Unread> {
        let mut order = Vec::with_capacity(folders.len());
        for (at, folder) in folders.iter().enumerate() {
            self.seen.step()?;
            let runs = self.ext.runs(part, &folder.inode, 0, 1, &mut self.seen);
            let first = match runs.map_err(Unread::of_piece) {
                Ok(runs) => runs.first().map_or(0, |run| run.physical),
                // It fails again when the folder is read.
                Err(why) => why.map(|_| 0)?,
            };
            order.push((first, at));
        }
        order.sort_unstable();
        Ok(order.into_iter().map(|(_, at)| at).collect())
    }

    fn read_folder(
        &mut self,
        part: &mut dyn Blocks,
        at: usize,
        folder: &Folder,
        children: &mut Vec<Child>,
    ) -> Result<(), Unread> {
        let mut each = |name: &[u8], inode| {
            children.push(Child {
                folder: at,
                name: name.into(),
                inode,
            });
        };
        let found = (self.ext).folder(part, &folder.inode, &mut self.seen, &mut each);
        let fault = match found.map_err(Unread::of_piece) {
            Ok(fault) => fault,
            Err(why) => Some(format!("the folder cannot be read: {}", why?)),
        };
        if let Some(fault) = fault {
            self.growth.warn(folder.id, None, &fault);
        }
        Ok(())
    }

    /// Adds one file; returns it where it is a folder to be read.
    fn add(
        &mut self,
        part: &mut dyn Blocks,
        child: &Child,
        inode: Inode,
        parent: &Folder,
    ) -> Result<Option<Folder>, Unread> {
        let number = child.inode;
        let Some(kind) = inode.kind().filter(|_| inode.links > 0) else {
            let what = format!("the name leads to no file (inode {number} is not in use)");
            self.growth.warn(parent.id, Some(&child.name), &what);
            return Ok(None);
        };
        let is_folder = kind == FileKind::Directory;
        if is_folder && !self.folders.insert(number) {
            let what = format!("the folder has another place already (inode {number})");
            self.growth.warn(parent.id, Some(&child.name), &what);
            return Ok(None);
        }
        let fault = self.fault(part, kind, &inode)?;
        if let Some(fault) = &fault {
            self.growth.warn(parent.id, Some(&child.name), fault);
        }
        let entry = self.entry(part, kind, &inode, (parent.id, &child.name))?;
        let Some(id) = self.growth.builder.add(parent.id, &child.name, entry) else {
            self.growth
                .warn(parent.id, None, "a name in it is none that Linux allows");
            return Ok(None);
        };
        self.growth.note(id, (self.file_system, number));
        if !is_folder {
            return Ok(None);
        }
        let covered = below(&parent.covered, &child.name);
        if let Some(mount) = covered.iter().find(|covered| covered.rest.is_empty()) {
            self.found.push((mount.mount, id));
            return Ok(None);
        }
        let path = parent.path + 1 + child.name.len();
        if path >= LONGEST_PATH {
            let what = format!("paths of more than {LONGEST_PATH} bytes are not read");
            self.growth.warn(id, None, &what);
            return Ok(None);
        }
        Ok(Some(Folder {
            id,
            inode,
            covered,
            path,
        }))
    }

    /// What is wrong with an inode or with the map of its contents.
    fn fault(
        &mut self,
        part: &mut dyn Blocks,
        kind: FileKind,
        inode: &Inode,
    ) -> Result<Option<String>, Unread> {
        let fault = inode.fault().map(str::to_owned);
        let is_checked = inode.has_tree() && !self.trees.insert(inode.number);
        if kind != FileKind::Regular || is_checked {
            return Ok(fault);
        }
        let checked = self.ext.check_map(part, inode, &mut self.seen);
        match checked.map_err(Unread::of_piece) {
            Ok(()) => Ok(fault),
            Err(why) => {
                let why = why?;
                let key = (self.file_system, inode.number);
                self.growth.unreadable.insert(key);
                Ok(Some(format!("its contents cannot be read: {why}")))
            }
        }
    }

    /// The tree's entry, with a symlink's target.
    fn entry(
        &mut self,
        part: &mut dyn Blocks,
        kind: FileKind,
        inode: &Inode,
        (folder, name): (u32, &[u8]),
    ) -> Result<Entry, Unread> {
        let mut entry = inode.entry(kind);
        entry.number = u64::from(inode.number);
        if inode.links > 1 && kind != FileKind::Directory {
            entry.inode = Some((self.file_system, u64::from(inode.number)));
        }
        if kind == FileKind::Symlink {
            let target = self.ext.link(part, inode, &mut self.seen);
            match target.map_err(Unread::of_piece) {
                Ok(target) => entry.target = target,
                Err(why) => {
                    let what = format!("the symlink cannot be read: {}", why?);
                    self.growth.warn(folder, Some(name), &what);
                }
            }
        }
        Ok(entry)
    }
}

/// The mounts below the folder `name`.
fn below(covered: &[Covered], name: &[u8]) -> Vec<Covered> {
    covered
        .iter()
        .filter(|covered| covered.rest.last().is_some_and(|next| next == name))
        .map(|covered| Covered {
            rest: covered.rest[..covered.rest.len() - 1].to_vec(),
            mount: covered.mount,
        })
        .collect()
}
