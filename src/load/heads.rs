//! The first bytes of whatever may be a program or a library.

use super::reader::Reader;
use crate::finders::{Head, Source};
use crate::job::{Cancelled, Job};
use crate::model::{FileId, FileKind, FileTree};
use fixedbitset::FixedBitSet;

/// Files between two looks at the cancel flag.
const CHECK_EVERY: u32 = 4096;

/// One element a file; regular files that may be executed or have `.so` in their names are looked at.
pub fn read(tree: &FileTree, reader: &mut Reader<'_>, job: &Job) -> Result<Vec<Head>, Cancelled> {
    let mut heads = vec![Head::Other; tree.len()];
    let files = candidates(tree, job)?;
    for (done, &file) in files.iter().enumerate() {
        job.check()?;
        if done % 256 == 0 {
            job.items("looking at programs", done as u64, Some(files.len() as u64));
        }
        let first = tree.names(file)[0];
        heads[file.index()] = if first < file {
            heads[first.index()].clone()
        } else {
            Head::parse(&reader.read(tree, file, 0, Head::LEN))
        };
    }
    Ok(heads)
}

/// All names of the inodes that may be programs or libraries; each inode's names are looked at once.
fn candidates(tree: &FileTree, job: &Job) -> Result<Vec<FileId>, Cancelled> {
    let mut is_candidate = FixedBitSet::with_capacity(tree.len());
    for file in tree.ids() {
        if file.0.is_multiple_of(CHECK_EVERY) {
            job.check()?;
        }
        let names = tree.names(file);
        let answer = if names[0] < file {
            is_candidate[names[0].index()]
        } else {
            tree.kind(file) == FileKind::Regular
                && (tree.mode(file) & 0o111 != 0
                    || names.iter().any(|&name| is_library(tree, name)))
        };
        is_candidate.set(file.index(), answer);
    }
    Ok(is_candidate.ones().map(|at| FileId(at as u32)).collect())
}

fn is_library(tree: &FileTree, file: FileId) -> bool {
    tree.name(file).windows(3).any(|window| window == b".so")
}
