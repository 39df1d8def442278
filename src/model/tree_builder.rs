//! Builds a [`FileTree`] from entries in any order.

use super::tree::{FileId, FileKind, FileNode, FileTree, Looks, Span};
use super::tree_links::Links;
use std::collections::HashMap;

/// One file as a guest reports it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What the inode is.
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky; higher bits are ignored.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Length of the contents in bytes.
    pub size: u64,
    /// Room on disk in bytes.
    pub allocated: u64,
    /// Seconds since 1970.
    pub modified: i64,
    /// A symlink's target, else empty.
    pub target: Vec<u8>,
    /// The inode's number in its file system; 0 when unknown. What a running guest reports is found by it.
    pub number: u64,
    /// File system and inode number, where the inode has more than one name.
    pub inode: Option<(u32, u64)>,
}

impl Entry {
    /// An entry of this kind with nothing else known; fill in what is.
    pub fn new(kind: FileKind) -> Self {
        let mode = if kind == FileKind::Directory {
            0o755
        } else {
            0o644
        };
        Self {
            kind,
            mode,
            uid: 0,
            gid: 0,
            size: 0,
            allocated: 0,
            modified: 0,
            target: Vec::new(),
            number: 0,
            inode: None,
        }
    }
}

/// Longest path of a file, in bytes: the longest that Linux opens.
const MAX_PATH: u32 = 4096;
/// Most bytes of names and targets of one guest, twice those of ten million files.
const MAX_TEXT: usize = 512 << 20;

/// Collects entries; ids handed out here are those of the order of insertion, not of the finished tree.
#[derive(Debug)]
pub struct TreeBuilder {
    entries: Vec<(u32, Vec<u8>, Entry)>,
    by_name: HashMap<(u32, Vec<u8>), u32>,
    /// Bytes of names and targets.
    text: usize,
    left_out: usize,
}

impl Default for TreeBuilder {
    fn default() -> Self {
        Self {
            entries: vec![(0, Vec::new(), Entry::new(FileKind::Directory))],
            by_name: HashMap::new(),
            text: 0,
            left_out: 0,
        }
    }
}

impl TreeBuilder {
    /// The root folder's provisional id.
    pub const ROOT: u32 = 0;

    /// Adds a child of `parent` (a provisional id) and returns its provisional id. A name that is there already is
    /// replaced in place; a name that is no single path part (empty, `.`, `..`, with a slash or NUL) is refused, and so are
    /// more names than any system has.
    pub fn add(&mut self, parent: u32, name: &[u8], entry: Entry) -> Option<u32> {
        if name.is_empty()
            || name == b"."
            || name == b".."
            || name.iter().any(|b| matches!(b, b'/' | 0))
        {
            return None;
        }
        let key = (parent, name.to_vec());
        let text = self.text + name.len() + entry.target.len();
        if text > MAX_TEXT {
            self.left_out += 1;
            return None;
        }
        self.text = text;
        if let Some(&id) = self.by_name.get(&key) {
            self.entries[id as usize].2 = entry;
            return Some(id);
        }
        let id = u32::try_from(self.entries.len()).ok()?;
        self.entries.push((parent, key.1.clone(), entry));
        self.by_name.insert(key, id);
        Some(id)
    }

    /// Adds a file by its absolute path, with plain folders where parents are missing.
    pub fn add_path(&mut self, path: &[u8], entry: Entry) -> Option<u32> {
        let parts: Vec<&[u8]> = path
            .split(|&b| b == b'/')
            .filter(|p| !p.is_empty())
            .collect();
        let Some((last, folders)) = parts.split_last() else {
            self.entries[0].2 = entry;
            return Some(Self::ROOT);
        };
        let mut at = Self::ROOT;
        for part in folders {
            at = match self.by_name.get(&(at, part.to_vec())) {
                Some(&id) => id,
                None => self.add(at, part, Entry::new(FileKind::Directory))?,
            };
        }
        self.add(at, last, entry)
    }

    /// Replaces the root folder's own facts.
    pub fn set_root(&mut self, entry: Entry) {
        self.entries[0].2 = entry;
    }

