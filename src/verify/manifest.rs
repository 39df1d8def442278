//! The full comparison with the plan: every path that is to stay is there with the same facts, none that is to go is left, and
//! nothing came from anywhere else. What the export's own steps rewrite is held against those steps.

use super::Rung;
use crate::export::{Step, StepKind};
use crate::model::text::escape;
use crate::model::{FileId, FileKind, FileTree};
use crate::vm::Subject;
use fixedbitset::FixedBitSet;
use std::collections::{BTreeMap, HashMap};

const ID: &str = "manifest";

/// What a rewritten path must be afterwards.
pub(super) enum Rewritten<'a> {
    Contents(&'a [u8]),
    Target(&'a [u8]),
    Moved,
    /// Something else, of which only the one that wrote it knows the bytes.
    Unknown,
}

/// What the steps make of the source, by path.
pub(super) struct Expected<'a> {
    /// Files of the source that go, one bit each.
    gone: FixedBitSet,
    /// Paths that are written, linked or moved to.
    pub rewritten: HashMap<&'a [u8], Rewritten<'a>>,
}

impl<'a> Expected<'a> {
    pub fn of(source: &FileTree, steps: &'a [Step]) -> Self {
        let mut expected = Self {
            gone: FixedBitSet::with_capacity(source.len()),
            rewritten: HashMap::new(),
        };
        for step in steps {
            match &step.kind {
                StepKind::Remove(removal) | StepKind::Copy(removal) => {
                    for path in removal.files.iter().chain(&removal.folders) {
                        expected.remove(source, path);
                    }
                }
                StepKind::Move(moves) => {
                    for (from, to) in moves {
                        expected.remove(source, from);
                        expected.rewritten.insert(to, Rewritten::Moved);
                    }
                }
                StepKind::Write(texts) => {
                    let written = texts
                        .iter()
                        .map(|text| (&text.path[..], Rewritten::Contents(&text.content)));
                    expected.rewritten.extend(written);
                }
                StepKind::Initramfs(new) => {
                    let content = new.content.as_deref();
                    let rewritten = content.map_or(Rewritten::Unknown, Rewritten::Contents);
                    expected.rewritten.insert(&new.path, rewritten);
                }
                StepKind::Link(links) => {
                    let linked = links
                        .iter()
                        .map(|link| (&link.path[..], Rewritten::Target(&link.target)));
                    expected.rewritten.extend(linked);
                }
                _ => {}
            }
        }
        expected
    }

    /// Whether this file of the source is to go.
    pub fn is_gone(&self, file: FileId) -> bool {
        self.gone.contains(file.index())
    }

    fn remove(&mut self, source: &FileTree, path: &[u8]) {
        if let Some(file) = source.lookup(path) {
            let range = source.subtree(file);
            self.gone
                .insert_range(range.start as usize..range.end as usize);
        }
    }
}

/// Compares facts, path by path; what is wrong, sorted by path.
pub fn differences(source: &FileTree, steps: &[Step], output: &FileTree) -> Vec<String> {
    let expected = Expected::of(source, steps);
    let mut wrong = BTreeMap::new();
    let mut note = |path: &[u8], what: &str| {
        wrong.insert(path.to_vec(), format!("{}: {what}", escape(path)));
    };
    for file in source.ids() {
        let path = source.path(file);
        let rewritten = expected.rewritten.get(&path[..]);
        match (
            output.lookup(&path),
            expected.is_gone(file) && rewritten.is_none(),
        ) {
            (Some(_), true) => note(&path, "it should be gone"),
            (None, false) => note(&path, "it is missing"),
            (Some(there), false) => {
                if let Some(what) = compare(source, file, output, there, rewritten) {
                    note(&path, what);
                }
            }
            (None, true) => {}
        }
    }
    for file in output.ids() {
        let path = output.path(file);
        // The folders of a new file are as new as the file.
        let is_expected = || expected.rewritten.keys().any(|new| new.starts_with(&path));
        if source.lookup(&path).is_none() && !is_expected() {
            note(&path, "nobody put it there");
        }
    }
    wrong
        .into_values()
        .chain(links_apart(source, output))
        .collect()
}

/// Names of one inode of the source that are files of their own in the output.
fn links_apart(source: &FileTree, output: &FileTree) -> Vec<String> {
    let mut firsts: HashMap<FileId, FileId> = HashMap::new();
    let mut apart = |file: FileId| {
        let other = output.lookup(&source.path(file))?;
        let first = *firsts.entry(source.names(file)[0]).or_insert(other);
        let is_apart = !output.is_same_inode(first, other);
        is_apart.then(|| {
            format!(
                "{}: it is no hard link any more",
                escape(&source.path(file))
            )
        })
    };
    source
        .ids()
        .filter(|&file| source.names(file).len() > 1)
        .filter_map(&mut apart)
        .collect()
}

