//! Accounts that units run as, and where each is created: in `/etc/passwd`, or at boot by sysusers.d(5).

use crate::finders::{Source, files_at, read_text};
use crate::model::{FileId, FileTree};
use std::collections::HashMap;

/// The file that makes each account.
pub struct Accounts(HashMap<Vec<u8>, FileId>);

impl Accounts {
    /// Reads the tables.
    pub fn new(tree: &FileTree, source: &mut dyn Source) -> Self {
        let mut found = HashMap::new();
        let folders: [&[u8]; 2] = [b"/usr/lib/sysusers.d", b"/etc/sysusers.d"];
        for file in files_at(tree, &folders) {
            for line in read_text(tree, source, file).split(|&byte| byte == b'\n') {
                let mut words = line
                    .split(u8::is_ascii_whitespace)
                    .filter(|word| !word.is_empty());
                if words.next().is_some_and(|kind| kind.starts_with(b"u"))
                    && let Some(name) = words.next()
                {
                    found.insert(name.to_vec(), file);
                }
            }
        }
        for file in files_at(tree, &[b"/etc/passwd"]) {
            for line in read_text(tree, source, file).split(|&byte| byte == b'\n') {
                if let Some(end) = line.iter().position(|&byte| byte == b':') {
                    found.insert(line[..end].to_vec(), file);
                }
            }
        }
        Self(found)
    }

    /// The file that makes an account; of both kinds the table counts.
    pub fn made_by(&self, name: &[u8]) -> Option<FileId> {
        self.0.get(name).copied()
    }
}