    /// Orders everything; also returns each final id's provisional id (what a guest keyed its inodes by).
    pub fn finish(self) -> (FileTree, Vec<u32>) {
        let (order, too_deep) = preorder(&self.entries);
        let mut place = vec![0u32; self.entries.len()];
        for (at, &id) in order.iter().enumerate() {
            place[id as usize] = at as u32;
        }
        let mut tree = FileTree {
            nodes: Vec::with_capacity(order.len()),
            text: Vec::new(),
            ids: (0..order.len() as u32).map(FileId).collect(),
            child_start: Vec::new(),
            children: Vec::new(),
            groups: Vec::new(),
            links: Links::default(),
            left_out: self.left_out + too_deep,
            looks: Looks::default(),
        };
        let mut inodes: HashMap<(u32, u64), Vec<FileId>> = HashMap::new();
        for (at, &id) in order.iter().enumerate() {
            let (parent, name, entry) = &self.entries[id as usize];
            let node = node(&mut tree.text, place[*parent as usize], name, entry);
            tree.nodes.push(node);
            if let Some(inode) = entry.inode {
                inodes.entry(inode).or_default().push(FileId(at as u32));
            }
        }
        link_ranges(&mut tree);
        group_names(&mut tree, inodes);
        tree.links = Links::new(&tree);
        (tree, order)
    }
}

fn node(text: &mut Vec<u8>, parent: u32, name: &[u8], entry: &Entry) -> FileNode {
    let mut store = |bytes: &[u8]| {
        let start = text.len() as u32;
        text.extend_from_slice(bytes);
        Span {
            start,
            len: bytes.len() as u32,
        }
    };
    FileNode {
        parent,
        end: 0,
        name: store(name),
        target: store(&entry.target),
        kind: entry.kind,
        mode: (entry.mode & 0o7777) as u16,
        uid: entry.uid,
        gid: entry.gid,
        size: entry.size,
        allocated: entry.allocated,
        modified: entry.modified,
        number: entry.number,
        group: u32::MAX,
    }
}

/// Provisional ids in pre-order with siblings by name; what hangs on no folder is left out. Also how many names are left out
/// because their paths are too long: a work over all paths would otherwise take the square of the names.
fn preorder(entries: &[(u32, Vec<u8>, Entry)]) -> (Vec<u32>, usize) {
    let mut children: Vec<Vec<u32>> = vec![Vec::new(); entries.len()];
    for (id, (parent, _, _)) in entries.iter().enumerate().skip(1) {
        if entries[*parent as usize].2.kind == FileKind::Directory {
            children[*parent as usize].push(id as u32);
        }
    }
    for row in &mut children {
        row.sort_unstable_by(|&a, &b| entries[b as usize].1.cmp(&entries[a as usize].1));
    }
    let mut order = Vec::with_capacity(entries.len());
    let mut too_deep = 0;
    let mut todo = vec![(0u32, 0u32)];
    while let Some((id, length)) = todo.pop() {
        if length > MAX_PATH {
            too_deep += 1;
        } else {
            order.push(id);
        }
        let row = std::mem::take(&mut children[id as usize]);
        todo.extend(row.into_iter().map(|child| {
            let name = entries[child as usize].1.len() as u32;
            (child, length.saturating_add(1).saturating_add(name))
        }));
    }
    (order, too_deep)
}

fn link_ranges(tree: &mut FileTree) {
    let count = tree.nodes.len();
    let mut sizes = vec![0u32; count + 1];
    for at in (0..count).rev() {
        let end = tree.nodes[at].end.max(at as u32 + 1);
        tree.nodes[at].end = end;
        if at > 0 {
            let parent = tree.nodes[at].parent as usize;
            tree.nodes[parent].end = tree.nodes[parent].end.max(end);
            sizes[parent] += 1;
        }
    }
    let mut next = 0;
    for size in &mut sizes {
        let here = next;
        next += *size;
        *size = here;
    }
    let mut fill = sizes.clone();
    tree.children = vec![FileId(0); count.saturating_sub(1)];
    for at in 1..count {
        let slot = &mut fill[tree.nodes[at].parent as usize];
        tree.children[*slot as usize] = FileId(at as u32);
        *slot += 1;
    }
    tree.child_start = sizes;
}

