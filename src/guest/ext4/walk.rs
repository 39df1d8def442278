//! The whole tree, level by level: all folders of a level in the order of their blocks, then all inodes of the next
//! level in the order of their numbers, so that the disk is read nearly in one sweep a level.

use super::folder::Name;
use super::{Ext, Inode, Unread};
use crate::guest::MAX_FILES;
use crate::guest::blocks::Blocks;
use crate::job::Job;
use crate::model::{FileKind, TreeBuilder};
use std::collections::HashSet;

/// Linux knows no limit; but each level is one more part of a path that somebody has to walk.
const DEEPEST: usize = 20_000;

/// A tree that grows, over all file systems of a guest.
#[derive(Default)]
pub(in crate::guest) struct Growth {
    /// The tree so far.
    pub builder: TreeBuilder,
    /// File system and inode number of each entry, by provisional id.
    pub inodes: Vec<(u32, u32)>,
    /// Provisional id and what is wrong there.
    pub warnings: Vec<(u32, String)>,
}

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
}

struct Child {
    folder: usize,
    name: Name,
    inode: Option<Inode>,
}

/// Adds a file system's whole tree below the folder `root`, which takes the facts of its root folder. Returns the folders
/// that are covered: mount and provisional id.
pub(in crate::guest) fn walk(
    ext: &Ext,
    part: &mut dyn Blocks,
    (file_system, root): (u32, u32),
    covered: Vec<Covered>,
    growth: &mut Growth,
    job: &Job,
) -> Result<Vec<(usize, u32)>, Unread> {
    let inode = ext.inode(part, Ext::ROOT)?;
    if inode.kind() != Some(FileKind::Directory) {
        return Err(Unread::broken("its root is no folder"));
    }
    let mut walk = Walk {
        ext,
        file_system,
        growth,
        seen: HashSet::from([Ext::ROOT]),
        budget: ext.superblock.blocks,
        found: Vec::new(),
    };
    let mut level = vec![Folder {
        id: root,
        inode,
        covered,
    }];
    for _ in 0..DEEPEST {
        if level.is_empty() {
            break;
        }
        level = walk.level(part, &level, job)?;
    }
    for folder in &level {
        let what = format!("folders deeper than {DEEPEST} are not read");
        walk.growth.warnings.push((folder.id, what));
    }
    Ok(walk.found)
}

struct Walk<'a> {
    ext: &'a Ext,
    file_system: u32,
    growth: &'a mut Growth,
    /// Folders that have their place: a second name of one would be a loop.
    seen: HashSet<u32>,
    /// Blocks of folders that may still be read: no sound file system has more of them than blocks.
    budget: u64,
    found: Vec<(usize, u32)>,
}

