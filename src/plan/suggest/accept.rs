//! Plans that accept a whole risk class: what is suggested is taken, again until nothing is suggested any more.

use super::super::{Inputs, Plan, RuleSet, decide};
use super::{Risk, Suggestion, candidates, switched_off};

/// How often what became possible by the last round is taken, too; a bound on the time, reached by no guest so far.
const ROUNDS: usize = 8;

/// Decides with the inputs' marks and every suggestion of up to `class` that is made by marks; the plan says which.
/// Rules are left as they are: a person sees them on the screen and in the profile.
pub fn decide_accepting(inputs: &Inputs<'_>, class: Option<Risk>) -> Plan {
    let mut plan = decide(inputs);
    let Some(class) = class else {
        return plan;
    };
    let mut accepted = Vec::new();
    let mut marks = inputs.marks.to_vec();
    for _ in 0..ROUNDS {
        let round = Inputs {
            marks: &marks,
            ..*inputs
        };
        let found: Vec<Suggestion> = candidates(&round, &plan)
            .into_iter()
            .filter(|suggestion| suggestion.risk <= class && suggestion.mark().is_some())
            .collect();
        if found.is_empty() {
            break;
        }
        marks.extend(found.iter().filter_map(Suggestion::mark));
        accepted.extend(found);
        plan = decide(&Inputs {
            marks: &marks,
            ..*inputs
        });
    }
    plan.accepted = accepted;
    plan
}

/// The rules with those switched on that belong to a class.
pub fn rules_of_class(rules: RuleSet, class: Risk) -> RuleSet {
    switched_off::of_class(class).fold(rules, |set, rule| set.with(rule, true))
}
