//! A guest's file tree as an arena in pre-order: parents before children, siblings by name, a subtree is a range.

use super::tree_links::{Links, MAX_LINKS};
use fixedbitset::FixedBitSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// The place of a file in its [`FileTree`]; the root folder is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl FileId {
    /// The root folder.
    pub const ROOT: Self = Self(0);

    /// The position in arrays with one element a file.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an inode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A folder.
    Directory,
    /// A regular file.
    Regular,
    /// A symbolic link.
    Symlink,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

#[derive(Debug, Clone)]
pub(super) struct FileNode {
    pub parent: u32,
    /// One past the last descendant.
    pub end: u32,
    pub name: Span,
    pub target: Span,
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky (07777).
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub allocated: u64,
    pub modified: i64,
    /// The inode's number in its file system; 0 when unknown.
    pub number: u64,
    /// Index into `groups` for an inode with several names here, else `u32::MAX`.
    pub group: u32,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub start: u32,
    pub len: u32,
}

/// Where a path leads after following symlinks inside the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The file at the end.
    pub file: FileId,
    /// Every symlink that was followed on the way, in order.
    pub links: Vec<FileId>,
}

/// All files of a guest, every mounted file system in its place.
#[derive(Debug, Clone)]
pub struct FileTree {
    pub(super) nodes: Vec<FileNode>,
    pub(super) text: Vec<u8>,
    /// Every id at its own place, to borrow from.
    pub(super) ids: Vec<FileId>,
    /// Children of `n`: `children[child_start[n]..child_start[n + 1]]`, by name.
    pub(super) child_start: Vec<u32>,
    pub(super) children: Vec<FileId>,
    /// The names of each inode that has several.
    pub(super) groups: Vec<Vec<FileId>>,
    pub(super) links: Links,
    pub(super) left_out: usize,
    pub(super) looks: Looks,
}

/// How often names were looked up: a measure of work that is the same in every run.
#[derive(Debug, Default)]
pub(super) struct Looks(AtomicU64);

impl Looks {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Clone for Looks {
    fn clone(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }
}

impl FileTree {
    /// How many files, folders and links there are, the root included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing but the root folder.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }

    /// How many names are left out, because their paths are longer than any that Linux opens or because the names
    /// together are longer than those of any system.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// How many names were looked up in folders so far, by anybody.
    pub fn looks(&self) -> u64 {
        self.looks.0.load(Ordering::Relaxed)
    }

    /// All ids in pre-order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = FileId> + ExactSizeIterator + use<> {
        (0..self.nodes.len() as u32).map(FileId)
    }

    fn node(&self, file: FileId) -> &FileNode {
        &self.nodes[file.index()]
    }

    fn span(&self, span: Span) -> &[u8] {
        &self.text[span.start as usize..(span.start + span.len) as usize]
    }

    /// The folder that holds this file; the root holds itself.
    pub fn parent(&self, file: FileId) -> FileId {
        FileId(self.node(file).parent)
    }

    /// The last part of the path, as bytes; empty for the root.
    pub fn name(&self, file: FileId) -> &[u8] {
        self.span(self.node(file).name)
    }

    /// The absolute path, as bytes.
    pub fn path(&self, file: FileId) -> Vec<u8> {
        let mut path = Vec::new();
        self.write_path(file, &mut path);
        path
    }

    /// Writes the absolute path over `path`; saves allocations in loops.
    pub fn write_path(&self, file: FileId, path: &mut Vec<u8>) {
        path.clear();
        let mut at = file;
        while at != FileId::ROOT {
            path.extend(self.name(at).iter().rev());
            path.push(b'/');
            at = self.parent(at);
        }
        if path.is_empty() {
            path.push(b'/');
        }
        path.reverse();
    }

    /// What the inode is.
    pub fn kind(&self, file: FileId) -> FileKind {
        self.node(file).kind
    }

    /// Whether it is a folder.
    pub fn is_directory(&self, file: FileId) -> bool {
        self.kind(file) == FileKind::Directory
    }

    /// Permission bits with setuid, setgid and sticky (07777).
    pub fn mode(&self, file: FileId) -> u16 {
        self.node(file).mode
    }

    /// The owner's numbers: user and group.
    pub fn owner(&self, file: FileId) -> (u32, u32) {
        (self.node(file).uid, self.node(file).gid)
    }

    /// The length of the contents in bytes.
    pub fn size(&self, file: FileId) -> u64 {
        self.node(file).size
    }

    /// The room that the inode takes on disk in bytes, holes not counted; the same for every name of the inode.
    pub fn allocated(&self, file: FileId) -> u64 {
        self.node(file).allocated
    }

