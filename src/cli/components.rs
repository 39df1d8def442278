//! The components of a guest, as `inspect` lists them.

use super::json::plain;
use super::weights::Weights;
use crate::model::table::{Align, count, section};
use crate::model::{Bytes, Inventory};
use serde::Serialize;

/// A unit that a language or an installer put in.
#[derive(Debug, Serialize)]
pub struct Component {
    /// `Python distribution`, `conda package` ...
    pub kind: &'static str,
    pub name: String,
    pub version: String,
    /// Where it lies, or the biggest of several places.
    pub path: String,
    pub files: u64,
    pub allocated: u64,
}

/// All components, the biggest first.
pub fn list(inventory: &Inventory, weights: &Weights) -> Vec<Component> {
    let tree = &inventory.tree;
    let mut components: Vec<Component> = inventory
        .components
        .all
        .iter()
        .map(|component| {
            let parts = component.parts.iter();
            let parts: Vec<_> = parts.map(|&part| weights.tree(tree, part)).collect();
            let biggest = parts.iter().max_by_key(|part| part.allocated);
            Component {
                kind: component.kind,
                name: plain(&component.name),
                version: plain(&component.version),
                path: biggest.map_or_else(String::new, |part| part.path.clone()),
                files: parts.iter().map(|part| part.files).sum(),
                allocated: parts.iter().map(|part| part.allocated).sum(),
            }
        })
        .collect();
    components.sort_by_key(|component| std::cmp::Reverse(component.allocated));
    components
}

/// The section that people read.
pub fn text(components: &[Component], top: usize) -> String {
    let rows: Vec<Vec<String>> = components
        .iter()
        .take(top)
        .map(|component| {
            vec![
                Bytes(component.allocated).to_string(),
                component.kind.to_owned(),
                format!("{} {}", component.name, component.version)
                    .trim_end()
                    .to_owned(),
                component.path.clone(),
            ]
        })
        .collect();
    let heading = if rows.len() < components.len() {
        format!("Biggest of {} components", count(components.len() as u64))
    } else {
        "Components".to_owned()
    };
    section(
        &heading,
        &[Align::Right, Align::Left, Align::Left, Align::Left],
        &rows,
    )
}
