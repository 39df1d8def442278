//! What the verification of an output found.

use super::Proved;
use crate::cure::Cure;
use crate::export;
use serde::Serialize;

/// What became of an output's verification.
pub struct Proven {
    pub(super) verified: Verified,
    pub(super) page: String,
}

/// Whether an output was verified, and what that found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// It was.
    Report(Box<Proved>),
    /// It was not, because of this.
    NotChecked(String),
}

impl Proven {
    /// Whether it was verified, and what that found.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// The report for people.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// Whether something was checked and does not hold.
    pub fn is_failed(&self) -> bool {
        matches!(&self.verified, Verified::Report(proved) if proved.report.is_failed())
    }

    /// Whether all that was checked holds.
    pub fn holds(&self) -> bool {
        matches!(&self.verified, Verified::Report(proved) if !proved.report.is_failed())
    }

    /// The cure of what was lost, where one was looked for and brings something back.
    pub fn cure(&self) -> Option<&Cure> {
        let Verified::Report(proved) = &self.verified else {
            return None;
        };
        proved
            .cure
            .as_ref()
            .filter(|cure| !cure.remedy().is_empty())
    }

    /// How much was lost: checks, units, the boot.
    pub(super) fn lost(&self) -> usize {
        match &self.verified {
            Verified::Report(proved) => proved.report.lost.count(),
            Verified::NotChecked(_) => 0,
        }
    }
}

impl Verified {
    /// In the words of the report beside the output.
    pub(super) fn told(&self) -> export::Verified {
        match self {
            Self::NotChecked(why) => export::Verified::not_checked(why),
            Self::Report(proved) => export::Verified {
                json: serde_json::to_value(self).expect("a report has no keys but texts"),
                text: proved.text(),
            },
        }
    }

    /// For people: whole lines.
    pub fn text(&self) -> String {
        self.told().text
    }
}
