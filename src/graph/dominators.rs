//! Nodes that would leave together with a node: dominators of a graph with one root.
//!
//! The method is that of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm"): walk the nodes in reverse
//! post-order and intersect the dominators of their predecessors until nothing changes.

const NONE: u32 = u32::MAX;

/// Adds up `weights` over everything that only `n` leads to, for each node `n`, `n` included; zero for nodes that the
/// root does not reach. `edges` are pairs (from, to) of node numbers below `weights.len()`, in any order, repeated or not.
pub fn retained(root: u32, weights: &[u64], edges: &[(u32, u32)]) -> Vec<u64> {
    let forward = Rows::new(weights.len(), edges.iter().copied());
    let order = reverse_postorder(root, &forward);
    let parents = immediate_dominators(&order, &forward);
    let mut sums = vec![0; weights.len()];
    for (at, &node) in order.iter().enumerate().rev() {
        sums[node as usize] += weights[node as usize];
        if at > 0 {
            let sum = sums[node as usize];
            sums[order[parents[at] as usize] as usize] += sum;
        }
    }
    sums
}

/// Edges by where they start, each once: those of node `n` are `ends[starts[n]..starts[n + 1]]`. Made by counting, since
/// sorting would take longer than all the rest.
struct Rows {
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl Rows {
    fn new(count: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0u32; count + 1];
        for (from, _) in edges.clone() {
            starts[from as usize + 1] += 1;
        }
        for at in 1..=count {
            starts[at] += starts[at - 1];
        }
        let mut fill = starts.clone();
        let mut ends = vec![NONE; starts[count] as usize];
        for (from, to) in edges {
            let slot = &mut fill[from as usize];
            ends[*slot as usize] = to;
            *slot += 1;
        }
        let mut rows = Self { starts, ends };
        rows.leave_out_repeats();
        rows
    }

    fn leave_out_repeats(&mut self) {
        let count = self.starts.len() - 1;
        let mut last_from = vec![NONE; count];
        let mut kept = 0;
        let mut begin = 0;
        for from in 0..count {
            let end = self.starts[from + 1] as usize;
            for at in begin..end {
                let to = self.ends[at];
                if std::mem::replace(&mut last_from[to as usize], from as u32) != from as u32 {
                    self.ends[kept] = to;
                    kept += 1;
                }
            }
            begin = end;
            self.starts[from + 1] = kept as u32;
        }
        self.ends.truncate(kept);
    }

    fn row(&self, node: u32) -> &[u32] {
        &self.ends[self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize]
    }
}

fn reverse_postorder(root: u32, forward: &Rows) -> Vec<u32> {
    let mut is_seen = vec![false; forward.starts.len() - 1];
    let mut order = Vec::new();
    let mut stack = vec![(root, forward.row(root).iter())];
    is_seen[root as usize] = true;
    while let Some((node, rest)) = stack.last_mut() {
        let Some(&next) = rest.next() else {
            order.push(*node);
            stack.pop();
            continue;
        };
        if !std::mem::replace(&mut is_seen[next as usize], true) {
            stack.push((next, forward.row(next).iter()));
        }
    }
    order.reverse();
    order
}

/// The rank of each node's dominator, by rank in `order`, so that "closer to the root" is "smaller".
fn immediate_dominators(order: &[u32], forward: &Rows) -> Vec<u32> {
    let mut rank = vec![NONE; forward.starts.len() - 1];
    for (at, &node) in order.iter().enumerate() {
        rank[node as usize] = at as u32;
    }
    let backward = Rows::new(
        order.len(),
        order.iter().enumerate().flat_map(|(from, &node)| {
            let ranks = forward.row(node).iter().map(|&to| rank[to as usize]);
            ranks.map(move |to| (to, from as u32))
        }),
    );
    let mut parent = vec![NONE; order.len()];
    parent[0] = 0;
    let mut is_changed = true;
    while is_changed {
        is_changed = false;
        for at in 1..order.len() {
            let known = backward.row(at as u32).iter();
            let best = known
                .filter(|&&from| parent[from as usize] != NONE)
                .copied()
                .reduce(|a, b| common(&parent, a, b))
                .unwrap_or(NONE);
            if parent[at] != best {
                parent[at] = best;
                is_changed = true;
            }
        }
    }
    parent
}

fn common(parent: &[u32], mut a: u32, mut b: u32) -> u32 {
    while a != b {
        if a > b {
            a = parent[a as usize];
        } else {
            b = parent[b as usize];
        }
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_two_others_share_is_retained_by_neither() {
        // root -> curl, git; both -> ssl; curl -> idn
        let edges = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 4)];
        assert_eq!(retained(0, &[0, 10, 20, 5, 1], &edges), [36, 11, 20, 5, 1]);
    }

    /// The meaning itself: what becomes unreachable when the node is taken out.
    fn by_removal(root: u32, weights: &[u64], edges: &[(u32, u32)]) -> Vec<u64> {
        let reach = |without: Option<u32>| {
            let mut seen = vec![false; weights.len()];
            let mut todo = vec![root];
            while let Some(node) = todo.pop() {
                if Some(node) != without && !std::mem::replace(&mut seen[node as usize], true) {
                    todo.extend(
                        edges
                            .iter()
                            .filter(|edge| edge.0 == node)
                            .map(|edge| edge.1),
                    );
                }
            }
            seen
        };
        let all = reach(None);
        (0..weights.len() as u32)
            .map(|node| {
                let rest = reach(Some(node));
                (0..weights.len())
                    .filter(|&at| all[at] && !rest[at])
                    .map(|at| weights[at])
                    .sum()
            })
            .collect()
    }

    proptest! {
        #[test]
        fn retained_is_what_nothing_else_reaches(
            weights in proptest::collection::vec(0u64..100, 2..12),
            edges in proptest::collection::vec((0u32..12, 0u32..12), 0..40),
        ) {
            let count = weights.len() as u32;
            let edges: Vec<_> = edges.into_iter().map(|(a, b)| (a % count, b % count)).collect();
            let expected = by_removal(0, &weights, &edges);
            prop_assert_eq!(retained(0, &weights, &edges), expected);
        }
    }
}
