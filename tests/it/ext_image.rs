//! Small ext file systems on sparse files, made by mke2fs(8), and where their structures are, so that tests can damage them.

use crate::command;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// An image that is one ext file system.
pub struct ExtImage {
    folder: TempDir,
    file: File,
    block: u64,
    groups: u64,
    inodes_per_group: u64,
    inode: u64,
    descriptor: u64,
}

impl ExtImage {
    /// The folder `root` as a file system of this size, made with these options.
    pub fn of(root: &Path, size: &str, options: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("disk.img");
        let made = command::program("mke2fs")
            .args(["-q", "-F", "-t", "ext4"])
            .args(options.split_whitespace())
            .arg("-d")
            .args([root, &path])
            .arg(size)
            .output()
            .expect("mke2fs is installed");
        assert!(made.status.success(), "{options}: {made:?}");
        let file = OpenOptions::new().read(true).write(true).open(&path);
        let mut image = Self {
            folder,
            file: file.expect("it was made"),
            block: 0,
            groups: 0,
            inodes_per_group: 0,
            inode: 0,
            descriptor: 0,
        };
        image.block = 1024 << image.number(1024 + 24, 4);
        image.inodes_per_group = image.number(1024 + 40, 4);
        image.inode = image.number(1024 + 88, 2);
        image.descriptor = image.number(1024 + 254, 2).max(32);
        image.groups = image.number(1024, 4) / image.inodes_per_group;
        image
    }

    /// The image's path.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("disk.img")
    }

    /// Bytes in a block.
    pub fn block_size(&self) -> u64 {
        self.block
    }

    /// Bytes from an offset on.
    pub fn bytes(&self, at: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.file.read_exact_at(&mut bytes, at).expect("inside");
        bytes
    }

    /// A little-endian number.
    pub fn number(&self, at: u64, len: usize) -> u64 {
        let bytes = self.bytes(at, len);
        bytes
            .iter()
            .rev()
            .fold(0, |all, &byte| all << 8 | u64::from(byte))
    }

    /// Overwrites bytes.
    pub fn write(&self, at: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, at).expect("it writes");
    }

    /// Overwrites bytes of a block.
    pub fn write_block(&self, block: u64, bytes: &[u8]) {
        self.write(block * self.block, bytes);
    }

    /// Flips the bits of one byte.
    pub fn flip(&self, at: u64) {
        let byte = self.bytes(at, 1)[0];
        self.write(at, &[!byte]);
    }

    /// Where a group's descriptor is.
    pub fn descriptor(&self, group: u64) -> u64 {
        assert!(group < self.groups, "there are {} groups", self.groups);
        (self.number(1024 + 20, 4) + 1) * self.block + group * self.descriptor
    }

    /// Where an inode is.
    pub fn inode(&self, number: u64) -> u64 {
        let group = (number - 1) / self.inodes_per_group;
        let table = self.number(self.descriptor(group) + 8, 4);
        table * self.block + (number - 1) % self.inodes_per_group * self.inode
    }

    /// The number of the inode at a path.
    pub fn find(&self, path: &str) -> u64 {
        let said = self.debugfs(&format!("stat \"{path}\""));
        let number = said
            .split("Inode: ")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        number
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("{path}: {said}"))
    }

    /// The blocks of the contents at a path, without that of its extent tree.
    pub fn blocks(&self, path: &str) -> Vec<u64> {
        let said = self.debugfs(&format!("blocks \"{path}\""));
        let at = self.inode(self.find(path)) + 40;
        let tree = (self.number(at + 6, 2) > 0).then(|| self.number(at + 16, 4));
        said.split_whitespace()
            .filter_map(|word| word.parse().ok())
            .filter(|&block| Some(block) != tree)
            .collect()
    }

    /// The block of the extent tree that the inode at a path has.
    pub fn tree_block(&self, path: &str) -> u64 {
        let at = self.inode(self.find(path)) + 40;
        assert!(self.number(at + 6, 2) > 0, "{path} has no tree of its own");
        self.number(at + 16, 4)
    }

    /// Makes an inode's map a root of these extents: first block in the file, number of blocks, first block on the disk.
    pub fn set_extents(&self, inode: u64, size: u64, extents: &[(u32, u16, u32)]) {
        let mut map = header(extents.len(), 4, 0);
        map.extend(leaves(extents));
        self.set_map(inode, size, map);
    }

    /// Makes an inode's map a root of these subtrees: first block in the file, block of the tree.
    pub fn set_trees(&self, inode: u64, size: u64, depth: u16, trees: &[(u32, u32)]) {
        let mut map = header(trees.len(), 4, depth);
        map.extend(branches(trees));
        self.set_map(inode, size, map);
    }

    fn set_map(&self, inode: u64, size: u64, mut map: Vec<u8>) {
        let at = self.inode(inode);
        map.resize(60, 0);
        self.write(at + 40, &map);
        self.write(at + 4, &(size as u32).to_le_bytes());
        self.write(at + 108, &((size >> 32) as u32).to_le_bytes());
    }

    fn debugfs(&self, request: &str) -> String {
        let said = command::program("debugfs")
            .args(["-R", request])
            .arg(self.path())
            .output();
        String::from_utf8_lossy(&said.expect("debugfs is installed").stdout).into_owned()
    }
}

fn header(count: usize, most: u16, depth: u16) -> Vec<u8> {
    let words = [0xf30a, count as u16, most, depth, 0, 0];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn leaves(extents: &[(u32, u16, u32)]) -> Vec<u8> {
    let leaf = |&(first, len, block): &(u32, u16, u32)| {
        [
            &first.to_le_bytes()[..],
            &len.to_le_bytes(),
            &[0; 2],
            &block.to_le_bytes(),
        ]
        .concat()
    };
    extents.iter().flat_map(leaf).collect()
}

fn branches(trees: &[(u32, u32)]) -> Vec<u8> {
    let branch = |&(first, block): &(u32, u32)| {
        [&first.to_le_bytes()[..], &block.to_le_bytes(), &[0; 4]].concat()
    };
    trees.iter().flat_map(branch).collect()
}

/// A block of an extent tree with these extents.
pub fn leaf_block(size: u64, extents: &[(u32, u16, u32)]) -> Vec<u8> {
    let mut block = header(extents.len(), ((size - 12) / 12) as u16, 0);
    block.extend(leaves(extents));
    block.resize(size as usize, 0);
    block
}

/// A block of an extent tree with these subtrees.
pub fn tree_block(size: u64, depth: u16, trees: &[(u32, u32)]) -> Vec<u8> {
    let mut block = header(trees.len(), ((size - 12) / 12) as u16, depth);
    block.extend(branches(trees));
    block.resize(size as usize, 0);
    block
}

/// A folder's block of these names and inodes; the last one fills it.
pub fn names_block(size: u64, names: &[(Vec<u8>, u32)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (at, (name, inode)) in names.iter().enumerate() {
        let start = block.len();
        block.extend(inode.to_le_bytes());
        block.extend([0, 0, name.len() as u8, 0]);
        block.extend(name);
        block.resize(block.len().next_multiple_of(4), 0);
        let end = if at + 1 == names.len() {
            size as usize
        } else {
            block.len()
        };
        let len = (end - start).min(0xffff) as u16;
        block[start + 4..start + 6].copy_from_slice(&len.to_le_bytes());
    }
    block.resize(size as usize, 0);
    block
}
