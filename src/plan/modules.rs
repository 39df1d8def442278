//! What a mark on a language's module selects.
//!
//! *Whole* selects all of the module's own files. *Trimmed* selects the files opened to load it; its component comes along, as it
//! does for everything that imports it. *Needed only* (and below, because a module has no record) is also a ceiling: of the
//! component, only the module, its imports, data files and metadata stay; of the package that owns it, only what is named. A
//! *drop* selects all of the module's own files.

use super::select::{Selected, glob};
use super::{Inputs, Level, Wish};
use crate::model::{FileId, Inventory, Module, Node};
use fixedbitset::FixedBitSet;

/// The packages and files of the modules of this name in every environment (or in the one that `language` names).
pub(super) fn select(inventory: &Inventory, language: &str, name: &str, wish: Wish) -> Selected {
    let mut selected = Selected::default();
    let Ok(matcher) = glob(name) else {
        return selected;
    };
    for module in inventory
        .components
        .modules_of(&inventory.tree, language)
        .filter(|module| matcher.is_match(&module.name))
    {
        add(inventory, module, wish, &mut selected);
    }
    selected.nodes.sort_unstable();
    selected.nodes.dedup();
    selected.parts.sort_unstable();
    selected.parts.dedup();
    selected
}

fn add(inventory: &Inventory, module: &Module, wish: Wish, selected: &mut Selected) {
    let files = |files: &[FileId]| -> Vec<Node> { files.iter().copied().map(Node::File).collect() };
    let is_cut = matches!(wish, Wish::Keep(Level::NeededOnly | Level::Hollowed));
    if matches!(wish, Wish::Drop | Wish::Keep(Level::Whole)) || module.files.is_empty() {
        selected.nodes.extend(files(&module.whole));
    }
    if matches!(wish, Wish::Keep(_)) {
        selected.nodes.extend(files(&module.files));
    }
    let component = module
        .component
        .map(|at| &inventory.components.all[at as usize]);
    selected
        .parts
        .extend(component.iter().flat_map(|component| &component.parts));
    if is_cut {
        let metadata = component.iter().flat_map(|component| &component.metadata);
        selected.nodes.extend(metadata.copied().map(Node::File));
        let owners = module
            .files
            .iter()
            .filter_map(|&file| inventory.owner(file));
        selected.nodes.extend(owners.map(Node::Package));
    }
}

/// The files of components that marks cut: those whose last keep mark on a module is below trimmed.
pub(super) fn cut(inputs: &Inputs<'_>) -> FixedBitSet {
    let mut cut = FixedBitSet::new();
    for mark in inputs.marks {
        let Wish::Keep(level) = mark.wish else {
            continue;
        };
        for &part in &mark.parts {
            let range = inputs.inventory.tree.subtree(part);
            let range = range.start as usize..range.end as usize;
            cut.grow(range.end);
            cut.set_range(range, level < Level::Trimmed);
        }
    }
    cut
}
