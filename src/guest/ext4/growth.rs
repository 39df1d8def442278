//! What a walk makes: the tree, the inode of each file in it, and what is damaged.

use crate::model::{FileId, FileTree, TreeBuilder, Warning};
use std::collections::HashSet;

/// A damaged file system may have one fault for each name; these are told one by one.
const MOST_FAULTS: usize = 1000;

/// A tree that grows, over all file systems of a guest.
#[derive(Default)]
pub(in crate::guest) struct Growth {
    /// The tree so far.
    pub builder: TreeBuilder,
    /// File system and inode number of each entry, by provisional id.
    pub inodes: Vec<(u32, u32)>,
    /// What is damaged.
    pub faults: Vec<Fault>,
    /// How many more there are, which are not told one by one.
    pub more_faults: usize,
    /// File systems and inode numbers of files whose contents cannot be read.
    pub unreadable: HashSet<(u32, u32)>,
}

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::guest) struct Fault {
    /// Provisional id of the file, or of its folder.
    pub id: u32,
    /// The file's name in that folder, where it has no id of its own.
    pub name: Option<Box<[u8]>>,
    /// What is wrong, one phrase.
    pub what: String,
}

impl Fault {
    /// The warning, with the path of what it is about; `file` is what `id` has become.
    pub fn into_warning(self, tree: &FileTree, file: FileId) -> Warning {
        let mut path = tree.path(file);
        if let Some(name) = self.name {
            path.extend(if path == b"/" { &b""[..] } else { b"/" });
            path.extend(name);
        }
        Warning::new(&path, self.what)
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

    /// Adds what is wrong with a file, or with the file of this name in a folder.
    pub fn warn(&mut self, id: u32, name: Option<&[u8]>, what: &str) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault {
                id,
                name: name.map(Into::into),
                what: what.to_owned(),
            });
        } else {
            self.more_faults += 1;
        }
    }
}