impl Walk<'_> {
    /// Adds what is in the folders of one level and returns the folders of the next.
    fn level(
        &mut self,
        part: &mut dyn Blocks,
        folders: &[Folder],
        job: &Job,
    ) -> Result<Vec<Folder>, Unread> {
        let mut children = Vec::new();
        for at in self.in_block_order(part, folders) {
            job.check()?;
            self.read_folder(part, at, &folders[at], &mut children)?;
        }
        children.sort_unstable_by_key(|child| child.name.inode);
        for (at, child) in children.iter_mut().enumerate() {
            if at.is_multiple_of(4096) {
                job.check()?;
                let done = (self.growth.inodes.len() + at) as u64;
                job.items("reading the file tree", done, None);
            }
            match self.ext.inode(part, child.name.inode) {
                Ok(inode) => child.inode = Some(inode),
                Err(Unread::Broken(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut next = Vec::new();
        for child in children {
            self.add(part, child, folders, &mut next)?;
        }
        Ok(next)
    }

    fn in_block_order(&self, part: &mut dyn Blocks, folders: &[Folder]) -> Vec<usize> {
        let mut order: Vec<(u64, usize)> = folders
            .iter()
            .enumerate()
            .map(|(at, folder)| {
                let runs = self.ext.runs(part, &folder.inode, 0, 1).unwrap_or_default();
                (runs.first().map_or(0, |run| run.physical), at)
            })
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, at)| at).collect()
    }

    fn read_folder(
        &mut self,
        part: &mut dyn Blocks,
        at: usize,
        folder: &Folder,
        children: &mut Vec<Child>,
    ) -> Result<(), Unread> {
        let blocks = folder.inode.size.div_ceil(self.ext.superblock.block_size);
        let names = match self.budget.checked_sub(blocks) {
            Some(rest) => {
                self.budget = rest;
                self.ext.folder(part, &folder.inode)
            }
            None => Err(Unread::broken("the folders are larger than the disk")),
        };
        match names {
            Ok(names) => children.extend(names.into_iter().map(|name| Child {
                folder: at,
                name,
                inode: None,
            })),
            Err(Unread::Broken(why)) => self.warn(folder.id, &why),
            Err(Unread::Disk(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                self.warn(folder.id, "its blocks are beyond the disk");
            }
            Err(error) => return Err(error),
        }
        if self.growth.inodes.len() + children.len() > MAX_FILES {
            return Err(Unread::broken(format!("more than {MAX_FILES} files")));
        }
        Ok(())
    }

    fn add(
        &mut self,
        part: &mut dyn Blocks,
        child: Child,
        folders: &[Folder],
        next: &mut Vec<Folder>,
    ) -> Result<(), Unread> {
        let parent = &folders[child.folder];
        let number = child.name.inode;
        let used = child.inode.and_then(|inode| Some((inode.kind()?, inode)));
        let Some((kind, inode)) = used else {
            self.warn(
                parent.id,
                &format!("a name in it leads to no file (inode {number})"),
            );
            return Ok(());
        };
        let is_folder = kind == FileKind::Directory;
        if is_folder && !self.seen.insert(number) {
            self.warn(
                parent.id,
                &format!("a folder in it is a loop (inode {number})"),
            );
            return Ok(());
        }
        let mut entry = inode.entry(kind);
        entry.number = u64::from(number);
        if kind == FileKind::Symlink {
            entry.target = self.target(part, &inode, parent.id)?;
        }
        if inode.links > 1 && !is_folder {
            entry.inode = Some((self.file_system, u64::from(number)));
        }
        let Some(id) = self.growth.builder.add(parent.id, &child.name.name, entry) else {
            self.warn(parent.id, "a name in it is none that Linux allows");
            return Ok(());
        };
        self.growth.note(id, (self.file_system, number));
        if is_folder {
            let covered = below(&parent.covered, &child.name.name);
            match covered.iter().find(|covered| covered.rest.is_empty()) {
                Some(mount) => self.found.push((mount.mount, id)),
                None => next.push(Folder { id, inode, covered }),
            }
        }
        Ok(())
    }

    fn target(
        &mut self,
        part: &mut dyn Blocks,
        inode: &Inode,
        folder: u32,
    ) -> Result<Vec<u8>, Unread> {
        match self.ext.link(part, inode) {
            Err(Unread::Broken(why)) => {
                self.warn(folder, &format!("a symlink in it cannot be read: {why}"));
                Ok(Vec::new())
            }
            target => target,
        }
    }

    fn warn(&mut self, id: u32, what: &str) {
        // A damaged file system may have one for each name.
        const MOST: usize = 1000;
        if self.growth.warnings.len() < MOST {
            self.growth.warnings.push((id, what.to_owned()));
        }
    }
}

impl Growth {
    /// Notes the inode behind a provisional id; ids grow by one, and a name that occurs twice has its id again.
    pub fn note(&mut self, id: u32, inode: (u32, u32)) {
        let at = id as usize;
        if at >= self.inodes.len() {
            self.inodes.resize(at + 1, (0, 0));
        }
        self.inodes[at] = inode;
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
