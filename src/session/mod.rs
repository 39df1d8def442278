//! A guest, the marks on it and the plan that follows: what both faces drive.

mod edit;
mod explain;
mod learn;
mod modules;
mod offers;
mod ways;

pub use crate::load::Loaded;
pub use crate::plan::Intent;
pub use edit::Edit;
pub use explain::{Strength, WhyLink};
pub use learn::Lesson;
pub use modules::Matches;
pub use offers::{Offer, Offers};
pub use ways::Way;

use crate::model::{Bytes, FileId, Inventory, Node};
use crate::plan::select::Selected;
use crate::plan::{Inputs, Mark, Plan, ResolvedMark, Selector, Wish, select, suggest};
use std::collections::HashMap;
use std::sync::Arc;

/// One guest under the scientist's hands. Every edit recomputes the whole plan.
pub struct Session {
    loaded: Arc<Loaded>,
    intent: Intent,
    plan: Plan,
    undo: Vec<Intent>,
    redo: Vec<Intent>,
    /// What each mark selects here, worked out once: a glob over all paths takes longer than a plan.
    selected: HashMap<Mark, Selected>,
}

impl Session {
    /// Plans a guest under an intent.
    pub fn new(loaded: Arc<Loaded>, intent: Intent) -> Self {
        let mut selected = HashMap::new();
        let plan = decide(&loaded, &intent, &mut selected);
        Self {
            loaded,
            intent,
            plan,
            undo: Vec::new(),
            redo: Vec::new(),
            selected,
        }
    }

    /// All that was loaded of the guest.
    pub fn loaded(&self) -> &Arc<Loaded> {
        &self.loaded
    }

    /// The guest's facts.
    pub fn inventory(&self) -> &Inventory {
        &self.loaded.inventory
    }

    /// What the scientist decided so far.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// What follows from it.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Makes one change; false when it changes nothing.
    pub fn apply(&mut self, edit: Edit) -> bool {
        let changed = edit.on(&self.intent);
        if changed == self.intent {
            return false;
        }
        self.undo.push(std::mem::replace(&mut self.intent, changed));
        self.redo.clear();
        self.replan();
        true
    }

    /// Takes the last change back; false when there is none.
    pub fn undo(&mut self) -> bool {
        let Some(earlier) = self.undo.pop() else {
            return false;
        };
        self.redo.push(std::mem::replace(&mut self.intent, earlier));
        self.replan();
        true
    }

    /// Makes the change again that was last taken back; false when there is none.
    pub fn redo(&mut self) -> bool {
        let Some(later) = self.redo.pop() else {
            return false;
        };
        self.undo.push(std::mem::replace(&mut self.intent, later));
        self.replan();
        true
    }

    /// How many changes can be taken back and made again.
    pub fn history(&self) -> (usize, usize) {
        (self.undo.len(), self.redo.len())
    }

    /// The last mark that selects exactly this node, by position, and its wish.
    pub fn wish_of(&self, node: Node) -> Option<(usize, Wish)> {
        let marks = self.intent.marks.iter().enumerate().rev();
        let selects = |mark: &Mark| {
            self.selected
                .get(mark)
                .is_some_and(|selected| selected.nodes.contains(&node))
        };
        marks
            .into_iter()
            .find(|(_, mark)| selects(mark))
            .map(|(at, mark)| (at, mark.wish))
    }

    /// How many packages and files a mark selects.
    pub fn mark_matches(&self, mark: usize) -> usize {
        self.intent
            .marks
            .get(mark)
            .and_then(|mark| self.selected.get(mark))
            .map_or(0, |selected| selected.nodes.len())
    }

    /// The selector that a mark on this node gets.
    pub fn selector_for(&self, node: Node) -> Selector {
        select::selector_for(self.inventory(), node)
    }

    /// The chain of reasons for a node, from itself to a mark, the boot set or a rule.
    pub fn why(&self, node: Node) -> Vec<WhyLink> {
        explain::why(self, node)
    }

    /// What would stay on disk after a change, without making it.
    pub fn weigh(&self, edit: Edit) -> Bytes {
        let intent = edit.on(&self.intent);
        let plan = decide(&self.loaded, &intent, &mut self.selected.clone());
        plan.after.allocated
    }

    fn replan(&mut self) {
        self.plan = decide(&self.loaded, &self.intent, &mut self.selected);
    }

    /// Asks about the guest under an intent with what was resolved so far.
    fn with_inputs<T>(&self, ask: impl FnOnce(&Inputs<'_>) -> T) -> T {
        with_inputs(&self.loaded, &self.intent, &mut self.selected.clone(), ask)
    }
}

fn decide(loaded: &Loaded, intent: &Intent, selected: &mut HashMap<Mark, Selected>) -> Plan {
    with_inputs(loaded, intent, selected, |inputs| {
        suggest::decide_accepting(inputs, intent.accept)
    })
}

fn with_inputs<T>(
    loaded: &Loaded,
    intent: &Intent,
    selected: &mut HashMap<Mark, Selected>,
    ask: impl FnOnce(&Inputs<'_>) -> T,
) -> T {
    let marks: Vec<ResolvedMark> = intent
        .marks
        .iter()
        .map(|mark| {
            let selected = selected
                .entry(mark.clone())
                .or_insert_with(|| select::resolve(&loaded.inventory, mark))
                .clone();
            ResolvedMark {
                wish: mark.wish,
                nodes: selected.nodes,
                parts: selected.parts,
                label: mark.selector.to_string(),
            }
        })
        .collect();
    let trace: Vec<FileId> = intent
        .trace
        .iter()
        .filter_map(|path| {
            loaded
                .inventory
                .tree
                .lookup(&crate::model::text::unescape(path))
        })
        .collect();
    ask(&Inputs {
        inventory: &loaded.inventory,
        graph: &loaded.graph,
        facets: &loaded.facets,
        unmet: &loaded.unmet,
        marks: &marks,
        rules: intent.rules,
        needed_level: intent.needed_level,
        trace: &trace,
        hypervisors: &intent.hypervisors,
    })
}
