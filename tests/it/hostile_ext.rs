//! File systems that are made to cost more than they are worth: time and memory follow the size of the disk.

use crate::bounded::{Inspected, inspect};
use crate::ext_image::{ExtImage, leaf_block, names_block, tree_block};
use crate::tiny;

/// A guest without checksums, so that its structures can be made at will, and the inode of a folder in it.
fn guest(size: &str, options: &str) -> (ExtImage, u64) {
    let root = tiny::guest();
    let image = ExtImage::of(
        root.path(),
        size,
        &format!("-O ^metadata_csum,^has_journal {options}"),
    );
    let folder = image.find("/opt/old");
    (image, folder)
}

/// Names of four letters that differ, as many as fill a block, all of one inode.
fn full_block(size: u64, inode: u64) -> Vec<u8> {
    let names: Vec<(Vec<u8>, u32)> = (0..size / 12)
        .map(|at| (format!("{at:04x}").into_bytes(), inode as u32))
        .collect();
    names_block(size, &names)
}

/// The guest is usable, and one of its warnings has this path and these words.
fn survives(image: &ExtImage, path: &str, words: &str) -> Inspected {
    let seen = inspect(&image.path());
    assert_eq!(seen.ran.code, 0, "{}", seen.ran.err);
    let is_told = |(at, what): &(String, String)| at == path && what.contains(words);
    assert!(
        seen.warnings.iter().any(is_told),
        "{path} {words}: {:?}",
        seen.warnings
    );
    seen
}

const WIDE: u64 = 65_536;

#[test]
fn extents_that_all_lead_to_one_block_cost_one_block() {
    let (image, folder) = guest("64M", "-b 65536");
    // Blocks near the end of the disk are free.
    let (names, leaf) = (1000, 1001);
    image.write_block(names, &full_block(WIDE, image.find("/etc/hostname")));
    let extents: Vec<(u32, u16, u32)> = (0..5460).map(|at| (at, 1, names as u32)).collect();
    image.write_block(leaf, &leaf_block(WIDE, &extents));
    image.set_trees(folder, 1000 * WIDE, 1, &[(0, leaf as u32)]);
    survives(
        &image,
        "/opt/old",
        "it has two places, and 998 more of its 1000 blocks",
    );
    // The same block of a tree again and again.
    let trees: Vec<(u32, u32)> = (0..1000).map(|at| (at, leaf as u32)).collect();
    image.write_block(1002, &tree_block(WIDE, 1, &trees));
    image.set_trees(folder, 1000 * WIDE, 2, &[(0, 1002)]);
    survives(
        &image,
        "/opt/old",
        "a block of its extent tree has two places",
    );
}

#[test]
fn extents_that_overlap_are_damage() {
    let (image, folder) = guest("1G", "-b 4096 -N 256");
    let (names, leaf) = (200_000, 200_001);
    image.write_block(names, &full_block(4096, image.find("/etc/hostname")));
    let extents: Vec<(u32, u16, u32)> = (0..340).map(|_| (0, 32_768, 100_000)).collect();
    image.write_block(leaf, &leaf_block(4096, &extents));
    let size = 200_000 * 4096;
    image.set_trees(folder, size, 1, &[(0, leaf as u32)]);
    survives(&image, "/opt/old", "extent tree is damaged");
    // So are the branches of a tree that go back.
    let trees: Vec<(u32, u32)> = (0..340).map(|at| (at % 2 * 100, leaf as u32)).collect();
    image.write_block(200_002, &tree_block(4096, 1, &trees));
    image.set_trees(folder, size, 2, &[(0, 200_002)]);
    survives(&image, "/opt/old", "extent tree is damaged");
}

#[test]
fn the_pointers_of_an_old_map_may_all_be_one() {
    let root = tiny::guest();
    let image = ExtImage::of(
        root.path(),
        "256M",
        "-b 1024 -O ^extent,^64bit,^metadata_csum,^has_journal",
    );
    let folder = image.inode(image.find("/opt/old"));
    let (names, pointers) = (200_000_u32, 200_001_u32);
    image.write_block(
        u64::from(names),
        &full_block(1024, image.find("/etc/hostname")),
    );
    let all = |block: u32| block.to_le_bytes().repeat(256);
    image.write_block(u64::from(pointers), &all(pointers));
    for slot in 12..15 {
        image.write(folder + 40 + slot * 4, &pointers.to_le_bytes());
    }
    image.write(folder + 4, &(200_000_u32 * 1024).to_le_bytes());
    survives(&image, "/opt/old", "of the folder is damaged");
}

#[test]
fn a_block_of_names_belongs_to_one_folder() {
    let (image, folder) = guest("256M", "-b 65536 -N 4096");
    let names = 4000;
    image.write_block(names, &full_block(WIDE, image.find("/etc/hostname")));
    // Copies of a folder's inode in inodes that nobody uses.
    let copy = image.bytes(image.inode(folder), 256);
    let first = 1000;
    let mut entries = Vec::new();
    for at in 0..1700 {
        image.write(image.inode(first + at), &copy);
        image.set_extents(first + at, WIDE, &[(0, 1, names as u32)]);
        entries.push((format!("{at:04x}").into_bytes(), (first + at) as u32));
    }
    image.write_block(3999, &names_block(WIDE, &entries));
    image.set_extents(folder, WIDE, &[(0, 1, 3999)]);
    let seen = survives(&image, "/opt/old/0001", "it has two places");
    let more = seen
        .warnings
        .iter()
        .any(|(_, what)| what.ends_with("more files are damaged"));
    assert!(more, "{:?}", seen.warnings.last());
}

#[test]
fn folders_deeper_than_any_path_are_not_read() {
    let (image, folder) = guest("128M", "-b 1024 -N 32768");
    let copy = image.bytes(image.inode(folder), 256);
    let (first, blocks, depth) = (2000, 100_000, 15_000);
    let name = vec![b'n'; 255];
    for (block, at) in (blocks..).zip(0..depth) {
        let inode = if at == 0 { folder } else { first + at };
        image.write(image.inode(inode), &copy);
        image.set_extents(inode, 1024, &[(0, 1, block as u32)]);
        image.write_block(
            block,
            &names_block(1024, &[(name.clone(), (first + at + 1) as u32)]),
        );
    }
    image.write(image.inode(first + depth), &copy);
    let seen = inspect(&image.path());
    assert_eq!(seen.ran.code, 0, "{}", seen.ran.err);
    let deep = seen
        .warnings
        .iter()
        .find(|(_, what)| what.contains("4096 bytes"));
    assert!(
        deep.is_some_and(|(path, _)| path.len() < 5000),
        "{} warnings",
        seen.warnings.len()
    );
}

#[test]
fn many_files_that_share_a_tree_cost_one_tree() {
    let (image, folder) = guest("256M", "-b 65536 -N 4096");
    let extents: Vec<(u32, u16, u32)> = (0..5460).map(|at| (at * 2, 1, 100)).collect();
    image.write_block(4000, &leaf_block(WIDE, &extents));
    let copy = image.bytes(image.inode(image.find("/etc/hostname")), 256);
    let mut entries = Vec::new();
    for at in 0..2000 {
        let inode = 1000 + at;
        image.write(image.inode(inode), &copy);
        image.set_trees(inode, 10_000 * WIDE, 1, &[(0, 4000)]);
        entries.push((format!("{at:04x}").into_bytes(), inode as u32));
    }
    image.write_block(3999, &names_block(WIDE, &entries));
    image.set_extents(folder, WIDE, &[(0, 1, 3999)]);
    survives(
        &image,
        "/opt/old/0001",
        "a block of its extent tree has two places",
    );
}
