//! Resolved needs in compressed rows: the needs of a node are a slice, an edge is a number.

pub mod dominators;

use crate::model::{FileId, Inventory, Need, Node, PackageId};

/// All needs of a guest, sorted by source node. Nodes are numbered: packages first, then files.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    packages: u32,
    nodes: u32,
    /// Row of node `n`: edges `rows[n]..rows[n + 1]`, firm ones only.
    rows: Vec<u32>,
    /// Firm needs sorted by source node, then the soft ones.
    needs: Vec<Need>,
    /// The target node of each edge: the only part of an edge that a closure reads.
    targets: Vec<u32>,
}

impl Graph {
    /// Sorts the needs into rows, each once. Needs about things that are not in the inventory, and needs of a thing for
    /// itself, are left out.
    pub fn build(inventory: &Inventory, mut needs: Vec<Need>) -> Self {
        let packages = inventory.packages.len() as u32;
        let files = inventory.tree.len() as u32;
        let is_known = |node: Node| match node {
            Node::Package(id) => id.0 < packages,
            Node::File(id) => id.0 < files,
        };
        needs.retain(|need| need.from != need.to && is_known(need.from) && is_known(need.to));
        needs.sort_unstable_by(|a, b| (!a.evidence.is_firm(), a).cmp(&(!b.evidence.is_firm(), b)));
        needs.dedup();
        let mut graph = Self {
            packages,
            nodes: packages + files,
            rows: Vec::new(),
            needs,
            targets: Vec::new(),
        };
        graph.fill_rows();
        graph.targets = graph
            .needs
            .iter()
            .map(|need| graph.number(need.to))
            .collect();
        graph
    }

    fn fill_rows(&mut self) {
        let mut counts = vec![0u32; self.nodes as usize + 1];
        for need in self.needs.iter().filter(|need| need.evidence.is_firm()) {
            counts[self.number(need.from) as usize + 1] += 1;
        }
        for at in 1..counts.len() {
            counts[at] += counts[at - 1];
        }
        self.rows = counts;
    }

    fn number(&self, node: Node) -> u32 {
        match node {
            Node::Package(id) => id.0,
            Node::File(id) => self.packages + id.0,
        }
    }

    /// The firm needs of a node.
    pub fn needs_of(&self, node: Node) -> &[Need] {
        let edges = self.edges_of(node);
        &self.needs[edges.start as usize..edges.end as usize]
    }

    /// The firm edges of a node.
    pub fn edges_of(&self, node: Node) -> std::ops::Range<u32> {
        let at = self.number(node) as usize;
        self.rows[at]..self.rows[at + 1]
    }

    /// The edges that are only wanted or guessed, of all nodes.
    pub fn soft_edges(&self) -> std::ops::Range<u32> {
        self.rows.last().copied().unwrap_or(0)..self.needs.len() as u32
    }

    /// Where an edge leads.
    pub fn target(&self, edge: u32) -> Node {
        let number = self.targets[edge as usize];
        match number.checked_sub(self.packages) {
            None => Node::Package(PackageId(number)),
            Some(file) => Node::File(FileId(file)),
        }
    }

    /// An edge by its number.
    pub fn need(&self, edge: u32) -> &Need {
        &self.needs[edge as usize]
    }

    /// All edges in order, firm ones first.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// How many packages the guest has.
    pub fn package_count(&self) -> usize {
        self.packages as usize
    }

    /// The edges that lead to a package from other packages or from files of others, by number; a scan of all edges.
    pub fn needed_by(&self, package: PackageId) -> impl Iterator<Item = u32> + '_ {
        self.needs
            .iter()
            .enumerate()
            .filter(move |(_, need)| need.to == Node::Package(package))
            .map(|(at, _)| at as u32)
    }
}
