//! What systemd itself reads or runs when it is there, whatever unit names it: generators, rules for accounts and files.

use crate::finders::{Because, Found};
use crate::model::{Evidence, FileId, FileKind, FileTree, Node};

/// Programs that read what packages put into folders: the program, and the folders, which may be missing.
const READERS: [(&[u8], &[&[u8]]); 7] = [
    (
        b"/usr/lib/systemd/systemd",
        &[
            b"/usr/lib/systemd/system-generators",
            b"/usr/lib/systemd/system-environment-generators",
            b"/usr/lib/systemd/user-generators",
            b"/usr/lib/systemd/user-environment-generators",
            b"/usr/lib/systemd/system-shutdown",
            b"/usr/lib/environment.d",
        ],
    ),
    (
        b"/usr/lib/systemd/systemd-sleep",
        &[b"/usr/lib/systemd/system-sleep"],
    ),
    (b"/usr/bin/systemd-tmpfiles", &[b"/usr/lib/tmpfiles.d"]),
    (b"/usr/bin/systemd-sysusers", &[b"/usr/lib/sysusers.d"]),
    (b"/usr/lib/systemd/systemd-sysctl", &[b"/usr/lib/sysctl.d"]),
    (
        b"/usr/lib/systemd/systemd-modules-load",
        &[b"/usr/lib/modules-load.d"],
    ),
    (b"/usr/lib/systemd/systemd-binfmt", &[b"/usr/lib/binfmt.d"]),
];

/// Adds what the programs want of the folders that they read.
pub fn find(finder: u8, tree: &FileTree, found: &mut Found) {
    for (program, folders) in READERS {
        let Some(program) = tree
            .resolve(program)
            .or_else(|| tree.resolve(&program[4..]))
        else {
            continue;
        };
        let because = Because {
            finder,
            from: Node::File(program.file),
            evidence: Evidence::Wanted,
        };
        for end in folders.iter().filter_map(|folder| tree.resolve(folder)) {
            for file in tree.subtree(end.file).map(FileId) {
                if tree.kind(file) != FileKind::Directory {
                    found.need(because, Node::File(file), tree.name(file));
                }
            }
        }
    }
}
