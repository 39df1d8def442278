//! All that is known of one guest, ready for planning.

use crate::graph::Graph;
use crate::job::{Cancelled, Job};
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
    pub fn new(
        inventory: Inventory,
        needs: Vec<Need>,
        unmet: Vec<Unmet>,
        job: &Job,
    ) -> Result<Self, Cancelled> {
        let graph = Graph::build(&inventory, needs);
        job.check()?;
        let facets = Facets::new(&inventory, job)?;
        Ok(Self {
            inventory,
            graph,
            facets,
            unmet,
        })
    }
}
