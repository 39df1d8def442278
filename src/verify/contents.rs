//! The rungs that read the images once more: every file's bytes, and every file's extended attributes.

use super::Rung;
use super::manifest::{Expected, Rewritten};
use crate::export::Step;
use crate::guest::{Attributes, Guest, GuestError};
use crate::job::Job;
use crate::model::text::escape;
use crate::model::{Bytes, FileId, FileKind, FileTree};
use crate::vm::Subject;

pub(super) const CONTENTS: &str = "contents";
pub(super) const ATTRIBUTES: &str = "attributes";

/// A guest, open for reading.
pub struct Reader<'a> {
    /// The guest.
    pub guest: &'a mut (dyn Guest + 'static),
    /// The tree of its last walk.
    pub tree: &'a FileTree,
}

/// Whether what is in the files is compared.
pub enum Contents<'a> {
    /// It would be, but there is no source.
    NoSource,
    /// It is.
    Of {
        /// What the image was made from.
        source: Reader<'a>,
        /// The image; its files are those of the subject. It is closed before a machine starts.
        image: Box<dyn Guest>,
    },
}

/// Source and output, and what the steps make of the one.
pub struct Pair<'a> {
    source: Reader<'a>,
    output: Open<'a>,
    steps: &'a [Step],
}

/// The output, open for reading.
struct Open<'a> {
    guest: Box<dyn Guest>,
    tree: &'a FileTree,
}

impl<'a> Pair<'a> {
    /// A pair of guests, both open.
    pub fn new(
        source: Reader<'a>,
        steps: &'a [Step],
        output: &'a Subject,
        guest: Box<dyn Guest>,
    ) -> Self {
        Self {
            source,
            output: Open {
                guest,
                tree: &output.loaded.inventory.tree,
            },
            steps,
        }
    }

    /// Every regular file of the output against the source, or against what the steps wrote.
    pub fn contents(&mut self, job: &Job) -> Result<Rung, GuestError> {
        let expected = Expected::of(self.source.tree, self.steps);
        let (old, new) = (self.source.tree, self.output.tree);
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
                    let guest = &mut self.output.guest;
                    guest.read(new, file, 0, contents.len() + 1)? == **contents
                }
                (None, Some(origin)) => {
                    let (before, after) = (&mut *self.source.guest, &mut *self.output.guest);
                    is_same((before, old, origin), (after, new, file))?
                }
                // New paths are the manifest's matter.
                _ => continue,
            };
            bytes += new.size(file);
            if !is_same {
                wrong.push(escape(&path).into_owned());
            }
        }
        let (count, bytes) = (files.len(), Bytes(bytes));
        Ok(judge(
            CONTENTS,
            format!("{count} files ({bytes}) have the bytes that they should"),
            "files have other bytes",
            wrong,
        ))
    }

    /// ACLs, capabilities, labels and all other extended attributes of what is not rewritten, against the source.
    pub fn attributes(&mut self, job: &Job) -> Result<Rung, GuestError> {
        let expected = Expected::of(self.source.tree, self.steps);
        let (old, new) = (self.source.tree, self.output.tree);
        let mut wrong = Vec::new();
        let (mut files, mut values) = (0, 0);
        for file in new.ids().filter(|&file| new.is_first_name(file)) {
            job.check()?;
            let path = new.path(file);
            let origin = old.lookup(&path);
            let Some(origin) = origin.filter(|_| !expected.rewritten.contains_key(&path[..]))
            else {
                continue;
            };
            let before = self.source.guest.attributes(old, origin)?;
            let after = self.output.guest.attributes(new, file)?;
            let (Some(before), Some(after)) = (before, after) else {
                let because = "what reads these disks does not tell extended attributes";
                return Ok(Rung::not_checked(ATTRIBUTES, because));
            };
            files += 1;
            values += before.len();
            let names = differing(&before, &after);
            wrong.extend(names.map(|name| format!("{}: {name} differs", escape(&path))));
        }
        Ok(judge(
            ATTRIBUTES,
            format!("{values} extended attributes of {files} files and folders are the source's"),
            "extended attributes differ",
            wrong,
        ))
    }
}

fn judge(id: &'static str, holds: String, fails: &str, wrong: Vec<String>) -> Rung {
    if wrong.is_empty() {
        Rung::pass(id, holds)
    } else {
        Rung::fail(id, format!("{} {fails}", wrong.len()), wrong)
    }
}

/// The attributes that one has and the other has not, or has another value of; by name, safe to print.
fn differing<'a>(
    before: &'a Attributes,
    after: &'a Attributes,
) -> impl Iterator<Item = String> + 'a {
    let changed = before
        .iter()
        .filter(|(name, value)| after.get(*name) != Some(value));
    let new = after.iter().filter(|(name, _)| !before.contains_key(*name));
    let name = |(name, _): (&Vec<u8>, _)| escape(name).into_owned();
    changed.chain(new).map(name)
}

fn is_same(
    (before, old, origin): (&mut dyn Guest, &FileTree, FileId),
    (after, new, file): (&mut dyn Guest, &FileTree, FileId),
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

    #[test]
    fn attributes_that_went_came_or_changed_are_named() {
        let of = |list: &[(&str, &str)]| -> Attributes {
            let pairs = list
                .iter()
                .map(|&(name, value)| (name.into(), value.into()));
            pairs.collect()
        };
        let before = of(&[("user.a", "1"), ("user.b", "2"), ("user.c", "3")]);
        let after = of(&[("user.a", "1"), ("user.b", "9"), ("user.\x1b", "4")]);
        let names: Vec<String> = differing(&before, &after).collect();
        assert_eq!(names, ["user.b", "user.c", "user.\\x1b"]);
    }
}
