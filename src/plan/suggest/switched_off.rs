//! Rules that are off and would remove something.

use super::super::{Level, RuleId};
use super::scene::Scene;
use super::{Change, Risk, Suggestion, files};
use crate::model::{Bytes, FileId};

pub(super) fn find(scene: &Scene<'_>) -> Vec<Suggestion> {
    let (counts, rooms) = takes(scene);
    let off = RuleId::all().filter(|&id| !scene.inputs.rules.contains(id));
    off.filter(|id| counts[usize::from(id.0)] > 0)
        .map(|id| {
            let (rule, count) = (id.rule(), counts[usize::from(id.0)]);
            Suggestion {
                kind: "rule",
                subject: format!("switch on {}", rule.id),
                risk: rule.class,
                evidence: format!("takes {}: {}", files(count), rule.heading),
                change: Change::Rule(id),
                room: rooms[usize::from(id.0)],
            }
        })
        .collect()
}

/// How many files that stay each rule would take, and their room: those that no package owns, and those of packages that
/// are not whole.
fn takes(scene: &Scene<'_>) -> ([u64; 32], [Bytes; 32]) {
    let (inventory, plan) = (scene.inputs.inventory, scene.plan);
    let (mut counts, mut rooms) = ([0; 32], [Bytes::ZERO; 32]);
    for at in plan.kept.ones() {
        let file = FileId(at as u32);
        let mut classes = scene.inputs.facets.classes[at];
        let is_whole = || {
            inventory
                .owner(file)
                .is_some_and(|owner| plan.packages[owner.index()].level == Some(Level::Whole))
        };
        if classes == 0 || is_whole() {
            continue;
        }
        while classes != 0 {
            let rule = classes.trailing_zeros() as usize;
            classes &= classes - 1;
            counts[rule] += 1;
            rooms[rule] += Bytes(inventory.tree.allocated(file));
        }
    }
    (counts, rooms)
}

/// The rules that accepting a risk class switches on.
pub(super) fn of_class(risk: Risk) -> impl Iterator<Item = RuleId> {
    RuleId::all().filter(move |id| id.rule().class <= risk)
}
