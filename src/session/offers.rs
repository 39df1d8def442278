//! The suggestions for a session's plan, with what each really saves.

use super::{Intent, Session, decide};
use crate::job::{Cancelled, Job};
use crate::model::Bytes;
use crate::plan::suggest::{self, rules_of_class};
use crate::plan::{Plan, Risk, Suggestion};

/// A suggestion and what the plan would lose if it were accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The suggestion.
    pub suggestion: Suggestion,
    /// Room on disk that the plan would no longer take.
    pub saves: Bytes,
    /// Files that would no longer stay.
    pub files: u64,
}

/// All offers of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offers {
    /// By risk class, then the biggest first.
    pub list: Vec<Offer>,
    /// The saving of accepting a class and all below it; one element per class.
    pub classes: [Bytes; Risk::ALL.len()],
}

impl Session {
    /// Ranks all suggestions by deciding again with each of them accepted. This takes one plan a suggestion.
    ///
    /// # Errors
    /// When the job was cancelled.
    pub fn offers(&self, job: &Job) -> Result<Offers, Cancelled> {
        const STEP: &str = "weighing suggestions";
        let mut candidates = self.candidates();
        candidates.sort_by(|a, b| b.room.cmp(&a.room).then_with(|| a.subject.cmp(&b.subject)));
        let total = (candidates.len() + Risk::ALL.len()) as u64;
        let mut selected = self.selected.clone();
        let mut weigh =
            |intent: &Intent| less(&self.plan, &decide(&self.loaded, intent, &mut selected));
        let mut offers = Offers::default();
        for (class, saves) in Risk::ALL.into_iter().zip(&mut offers.classes) {
            job.check()?;
            let mut intent = self.intent.clone();
            intent.accept = intent.accept.max(Some(class));
            intent.rules = rules_of_class(intent.rules, class);
            *saves = weigh(&intent).0;
            job.items(STEP, class as u64 + 1, Some(total));
        }
        for (at, suggestion) in candidates.into_iter().enumerate() {
            job.check()?;
            let (saves, files) = weigh(&suggestion.on(self.inventory(), &self.intent));
            if saves > Bytes::ZERO {
                offers.list.push(Offer {
                    suggestion,
                    saves,
                    files,
                });
            }
            job.items(STEP, (at + 1 + Risk::ALL.len()) as u64, Some(total));
        }
        offers
            .list
            .sort_by_key(|offer| (offer.suggestion.risk, std::cmp::Reverse(offer.saves)));
        Ok(offers)
    }

    /// The suggestions, not yet weighed.
    fn candidates(&self) -> Vec<Suggestion> {
        self.with_inputs(|inputs| suggest::candidates(inputs, &self.plan))
    }
}

/// Room and files by which the second plan keeps less.
fn less(before: &Plan, after: &Plan) -> (Bytes, u64) {
    (
        before.after.allocated - after.after.allocated,
        before.after.files.saturating_sub(after.after.files),
    )
}