fn group_names(tree: &mut FileTree, inodes: HashMap<(u32, u64), Vec<FileId>>) {
    let mut groups: Vec<Vec<FileId>> = inodes
        .into_values()
        .filter(|names| names.len() > 1)
        .collect();
    groups.sort_unstable();
    for (at, group) in groups.iter().enumerate() {
        for name in group {
            tree.nodes[name.index()].group = at as u32;
        }
    }
    tree.groups = groups;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[(&str, Option<&str>)]) -> FileTree {
        let mut builder = TreeBuilder::default();
        for (path, target) in paths {
            let kind = if target.is_some() {
                FileKind::Symlink
            } else {
                FileKind::Regular
            };
            let mut entry = Entry::new(kind);
            entry.target = target.unwrap_or_default().as_bytes().to_vec();
            builder
                .add_path(path.as_bytes(), entry)
                .expect("a plain path");
        }
        builder.finish().0
    }

    #[test]
    fn a_subtree_is_a_range_and_siblings_are_sorted() {
        let tree = tree(&[
            ("/b/z", None),
            ("/a", None),
            ("/b/c/d", None),
            ("/b.x", None),
        ]);
        let paths: Vec<String> = tree
            .ids()
            .map(|id| String::from_utf8(tree.path(id)).unwrap())
            .collect();
        assert_eq!(paths, ["/", "/a", "/b", "/b/c", "/b/c/d", "/b/z", "/b.x"]);
        let b = tree.lookup(b"/b").unwrap();
        assert_eq!(tree.subtree(b), 2..6);
        assert_eq!(
            tree.lookup(b"/b/c/d").map(|id| tree.name(id).to_vec()),
            Some(b"d".to_vec())
        );
        for id in tree.ids() {
            assert_eq!(tree.names(id), [id]);
        }
    }

    #[test]
    fn links_are_followed_inside_the_guest_only() {
        let tree = tree(&[
            ("/usr/lib/x.so.1", None),
            ("/lib", Some("usr/lib")),
            ("/usr/lib/x.so", Some("/lib/x.so.1")),
            ("/loop", Some("loop")),
            ("/up", Some("../../../usr/lib/x.so")),
        ]);
        let target = tree.lookup(b"/usr/lib/x.so.1").unwrap();
        assert_eq!(
            tree.resolve(b"/lib/x.so").map(|r| (r.file, r.links.len())),
            Some((target, 3))
        );
        assert_eq!(tree.resolve(b"/up").map(|r| r.file), Some(target));
        assert_eq!(tree.resolve(b"/loop"), None);
        assert_eq!(
            tree.resolve_parent(b"/lib/x.so").map(|r| tree.path(r.file)),
            Some(b"/usr/lib/x.so".to_vec())
        );
    }

    #[test]
    fn paths_longer_than_linux_opens_are_left_out_and_counted() {
        let mut builder = TreeBuilder::default();
        let (mut at, name) = (TreeBuilder::ROOT, [b'n'; 255]);
        for _ in 0..1000 {
            at = builder
                .add(at, &name, Entry::new(FileKind::Directory))
                .expect("a name");
        }
        let (tree, order) = builder.finish();
        assert_eq!((tree.len(), order.len(), tree.left_out()), (17, 17, 984));
        assert_eq!(tree.path(FileId(16)).len(), 4096);
    }

    #[test]
    fn names_count_once_an_inode() {
        let mut builder = TreeBuilder::default();
        for (name, inode) in [("a", 1), ("b", 2), ("c", 1), ("d", 1), ("e", 3)] {
            let mut entry = Entry::new(FileKind::Regular);
            entry.inode = Some((0, inode));
            builder.add(0, name.as_bytes(), entry);
        }
        let tree = builder.finish().0;
        let at = |name: &str| tree.lookup(name.as_bytes()).expect("it is there");
        let without_a = tree.first_names(|file| file != at("/a"));
        let names: Vec<&[u8]> = without_a
            .ones()
            .map(|at| tree.name(FileId(at as u32)))
            .collect();
        assert_eq!(names, [&b""[..], b"b", b"c", b"e"]);
        assert!(tree.is_same_inode(at("/a"), at("/d")) && !tree.is_same_inode(at("/b"), at("/e")));
    }

    #[test]
    fn hostile_names_are_refused_and_hard_links_grouped() {
        let mut builder = TreeBuilder::default();
        for name in [&b"."[..], b"..", b"", b"a/b", b"a\0"] {
            assert_eq!(builder.add(0, name, Entry::new(FileKind::Regular)), None);
        }
        let mut entry = Entry::new(FileKind::Regular);
        entry.inode = Some((0, 7));
        builder.add(0, b"one", entry.clone());
        builder.add(0, b"two", entry);
        let (tree, _) = builder.finish();
        let one = tree.lookup(b"/one").unwrap();
        assert_eq!(tree.names(one).len(), 2);
        assert!(tree.is_first_name(one) && !tree.is_first_name(tree.lookup(b"/two").unwrap()));
    }
}