    /// When the contents changed, in seconds since 1970.
    pub fn modified(&self, file: FileId) -> i64 {
        self.node(file).modified
    }

    /// The inode's number in its file system, where the guest's backend tells.
    pub fn inode_number(&self, file: FileId) -> Option<u64> {
        Some(self.node(file).number).filter(|&number| number != 0)
    }

    /// A symlink's target as written, `None` for anything else.
    pub fn target(&self, file: FileId) -> Option<&[u8]> {
        (self.kind(file) == FileKind::Symlink).then(|| self.span(self.node(file).target))
    }

    /// All names of this inode in the guest, itself included; just itself for nearly every file.
    pub fn names(&self, file: FileId) -> &[FileId] {
        match self.node(file).group {
            u32::MAX => std::slice::from_ref(&self.ids[file.index()]),
            group => &self.groups[group as usize],
        }
    }

    /// Whether this is the first of the inode's names: what sums over inodes count.
    pub fn is_first_name(&self, file: FileId) -> bool {
        match self.node(file).group {
            u32::MAX => true,
            group => self.groups[group as usize][0] == file,
        }
    }

    /// Whether two files are names of one inode.
    pub fn is_same_inode(&self, one: FileId, other: FileId) -> bool {
        let group = self.node(one).group;
        one == other || (group != u32::MAX && group == self.node(other).group)
    }

    /// The files of a set but for further names of inodes that have one in it already.
    pub fn first_names(&self, is_in: impl Fn(FileId) -> bool) -> FixedBitSet {
        let mut is_known = FixedBitSet::with_capacity(self.groups.len());
        let mut firsts = FixedBitSet::with_capacity(self.len());
        for file in self.ids().filter(|&file| is_in(file)) {
            let group = self.node(file).group;
            if group == u32::MAX || !is_known.put(group as usize) {
                firsts.insert(file.index());
            }
        }
        firsts
    }

    /// The files in a folder, by name.
    pub fn children(&self, folder: FileId) -> &[FileId] {
        let at = folder.index();
        &self.children[self.child_start[at] as usize..self.child_start[at + 1] as usize]
    }

    /// The ids of a file and all that is below it.
    pub fn subtree(&self, file: FileId) -> Range<u32> {
        file.0..self.node(file).end
    }

    /// Whether `file` is `folder` or below it.
    pub fn is_within(&self, file: FileId, folder: FileId) -> bool {
        self.subtree(folder).contains(&file.0)
    }

    /// The child with exactly this name.
    pub fn child(&self, folder: FileId, name: &[u8]) -> Option<FileId> {
        self.looks.add();
        let row = self.children(folder);
        row.binary_search_by(|&child| self.name(child).cmp(name))
            .ok()
            .map(|at| row[at])
    }

    /// The file at exactly this path: no symlink is followed; `.` and empty parts are skipped, `..` finds nothing.
    pub fn lookup(&self, path: &[u8]) -> Option<FileId> {
        let mut at = FileId::ROOT;
        for part in parts(path) {
            at = self.child(at, part)?;
        }
        Some(at)
    }

    /// The file that the kernel would find at this path, all symlinks followed inside the guest.
    pub fn resolve(&self, path: &[u8]) -> Option<Resolved> {
        self.resolve_from(FileId::ROOT, path, true)
    }

    /// Like [`resolve`](Self::resolve), but a symlink at the very end is not followed (the path's canonical name).
    pub fn resolve_parent(&self, path: &[u8]) -> Option<Resolved> {
        self.resolve_from(FileId::ROOT, path, false)
    }

    /// Where a symlink leads, all further links followed; `None` when it dangles, loops, or is no link.
    pub fn follow(&self, link: FileId) -> Option<Resolved> {
        let (file, passed) = self.links.end(link)?;
        Some(Resolved {
            file,
            links: passed.to_vec(),
        })
    }

    /// Resolves `path` against `folder` (when it is not absolute).
    pub fn resolve_from(&self, folder: FileId, path: &[u8], follow_last: bool) -> Option<Resolved> {
        let mut at = if path.first() == Some(&b'/') {
            FileId::ROOT
        } else {
            folder
        };
        let mut links = Vec::new();
        let mut parts = parts(path).peekable();
        while let Some(part) = parts.next() {
            if part == b".." {
                at = self.parent(at);
                continue;
            }
            at = self.child(at, part)?;
            if self.target(at).is_some() && (follow_last || parts.peek().is_some()) {
                let (end, passed) = self.links.end(at)?;
                links.push(at);
                links.extend(passed);
                if links.len() > MAX_LINKS {
                    return None;
                }
                at = end;
            }
        }
        Some(Resolved { file: at, links })
    }
}

pub(super) fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
}
