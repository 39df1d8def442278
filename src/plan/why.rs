//! The chain of reasons from a thing to the mark, the boot set or the rule that decides about it.

use super::{Plan, Reason};
use crate::graph::Graph;
use crate::model::Node;

/// The thing that a thing's reason points to; `None` at the end of a chain.
pub fn next(graph: &Graph, reason: Reason) -> Option<Node> {
    match reason {
        Reason::Need(edge) => Some(graph.need(edge).from),
        Reason::Owner(package) | Reason::OwnerGoes(package) | Reason::Cut(package) => {
            Some(Node::Package(package))
        }
        Reason::Follows(file) | Reason::FollowsGone(file) => Some(Node::File(file)),
        Reason::Mark(_)
        | Reason::Boot(_)
        | Reason::Essential
        | Reason::Trace
        | Reason::Unowned
        | Reason::Directory
        | Reason::Rule(_)
        | Reason::NotNeeded
        | Reason::Leavings => None,
    }
}

/// The things from `node` to the end of its chain, each with its reason.
pub fn chain(graph: &Graph, plan: &Plan, node: Node) -> Vec<(Node, Reason)> {
    let mut links = Vec::new();
    let mut at = Some(node);
    while let Some(node) = at {
        let reason = match node {
            Node::Package(id) => plan.packages[id.index()].reason,
            Node::File(file) => plan.reasons[file.index()],
        };
        links.push((node, reason));
        at = next(graph, reason);
    }
    links
}
