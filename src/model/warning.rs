//! What in a guest could not be read as it should, as many as a person would ever read.
//!
//! A hostile file makes a warning of every line. The first ones of each file and the first ones of all are kept, the
//! others counted.

use super::table::count;
use super::text::boundary;
use std::collections::{BTreeMap, HashSet};
use std::ops::Deref;

/// Most warnings of one guest.
const MAX_WARNINGS: usize = 5000;
/// Most warnings about one file.
const MAX_OF_A_FILE: u64 = 100;
/// Longest path of a warning, in bytes: the longest that Linux opens.
const MAX_PATH: usize = 4096;
/// Longest message, in bytes.
const MAX_MESSAGE: usize = 2000;

/// Something in the guest that could not be read as it should.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Warning {
    /// The guest's path, as bytes; empty when it is about the whole.
    pub path: Vec<u8>,
    /// 1-based line, where it has one.
    pub line: Option<u32>,
    /// What is wrong, one phrase.
    pub message: String,
}

impl Warning {
    /// A warning about a whole file.
    pub fn new(path: &[u8], message: impl Into<String>) -> Self {
        Self {
            path: path[..path.len().min(MAX_PATH)].to_vec(),
            line: None,
            message: cut(message.into()),
        }
    }

    /// A warning about a line of a file.
    pub fn at(path: &[u8], line: u32, message: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::new(path, message)
        }
    }
}

fn cut(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        message.truncate(boundary(&message, MAX_MESSAGE));
        message.push_str("...");
    }
    message
}

/// Warnings in the order in which they came, each once, and how many more there were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Warnings {
    kept: Vec<Warning>,
    known: HashSet<Warning>,
    /// How many warnings each file has.
    files: BTreeMap<Vec<u8>, u64>,
    /// How many warnings are about files that are not in `files`.
    others: u64,
}

impl Warnings {
    /// Adds a warning, or counts it where there are enough.
    pub fn push(&mut self, warning: Warning) {
        if self.known.contains(&warning) {
            return;
        }
        let is_full = self.kept.len() >= MAX_WARNINGS;
        let number = match self.files.get_mut(&warning.path) {
            Some(number) => number,
            None if is_full => {
                self.others += 1;
                return;
            }
            None => self.files.entry(warning.path.clone()).or_default(),
        };
        if *number < MAX_OF_A_FILE && !is_full {
            self.known.insert(warning.clone());
            self.kept.push(warning);
        }
        *number += 1;
    }

    /// Adds all warnings of a part of the work.
    pub fn append(&mut self, part: Self) {
        let mut kept: BTreeMap<&[u8], u64> = BTreeMap::new();
        for warning in &part.kept {
            *kept.entry(&warning.path).or_default() += 1;
        }
        let more: Vec<(Vec<u8>, u64)> = part
            .files
            .iter()
            .map(|(path, number)| {
                (
                    path.clone(),
                    number - kept.get(path.as_slice()).unwrap_or(&0),
                )
            })
            .filter(|&(_, more)| more > 0)
            .collect();
        self.others += part.others;
        self.extend(part.kept);
        for (path, more) in more {
            match self.files.get_mut(&path) {
                Some(number) => *number += more,
                None => self.others += more,
            }
        }
    }

    /// All of them in order, with a last sentence a file and one for all about those that were only counted.
    pub fn into_sorted(mut self) -> Vec<Warning> {
        for warning in &self.kept {
            if let Some(number) = self.files.get_mut(&warning.path) {
                *number -= 1;
            }
        }
        self.kept.sort();
        let files = self.files.into_iter().filter(|&(_, more)| more > 0);
        let lasts: Vec<Warning> = files
            .map(|(path, more)| Warning::new(&path, more_text(more)))
            .collect();
        for last in lasts {
            let at = self.kept.partition_point(|one| one.path <= last.path);
            self.kept.insert(at, last);
        }
        if self.others > 0 {
            let text = more_text(self.others) + " about other files";
            self.kept.push(Warning::new(b"", text));
        }
        self.kept
    }
}

fn more_text(more: u64) -> String {
    let noun = if more == 1 { "warning" } else { "warnings" };
    format!("and {} more {noun}", count(more))
}

impl Extend<Warning> for Warnings {
    fn extend<I: IntoIterator<Item = Warning>>(&mut self, warnings: I) {
        warnings.into_iter().for_each(|warning| self.push(warning));
    }
}

impl Deref for Warnings {
    type Target = [Warning];

    fn deref(&self) -> &[Warning] {
        &self.kept
    }
}

impl<const N: usize> PartialEq<[Warning; N]> for Warnings {
    fn eq(&self, other: &[Warning; N]) -> bool {
        self.kept == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(warnings: Warnings) -> Vec<String> {
        let text = |warning: Warning| {
            let path = String::from_utf8(warning.path).unwrap();
            format!("{path} {}", warning.message)
        };
        warnings.into_sorted().into_iter().map(text).collect()
    }

    #[test]
    fn the_first_warnings_of_a_file_are_kept_and_the_others_counted() {
        let mut all = Warnings::default();
        for part in 0..3 {
            let mut warnings = Warnings::default();
            warnings.push(Warning::new(b"/z", "alone"));
            for line in 0..1000 {
                warnings.push(Warning::at(b"/a", line, format!("{part}")));
            }
            all.append(warnings);
        }
        assert_eq!(all.len(), 101);
        let texts = texts(all);
        assert_eq!(texts.len(), 102);
        assert_eq!(
            texts[99..],
            ["/a 0", "/a and 2,900 more warnings", "/z alone"]
        );
    }

    #[test]
    fn the_first_warnings_of_all_are_kept_and_the_others_counted() {
        let mut all = Warnings::default();
        for file in 0..7000 {
            all.push(Warning::new(format!("/{file:04}").as_bytes(), "bad"));
            all.push(Warning::new(format!("/{file:04}").as_bytes(), "bad"));
        }
        let texts = texts(all);
        assert_eq!(texts.len(), 5001);
        // The last of them was noted twice after the list was full.
        assert_eq!(
            texts.last().unwrap(),
            " and 4,000 more warnings about other files"
        );
    }

    #[test]
    fn a_warning_is_short_whatever_it_is_about() {
        let warning = Warning::at(&[b'/'; 9000], 1, "\u{e9}".repeat(5000));
        assert_eq!(warning.path.len(), 4096);
        assert_eq!(warning.message.len(), 2003);
    }
}
