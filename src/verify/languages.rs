//! The rung of languages: every module of the image still has what the source's module needs, as far as the finders whose
//! proof is a language know. What the plan cuts out of a distribution on purpose does not count.
//!
//! A module that is missing is no error to see: an `import` that comes late fails in the middle of a run. So this is held
//! against what the source says, whatever is left of an image's own metadata.

use super::manifest::Expected;
use super::{Request, Rung};
use crate::export::Step;
use crate::finders::Proof;
use crate::load::Loaded;
use crate::model::text::escape;
use crate::model::{Evidence, FileId, FileTree, Need, Node};
use crate::plan::gpu;
use std::collections::{BTreeMap, BTreeSet};

const ID: &str = "languages";

/// What was held against each other.
#[derive(Debug, Default)]
struct Held {
    /// Needs by language.
    counts: BTreeMap<&'static str, u64>,
    /// What is missing, by name.
    missing: BTreeSet<String>,
}

/// The rung.
pub fn rung(request: &Request<'_>) -> Rung {
    let Some(source) = request.source else {
        return Rung::not_checked(ID, "there is no source to compare with");
    };
    let image = &request.subject.loaded.inventory.tree;
    let held = hold(&source.loaded, request.steps, image);
    if held.counts.is_empty() {
        return Rung::not_checked(ID, "the image has no module of a language that is known");
    }
    if held.missing.is_empty() {
        let count = |(language, count): (&&str, &u64)| format!("{count} of {language}");
        let counts: Vec<String> = held.counts.iter().map(count).collect();
        let because = format!("no need of a module is missing ({})", counts.join(", "));
        return Rung::pass(ID, because);
    }
    let because = format!("{} needs of modules are missing", held.missing.len());
    Rung::fail(ID, because, held.missing.into_iter().collect())
}

fn hold(source: &Loaded, steps: Option<&[Step]>, image: &FileTree) -> Held {
    let tree = &source.inventory.tree;
    let expected = Expected::of(tree, steps.unwrap_or_default());
    let language = |need: &Need| match need.finder.row().proof {
        Proof::Language(language) => Some(language),
        _ => None,
    };
    let is_there: Vec<bool> = tree
        .ids()
        .map(|file| image.lookup(&tree.path(file)).is_some())
        .collect();
    let mut held = Held::default();
    for need in source
        .graph
        .needs()
        .iter()
        .filter(|need| need.evidence.is_firm())
    {
        let (Node::File(from), Node::File(to)) = (need.from, need.to) else {
            continue;
        };
        let Some(language) = language(need).filter(|_| is_there[from.index()]) else {
            continue;
        };
        // A component is cut only where a mark says so, and so is code for a GPU; all else that is needed must be there. A
        // folder stands for all in it.
        let is_cut = |file| {
            let can_be_cut = need.evidence == Evidence::Component || gpu::is_code(tree, file);
            expected.is_gone(file) && can_be_cut
        };
        for to in tree.subtree(to).map(FileId).filter(|&to| !is_cut(to)) {
            *held.counts.entry(language).or_default() += 1;
            if !is_there[to.index()] {
                let (from, to) = (tree.path(from), tree.path(to));
                held.missing
                    .insert(format!("{} needs {}", escape(&from), escape(&to)));
            }
        }
    }
    held
}
