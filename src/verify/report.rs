//! The report of a verification: what was checked, against what, for how long, and what was not checked.

use crate::vm::Outcome;
use serde::Serialize;
use std::fmt::Write as _;

/// The whole ladder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// This program's version.
    pub guestslim: &'static str,
    /// The image's path, escaped.
    pub image: String,
    /// The source's path, escaped, where there was one to compare with.
    pub against: Option<String>,
    /// How machines ran: `KVM`, `emulation`, `none`.
    pub machines: &'static str,
    /// The rungs, from the file upwards.
    pub rungs: Vec<Rung>,
    /// What works on the source and not on the image.
    pub lost: Lost,
    /// What the commands did on the source, for the next report on the same source.
    #[serde(skip)]
    pub on_source: Option<Vec<Outcome>>,
    /// How long all of it took.
    pub seconds: f64,
}

/// What an image does not do any more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Lost {
    /// It does not come up; whether its source does has still to be seen.
    pub boot: bool,
    /// It does not come up because its boot loader starts no kernel.
    pub loader: bool,
    /// Units that fail on the image and not on the source, escaped.
    pub units: Vec<String>,
    /// The checks, by their place in the profile, that fail on the image and pass on the source.
    pub checks: Vec<usize>,
}

impl Lost {
    /// How many things.
    pub fn count(&self) -> usize {
        usize::from(self.boot) + self.units.len() + self.checks.len()
    }
}

/// One rung.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rung {
    /// Its name: `container`, `packages` ...
    pub id: &'static str,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What exactly, line by line, safe to print.
    pub details: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// What a rung says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "because", rename_all = "snake_case")]
pub enum Verdict {
    /// It holds, as this phrase says.
    Pass(String),
    /// It does not hold, as this phrase says.
    Fail(String),
    /// Nothing is known, because of this.
    NotChecked(String),
}

/// A rung has no more lines than this on a terminal; the JSON has all of them.
const LINES: usize = 12;

impl Rung {
    /// A rung that holds.
    pub fn pass(id: &'static str, because: impl Into<String>) -> Self {
        Self::new(id, Verdict::Pass(because.into()))
    }

    /// A rung that does not hold.
    pub fn fail(id: &'static str, because: impl Into<String>, details: Vec<String>) -> Self {
        Self {
            details,
            ..Self::new(id, Verdict::Fail(because.into()))
        }
    }

    /// A rung that was not looked at.
    pub fn not_checked(id: &'static str, because: impl Into<String>) -> Self {
        Self::new(id, Verdict::NotChecked(because.into()))
    }

    fn new(id: &'static str, verdict: Verdict) -> Self {
        Self {
            id,
            verdict,
            details: Vec::new(),
            seconds: 0.0,
        }
    }

    /// Whether it does not hold.
    pub fn is_failed(&self) -> bool {
        matches!(self.verdict, Verdict::Fail(_))
    }

    fn text(&self) -> String {
        let (sign, because) = match &self.verdict {
            Verdict::Pass(because) => ("pass", because.clone()),
            Verdict::Fail(because) => ("FAIL", because.clone()),
            Verdict::NotChecked(because) => ("not checked", format!("because {because}")),
        };
        let mut text = format!("{sign:<12}{:<16}{because}", self.id.replace('_', " "));
        if self.seconds >= 0.05 {
            let _ = write!(text, " ({:.1} s)", self.seconds);
        }
        text.push('\n');
        for line in self.details.iter().take(LINES) {
            let _ = writeln!(text, "{:28}{line}", "");
        }
        if self.details.len() > LINES {
            let _ = writeln!(text, "{:28}... and {} more", "", self.details.len() - LINES);
        }
        text
    }
}

impl Report {
    /// Whether any rung does not hold.
    pub fn is_failed(&self) -> bool {
        self.rungs.iter().any(Rung::is_failed)
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = format!("Verified {}", self.image);
        if let Some(source) = &self.against {
            let _ = write!(text, " against {source}");
        }
        text.push_str("\n\n");
        text.extend(self.rungs.iter().map(Rung::text));
        let count =
            |is: fn(&Verdict) -> bool| self.rungs.iter().filter(|rung| is(&rung.verdict)).count();
        let _ = writeln!(
            text,
            "\n{} passed, {} failed, {} not checked, in {:.0} s, machines by {}",
            count(|verdict| matches!(verdict, Verdict::Pass(_))),
            count(|verdict| matches!(verdict, Verdict::Fail(_))),
            count(|verdict| matches!(verdict, Verdict::NotChecked(_))),
            self.seconds,
            self.machines
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut boot = Rung::pass("boot", "login prompt");
        boot.seconds = 21.44;
        let lines = (1..=14)
            .map(|n| format!("/usr/lib/lib{n}.so needs libz.so.1"))
            .collect();
        Report {
            guestslim: "0.1.0",
            image: "slim.qcow2".to_owned(),
            against: Some("full.qcow2".to_owned()),
            machines: "emulation",
            rungs: vec![
                Rung::pass("container", "qcow2, no damage, no backing file"),
                Rung::fail("libraries", "14 that the source has not", lines),
                Rung::not_checked("file_systems", "no checker for xfs"),
                boot,
            ],
            lost: Lost::default(),
            on_source: None,
            seconds: 63.2,
        }
    }

    #[test]
    fn the_text_says_what_was_checked_and_what_not() {
        insta::assert_snapshot!("report", report().text());
    }

    #[test]
    fn the_json_has_every_line() {
        let json = serde_json::to_value(report()).unwrap();
        assert_eq!(json["rungs"][1]["verdict"], "fail");
        assert_eq!(json["rungs"][1]["details"].as_array().unwrap().len(), 14);
        assert_eq!(json["rungs"][2]["because"], "no checker for xfs");
    }
}
