//! A cure as people read it.

use super::{Cure, Lack, Remedy};
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
        for lost in &self.lost {
            let _ = writeln!(text, "  {}", short(lost));
        }
        if self.lacks.is_empty() {
            text += "  the image has every file that this touches on the source, so no missing file explains the failure\n";
        }
        text.extend(self.lacks.iter().map(Lack::text));
        if self.lacks.len() > 1 {
            let _ = writeln!(text, "  all together add {}", Bytes(self.adds));
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
        text.extend(self.remedy.lines().map(|line| format!("    {line}\n")));
        if self.remedy.is_empty() {
            text += "    the profile already keeps them: the image was made with another profile, or was damaged\n";
        } else {
            let _ = writeln!(text, "    adds {}", Bytes(self.adds));
        }
        text
    }
}

impl Remedy {
    /// What is added to the profile, a line each.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let traced = (!self.trace.is_empty()).then(|| paths_of_trace(self.trace.len()));
        self.marks.iter().map(mark_text).chain(traced)
    }
}

fn paths_of_trace(count: usize) -> String {
    let plural = if count == 1 { "path" } else { "paths" };
    format!("{count} {plural} in the trace")
}

/// The comment at the head of a healed profile.
pub fn comment(cure: &Cure, remedy: &Remedy) -> String {
    let marks = match remedy.marks.len() {
        0 => None,
        1 => Some("the last mark".to_owned()),
        count => Some(format!("the last {count} marks")),
    };
    let traced = (!remedy.trace.is_empty()).then(|| paths_of_trace(remedy.trace.len()));
    let what: Vec<String> = marks.into_iter().chain(traced).collect();
    let is_one = remedy.marks.len() + remedy.trace.len() == 1;
    let verb = if is_one { "is" } else { "are" };
    let mut text = format!("// Healed: {} {verb} there for", what.join(" and "));
    for lost in &cure.lost {
        let _ = write!(text, "\n//   {}", short(lost));
    }
    text
}

fn short(check: &str) -> String {
    if check.chars().count() <= NAME {
        return check.to_owned();
    }
    check.chars().take(NAME - 3).chain("...".chars()).collect()
}
