//! A cure as people read it.

use super::{Cure, Lack};
use crate::model::Bytes;
use crate::profile::mark_text;
use std::fmt::Write as _;

/// More paths of a component are counted, not shown; the JSON has all of them.
const PATHS: usize = 8;
/// A check is named by this many characters.
const NAME: usize = 90;

impl Cure {
    /// The cure for people.
    pub fn text(&self) -> String {
        let mut text = String::from("Cure for\n");
        for check in &self.checks {
            let _ = writeln!(text, "  {}", short(check));
        }
        if self.lacks.is_empty() {
            text += "  the image has every file that the checks touch on the source: what they lack is no file\n";
        }
        text.extend(self.lacks.iter().map(Lack::text));
        if self.lacks.len() > 1 {
            let _ = writeln!(text, "  all marks together add {}", Bytes(self.adds));
        }
        if let Some(why) = &self.incomplete {
            let _ = writeln!(
                text,
                "  note: there may be more, the trace on the source is not complete: {why}"
            );
        }
        text
    }
}

impl Lack {
    fn text(&self) -> String {
        let count = self.paths.len();
        let plural = if count == 1 { "" } else { "s" };
        let mut text = format!("  {} lacks {count} path{plural}\n", self.component);
        for path in self.paths.iter().take(PATHS) {
            let _ = writeln!(text, "      {path}");
        }
        if count > PATHS {
            let _ = writeln!(text, "      ... and {} more", count - PATHS);
        }
        for mark in &self.marks {
            let _ = writeln!(text, "    {}", mark_text(mark));
        }
        if self.marks.is_empty() {
            text += "    the profile keeps them already: the image was not made with it, or was damaged\n";
        } else {
            let _ = writeln!(text, "    adds {}", Bytes(self.adds));
        }
        text
    }
}

/// What a healed profile says of itself at its head.
pub fn comment(cure: &Cure, marks: usize) -> String {
    let plural = if marks == 1 { "mark is" } else { "marks are" };
    let mut text = format!("// Healed: the last {marks} {plural} there so that these checks pass:");
    for check in &cure.checks {
        let _ = write!(text, "\n//   {}", short(check));
    }
    text
}

fn short(check: &str) -> String {
    if check.chars().count() <= NAME {
        return check.to_owned();
    }
    check.chars().take(NAME - 3).chain("...".chars()).collect()
}
