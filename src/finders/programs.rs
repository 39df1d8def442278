//! Finds programs by name, where a shell or `env` would find them.

use crate::model::{FileTree, Resolved};

/// Programs, and folders or files that they read whoever put something there.
pub type Readers<'a> = &'a [(&'a [u8], &'a [&'a [u8]])];

/// Where programs are looked for when nothing says otherwise, as Debian's login sets it for root.
const PATH: [&[u8]; 6] = [
    b"/usr/local/sbin",
    b"/usr/local/bin",
    b"/usr/sbin",
    b"/usr/bin",
    b"/sbin",
    b"/bin",
];

/// The program that a word names: a path, or a name on the default path.
pub fn find(tree: &FileTree, word: &[u8]) -> Option<Resolved> {
    let is_program = |found: &Resolved| !tree.is_directory(found.file);
    if word.contains(&b'/') {
        return tree.resolve(word).filter(is_program);
    }
    if word.is_empty() || word == b"." || word == b".." {
        return None;
    }
    PATH.iter()
        .find_map(|folder| tree.resolve(&[folder, word].join(&b'/')).filter(is_program))
}
