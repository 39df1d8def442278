//! One finder at work: what it looks at, who needs what, and where that goes.
//!
//! Reading is bounded and looks at the cancel flag, so that no finder has to.

use super::{Because, Facts, Found, MAX_TEXT, Source, programs};
use crate::job::{Cancelled, Job};
use crate::model::text::{boundary, escape};
use crate::model::{Component, Evidence, FileId, FileKind, FileTree, FinderId, Node, Warning};
use serde::de::DeserializeOwned;

/// Longest record of an installer that is read.
pub(super) const MAX_RECORD: usize = 32 << 20;
/// Longest name of a component, which may be a path, and longest version, in bytes.
const MAX_NAME: usize = 4096;
const MAX_VERSION: usize = 256;
/// Most bytes that are asked for at once.
const PIECE: usize = 4 << 20;
/// Between two reports of progress.
const REPORT_EVERY: usize = 64;

/// Most names that are looked up for all finders together, some twenty times those of a guest of a million files.
const MAX_LOOKS: u64 = 150_000_000;

/// Whether the finders have looked up more names than any system needs.
pub fn is_spent(tree: &FileTree) -> bool {
    tree.looks() > MAX_LOOKS
}

/// A finder's view of one guest.
pub struct Scan<'a> {
    row: FinderId,
    pub(super) facts: &'a Facts<'a>,
    pub(super) source: &'a mut dyn Source,
    pub(super) found: &'a mut Found,
    job: &'a Job,
}

impl<'a> Scan<'a> {
    /// Starts the finder of a row of the table.
    pub fn new(
        row: FinderId,
        facts: &'a Facts<'a>,
        source: &'a mut dyn Source,
        found: &'a mut Found,
        job: &'a Job,
    ) -> Self {
        Self {
            row,
            facts,
            source,
            found,
            job,
        }
    }

