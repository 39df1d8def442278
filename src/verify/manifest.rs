//! The full comparison with the plan: every path that is to stay is there with the same facts and the same bytes, none that is to
//! go is left, and nothing came from anywhere else. What the export's own steps rewrite is held against those steps.

use super::Rung;
use crate::export::{Step, StepKind};
use crate::guest::{self, Guest, GuestError, OpenOptions};
use crate::job::Job;
use crate::model::text::escape;
use crate::model::{FileId, FileKind, FileTree};
use crate::vm::Subject;
use fixedbitset::FixedBitSet;
use std::collections::{BTreeMap, HashMap};

const ID: &str = "manifest";
const CONTENTS: &str = "contents";

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
                StepKind::Remove(removal) => {
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
            expected.gone.contains(file.index()) && rewritten.is_none(),
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
    wrong.into_values().collect()
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

/// The rung about bytes: every regular file of the output against the source, or against what the steps wrote.
pub fn check_contents(
    source: &Subject,
    steps: &[Step],
    output: &Subject,
    options: &OpenOptions,
    job: &Job,
) -> Result<Rung, GuestError> {
    let (mut before, old) = reopen(source, options, job)?;
    let (mut after, new) = reopen(output, options, job)?;
    let expected = Expected::of(&old, steps);
    let files: Vec<FileId> = new
        .ids()
        .filter(|&file| new.kind(file) == FileKind::Regular && new.is_first_name(file))
        .collect();
    let mut wrong = Vec::new();
    let mut bytes = 0;
    for (done, &file) in (0..).zip(&files) {
        job.items("comparing contents", done, Some(files.len() as u64));
        job.check()?;
        let path = new.path(file);
        let is_same = match (expected.rewritten.get(&path[..]), old.lookup(&path)) {
            (Some(Rewritten::Contents(contents)), _) => {
                after.read(&new, file, 0, contents.len() + 1)? == **contents
            }
            (None, Some(origin)) => is_same(&mut *before, &old, origin, &mut *after, &new, file)?,
            // New paths are the manifest's matter.
            _ => continue,
        };
        bytes += new.size(file);
        if !is_same {
            wrong.push(escape(&path).into_owned());
        }
    }
    if wrong.is_empty() {
        let bytes = crate::model::Bytes(bytes);
        return Ok(Rung::pass(
            CONTENTS,
            format!(
                "{} files ({bytes}) have the bytes that they should",
                files.len()
            ),
        ));
    }
    Ok(Rung::fail(
        CONTENTS,
        format!("{} files have other bytes", wrong.len()),
        wrong,
    ))
}

/// Opens an image once more, to read files of it.
pub(super) fn reopen(
    subject: &Subject,
    options: &OpenOptions,
    job: &Job,
) -> Result<(Box<dyn Guest>, FileTree), GuestError> {
    let options = OpenOptions {
        format: Some(subject.image.format().to_owned()),
        ..options.clone()
    };
    let mut guest = guest::open(subject.image.path(), &options, job)?;
    let (tree, _) = guest.walk(job)?;
    Ok((guest, tree))
}

fn is_same(
    before: &mut dyn Guest,
    old: &FileTree,
    origin: FileId,
    after: &mut dyn Guest,
    new: &FileTree,
    file: FileId,
) -> Result<bool, GuestError> {
    const STEP: usize = 1 << 20;
    if old.size(origin) != new.size(file) {
        return Ok(false);
    }
    let mut at = 0;
    while at < new.size(file) {
        let part = after.read(new, file, at, STEP)?;
        if part.is_empty() || part != before.read(old, origin, at, STEP)? {
            return Ok(false);
        }
        at += part.len() as u64;
    }
    Ok(true)
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
}
