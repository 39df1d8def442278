//! Suggestions as `plan` prints them: open ones and accepted ones.

use crate::job::{Cancelled, Job};
use crate::model::Bytes;
use crate::model::table::{Align, plural, section};
use crate::plan::{Risk, Suggestion};
use crate::session::{Offer, Offers, Session};
use serde::Serialize;

/// How many suggestions of each risk class are listed without `--all`.
const TOP: usize = 8;

/// A suggestion.
#[derive(Debug, Serialize)]
pub struct OffersJson {
    classes: Vec<ClassJson>,
    list: Vec<OfferJson>,
}

/// The saving of accepting a risk class and all below it.
#[derive(Debug, Serialize)]
struct ClassJson {
    /// `safe`, `low` or `ask`: what `accept` takes in a profile.
    risk: &'static str,
    /// Bytes on disk.
    saves: u64,
}

#[derive(Debug, Serialize)]
struct OfferJson {
    #[serde(flatten)]
    suggestion: SuggestionJson,
    /// Bytes on disk that the plan would no longer take.
    saves: u64,
    files: u64,
}

/// [`Suggestion`].
#[derive(Debug, Serialize)]
pub struct SuggestionJson {
    kind: &'static str,
    subject: String,
    risk: &'static str,
    evidence: String,
}

impl SuggestionJson {
    pub fn of(suggestion: &Suggestion) -> Self {
        Self {
            kind: suggestion.kind,
            subject: suggestion.subject.clone(),
            risk: suggestion.risk.word(),
            evidence: suggestion.evidence.clone(),
        }
    }
}

impl OffersJson {
    /// Weighs all suggestions of a session.
    pub fn of(session: &Session, job: &Job) -> Result<Self, Cancelled> {
        let Offers { list, classes } = session.offers(job)?;
        let classes = Risk::ALL.into_iter().zip(classes);
        Ok(Self {
            classes: classes
                .map(|(risk, saves)| ClassJson {
                    risk: risk.word(),
                    saves: saves.0,
                })
                .collect(),
            list: list.iter().map(OfferJson::of).collect(),
        })
    }

    /// The biggest of each class, or all, for people.
    pub fn text(&self, all: bool) -> String {
        Risk::ALL
            .into_iter()
            .zip(&self.classes)
            .map(|(risk, class)| self.class_text(risk, class, all))
            .collect()
    }

    fn class_text(&self, risk: Risk, class: &ClassJson, all: bool) -> String {
        let mut offers: Vec<&OfferJson> = self.list.iter().collect();
        offers.retain(|offer| offer.suggestion.risk == class.risk);
        let total = offers.len();
        offers.truncate(if all { total } else { TOP });
        let some = if offers.len() < total {
            format!(", the biggest of {total}")
        } else {
            String::new()
        };
        let heading = format!(
            "Could go, {} ({}){some}; accept: {} saves {}",
            class.risk,
            risk.meaning(),
            class.risk,
            Bytes(class.saves)
        );
        let rows: Vec<_> = offers.into_iter().map(OfferJson::row).collect();
        section(
            &heading,
            &[Align::Right, Align::Right, Align::Left, Align::Left],
            &rows,
        )
    }
}

impl OfferJson {
    fn of(offer: &Offer) -> Self {
        Self {
            suggestion: SuggestionJson::of(&offer.suggestion),
            saves: offer.saves.0,
            files: offer.files,
        }
    }

    fn row(&self) -> Vec<String> {
        vec![
            Bytes(self.saves).to_string(),
            plural(self.files, "file", "files"),
            self.suggestion.subject.clone(),
            self.suggestion.evidence.clone(),
        ]
    }
}