/// What is not as it should be of one path that both trees have.
fn compare(
    source: &FileTree,
    before: FileId,
    output: &FileTree,
    after: FileId,
    rewritten: Option<&Rewritten<'_>>,
) -> Option<&'static str> {
    if let Some(Rewritten::Moved) = rewritten {
        return None;
    }
    let is_file = source.kind(before) == FileKind::Regular;
    let (size, target) = match rewritten {
        Some(Rewritten::Contents(contents)) => (contents.len() as u64, source.target(before)),
        Some(Rewritten::Target(target)) => (output.size(after), Some(*target)),
        Some(Rewritten::Unknown) => (output.size(after), source.target(before)),
        _ => (source.size(before), source.target(before)),
    };
    let checks = [
        (
            source.kind(before) == output.kind(after),
            "it became something else",
        ),
        (
            source.mode(before) == output.mode(after),
            "its mode differs",
        ),
        (
            source.owner(before) == output.owner(after),
            "its owner differs",
        ),
        (!is_file || size == output.size(after), "its size differs"),
        (target == output.target(after), "its target differs"),
        (
            rewritten.is_some()
                || source.is_directory(before)
                || source.modified(before) == output.modified(after),
            "its time differs",
        ),
    ];
    checks
        .iter()
        .find(|(holds, _)| !holds)
        .map(|&(_, what)| what)
}

/// The rung about facts.
pub fn check(source: &Subject, steps: &[Step], output: &Subject) -> Rung {
    let (before, after) = (&source.loaded.inventory.tree, &output.loaded.inventory.tree);
    let wrong = differences(before, steps, after);
    if wrong.is_empty() {
        return Rung::pass(ID, format!("all {} paths are as planned", after.len()));
    }
    Rung::fail(
        ID,
        format!("{} paths are not as planned", wrong.len()),
        wrong,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{NewInitramfs, NewText, Removal};
    use crate::model::{Entry, TreeBuilder};

    fn tree(files: &[(&str, u64)]) -> FileTree {
        let mut builder = TreeBuilder::default();
        for &(path, size) in files {
            let entry = Entry {
                size,
                ..Entry::new(FileKind::Regular)
            };
            builder.add_path(path.as_bytes(), entry).unwrap();
        }
        builder.finish().0
    }

    fn steps() -> Vec<Step> {
        let text = |path: &str, is_new| NewText {
            path: path.into(),
            content: b"12345".to_vec(),
            is_new,
            why: String::new(),
        };
        let removal = Removal {
            files: vec![b"/usr/a".to_vec()],
            folders: vec![b"/doc".to_vec()],
            ..Removal::default()
        };
        [
            StepKind::Remove(removal),
            StepKind::Write(vec![text("/status", false), text("/new/list", true)]),
        ]
        .into_iter()
        .map(|kind| Step {
            heading: String::new(),
            kind,
        })
        .collect()
    }

    const SOURCE: &[(&str, u64)] = &[("/usr/a", 1), ("/usr/b", 2), ("/doc/x", 3), ("/status", 9)];

    #[test]
    fn what_the_steps_say_is_as_planned() {
        let output = tree(&[("/usr/b", 2), ("/status", 5), ("/new/list", 5)]);
        assert_eq!(differences(&tree(SOURCE), &steps(), &output), [""; 0]);
    }

    #[test]
    fn an_initramfs_that_was_made_anew_has_its_own_bytes_and_stays_a_file() {
        let source = tree(&[("/boot/initrd", 9)]);
        let wrong = |content: Option<&[u8]>, size| {
            let kind = StepKind::Initramfs(NewInitramfs {
                path: b"/boot/initrd".to_vec(),
                content: content.map(Into::into),
            });
            let heading = String::new();
            differences(
                &source,
                &[Step { heading, kind }],
                &tree(&[("/boot/initrd", size)]),
            )
        };
        assert_eq!(wrong(Some(b"12345"), 5), [""; 0]);
        assert_eq!(wrong(Some(b"12345"), 9), ["/boot/initrd: its size differs"]);
        assert_eq!(wrong(None, 7), [""; 0]);
    }

    #[test]
    fn each_departure_from_the_plan_is_named() {
        let output = tree(&[
            ("/usr/a", 1),
            ("/status", 9),
            ("/new/list", 5),
            ("/new/evil\x1b", 1),
        ]);
        assert_eq!(
            differences(&tree(SOURCE), &steps(), &output),
            [
                "/new/evil\\x1b: nobody put it there",
                "/status: its size differs",
                "/usr/a: it should be gone",
                "/usr/b: it is missing",
            ]
        );
    }

    #[test]
    fn names_of_one_file_that_became_two_are_named_and_a_name_that_went_is_not() {
        let linked = |names: &[(&str, u64)]| {
            let mut builder = TreeBuilder::default();
            for &(path, number) in names {
                let entry = Entry {
                    inode: Some((0, number)),
                    ..Entry::new(FileKind::Regular)
                };
                builder.add_path(path.as_bytes(), entry).unwrap();
            }
            builder.finish().0
        };
        let source = linked(&[("/usr/a", 7), ("/usr/b", 7), ("/usr/c", 7)]);
        let differences = |output: &FileTree| differences(&source, &steps(), output);
        assert_eq!(
            differences(&linked(&[("/usr/b", 1), ("/usr/c", 1)])),
            [""; 0]
        );
        assert_eq!(
            differences(&linked(&[("/usr/b", 1), ("/usr/c", 2)])),
            ["/usr/c: it is no hard link any more"]
        );
    }
}
