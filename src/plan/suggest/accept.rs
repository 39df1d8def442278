//! Plans that accept a whole risk class: what is suggested is taken, again until nothing is suggested any more.

use super::super::{Inputs, Plan, RuleSet, decide};
use super::{Change, Risk, candidates, switched_off};

/// How often what became possible by the last round is taken, too; a bound on the time, reached by no guest so far.
const ROUNDS: usize = 8;

/// Decides with the inputs' marks and hypervisors and every suggestion of up to `class` about these; the plan says which.
/// Rules are left as they are: a person sees them on the screen and in the profile.
pub fn decide_accepting(inputs: &Inputs<'_>, class: Option<Risk>) -> Plan {
    let mut plan = decide(inputs);
    let Some(class) = class else {
        return plan;
    };
    let (mut accepted, mut others) = (Vec::new(), Vec::new());
    let mut marks = inputs.marks.to_vec();
    let mut hypervisors = inputs.hypervisors.to_vec();
    for _ in 0..ROUNDS {
        let round = Inputs {
            marks: &marks,
            hypervisors: &hypervisors,
            ..*inputs
        };
        let mut found = candidates(&round, &plan);
        found.retain(|suggestion| suggestion.risk <= class);
        found.retain(|suggestion| !matches!(suggestion.change, Change::Rule(_)));
        if found.is_empty() {
            break;
        }
        for suggestion in found {
            match (&suggestion.change, suggestion.mark()) {
                (_, Some(mark)) => {
                    marks.push(mark);
                    accepted.push(suggestion);
                }
                (Change::Hypervisors(declared), None) => {
                    hypervisors.clone_from(declared);
                    others.push(suggestion);
                }
                _ => {}
            }
        }
        plan = decide(&Inputs {
            marks: &marks,
            hypervisors: &hypervisors,
            ..*inputs
        });
    }
    accepted.append(&mut others);
    plan.accepted = accepted;
    plan
}

/// The rules with those switched on that belong to a class.
pub fn rules_of_class(rules: RuleSet, class: Risk) -> RuleSet {
    switched_off::of_class(class).fold(rules, |set, rule| set.with(rule, true))
}
