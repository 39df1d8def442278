//! All that is known of one guest, ready for planning.

use crate::graph::Graph;
use crate::model::{Inventory, Need, Unmet};
use crate::plan::Facets;

/// All that was loaded of one guest; never changes.
pub struct Loaded {
    /// The facts.
    pub inventory: Inventory,
    /// The needs.
    pub graph: Graph,
    /// What planning wants to know of every file.
    pub facets: Facets,
    /// Needs that nothing in the guest satisfies.
    pub unmet: Vec<Unmet>,
}

impl Loaded {
    /// Prepares facts and needs for planning.
    pub fn new(inventory: Inventory, needs: Vec<Need>, unmet: Vec<Unmet>) -> Self {
        let graph = Graph::build(&inventory, needs);
        let facets = Facets::new(&inventory);
        Self {
            inventory,
            graph,
            facets,
            unmet,
        }
    }
}
