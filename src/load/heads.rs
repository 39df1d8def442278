//! The first bytes of whatever may be a program or a library.

use super::reader::Reader;
use crate::finders::{Head, Source};
use crate::job::{Cancelled, Job};
use crate::model::{FileId, FileKind, FileTree};

/// One element a file; regular files that may be executed or have `.so` in their names are looked at.
pub fn read(tree: &FileTree, reader: &mut Reader<'_>, job: &Job) -> Result<Vec<Head>, Cancelled> {
    let mut heads = vec![Head::Other; tree.len()];
    let files: Vec<FileId> = tree
        .ids()
        .filter(|&file| is_candidate(tree, file))
        .collect();
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

fn is_candidate(tree: &FileTree, file: FileId) -> bool {
    tree.kind(file) == FileKind::Regular
        && (tree.mode(file) & 0o111 != 0
            || tree.names(file).iter().any(|&name| is_library(tree, name)))
}

fn is_library(tree: &FileTree, file: FileId) -> bool {
    tree.name(file).windows(3).any(|window| window == b".so")
}