    /// The finder's name.
    pub fn id(&self) -> &'static str {
        self.row.row().id
    }

    /// The guest's files.
    pub fn tree(&self) -> &'a FileTree {
        &self.facts.inventory.tree
    }

    /// Who needs and how that is known, for the edges of one file or package.
    pub fn because(&self, from: impl Into<Node>, evidence: Evidence) -> Because {
        Because {
            finder: self.row,
            from: from.into(),
            evidence,
        }
    }

    /// The regular files that a question is answered with yes for, in tree order.
    pub fn regular(&self, is_one: impl Fn(&'a FileTree, FileId) -> bool) -> Vec<FileId> {
        let tree = self.tree();
        tree.ids()
            .filter(|&file| tree.kind(file) == FileKind::Regular && is_one(tree, file))
            .collect()
    }

    /// The regular files right in some folders whose names end so, folder by folder.
    pub fn in_folders(&self, folders: &[&[u8]], ending: &[u8]) -> Vec<FileId> {
        let tree = self.tree();
        let is_one = |&file: &FileId| {
            tree.kind(file) == FileKind::Regular && tree.name(file).ends_with(ending)
        };
        let folders = folders.iter().filter_map(|path| tree.resolve(path));
        folders
            .flat_map(|folder| tree.children(folder.file).iter().copied())
            .filter(is_one)
            .collect()
    }

    /// The first files of a list, and a warning when there are more.
    pub fn first<T>(&mut self, most: usize, mut files: Vec<T>, what: &str) -> Vec<T> {
        if files.len() > most {
            let text = format!("only the first {most} {what} were read");
            self.found.warnings.push(Warning::new(b"", text));
            files.truncate(most);
        }
        files
    }

    /// Tells how far a long list is.
    pub fn report(&self, step: &str, done: usize, total: usize) {
        if done.is_multiple_of(REPORT_EVERY) {
            self.job.items(step, done as u64, Some(total as u64));
        }
    }

    /// Fails when somebody asked to stop, and when the guest asks for more work than any system: every loop over what a
    /// guest says looks here.
    pub fn check(&self) -> Result<(), Cancelled> {
        self.job.check()?;
        if self.found.is_full() || is_spent(self.tree()) {
            return Err(Cancelled);
        }
        Ok(())
    }

    /// At most the first `most` bytes of a regular file.
    pub fn read(&mut self, file: FileId, most: usize) -> Result<Vec<u8>, Cancelled> {
        let tree = self.tree();
        let most = most.min(usize::try_from(tree.size(file)).unwrap_or(usize::MAX));
        let mut bytes = Vec::new();
        loop {
            self.check()?;
            let len = (most - bytes.len()).min(PIECE);
            let piece = self.source.read(tree, file, bytes.len() as u64, len);
            bytes.extend_from_slice(&piece);
            if piece.is_empty() || bytes.len() >= most {
                return Ok(bytes);
            }
        }
    }

    /// A text file; what is longer than a configuration file may be is cut off.
    pub fn text(&mut self, file: FileId) -> Result<Vec<u8>, Cancelled> {
        self.read(file, MAX_TEXT)
    }

    /// A file that means little when it is not whole: a longer one is a warning.
    pub fn whole(&mut self, file: FileId, most: usize) -> Result<Vec<u8>, Cancelled> {
        if self.tree().size(file) > most as u64 {
            self.warn(file, "only its beginning was read");
        }
        self.read(file, most)
    }

    /// What an installer wrote down about one of its packages, in JSON; none where it cannot be read, with a warning.
    pub fn record<T: DeserializeOwned>(
        &mut self,
        file: FileId,
        installer: &str,
    ) -> Result<Option<T>, Cancelled> {
        if self.tree().size(file) > MAX_RECORD as u64 {
            self.warn(file, format!("too long for a {installer} record"));
            return Ok(None);
        }
        let bytes = self.read(file, MAX_RECORD)?;
        let parsed = serde_json::from_slice(&bytes);
        let text = |error: serde_json::Error| {
            format!(
                "no {installer} record: {}",
                escape(error.to_string().as_bytes())
            )
        };
        Ok(parsed.map_err(|error| self.warn(file, text(error))).ok())
    }

    /// Adds a unit that can be named; its number.
    pub fn component(
        &mut self,
        kind: &'static str,
        name: impl AsRef<[u8]>,
        version: impl Into<String>,
        parts: Vec<FileId>,
        metadata: Option<FileId>,
    ) -> u32 {
        let all = &mut self.found.components.all;
        let name = name.as_ref();
        let mut version = version.into();
        version.truncate(boundary(&version, MAX_VERSION));
        all.push(Component {
            kind,
            name: String::from_utf8_lossy(&name[..name.len().min(MAX_NAME)]).into_owned(),
            version,
            parts,
            metadata: metadata.into_iter().collect(),
        });
        all.len() as u32 - 1
    }

    /// Adds a warning about a file.
    pub fn warn(&mut self, file: FileId, text: impl Into<String>) {
        let warning = Warning::new(&self.tree().path(file), text);
        self.found.warnings.push(warning);
    }

    /// Adds a warning about a line of a file.
    pub fn warn_at(&mut self, file: FileId, line: u32, text: impl Into<String>) {
        let warning = Warning::at(&self.tree().path(file), line, text);
        self.found.warnings.push(warning);
    }

    /// Adds that a program is needed by its path or name, or that it is missing.
    pub fn program(&mut self, because: Because, word: &[u8]) {
        match programs::find(self.tree(), word) {
            Some(end) => self.found.chain(because, &end, word),
            None => self.found.miss(because, word),
        }
    }

    /// Adds that programs want what lies in the folders that they read.
    pub fn readers(&mut self, readers: programs::Readers<'_>) {
        let tree = self.tree();
        for (program, folders) in readers {
            let Some(program) = tree
                .resolve(program)
                .or_else(|| tree.resolve(program.strip_prefix(b"/usr")?))
            else {
                continue;
            };
            let because = self.because(program.file, Evidence::Wanted);
            for end in folders.iter().filter_map(|folder| tree.resolve(folder)) {
                for file in tree.subtree(end.file).map(FileId) {
                    if !tree.is_directory(file) {
                        self.found.need(because, Node::File(file), tree.name(file));
                    }
                }
            }
        }
    }
}
