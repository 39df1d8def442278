//! What would leave together with a node: dominators of a graph with one root.
//!
//! The method is that of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm"): walk the nodes in reverse
//! post-order and intersect the dominators of their predecessors until nothing changes.

const NONE: u32 = u32::MAX;

/// Adds up `weights` over everything that only `n` leads to, for each node `n`, `n` included; zero for nodes that the
/// root does not reach. `edges` are pairs (from, to) of node numbers below `weights.len()`.
pub fn retained(root: u32, weights: &[u64], edges: &mut Vec<(u32, u32)>) -> Vec<u64> {
    edges.sort_unstable();
    edges.dedup();
    let order = reverse_postorder(root, weights.len(), edges);
    let parents = immediate_dominators(&order, weights.len(), edges);
    let mut sums = vec![0; weights.len()];
    for &node in order.iter().rev() {
        sums[node as usize] += weights[node as usize];
        if node != root {
            let sum = sums[node as usize];
            sums[parents[node as usize] as usize] += sum;
        }
    }
    sums
}

fn row(edges: &[(u32, u32)], starts: &[u32], node: u32) -> std::ops::Range<usize> {
    debug_assert!(edges.len() <= NONE as usize);
    starts[node as usize] as usize..starts[node as usize + 1] as usize
}

fn starts(count: usize, keys: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut starts = vec![0u32; count + 1];
    for key in keys {
        starts[key as usize + 1] += 1;
    }
    for at in 1..=count {
        starts[at] += starts[at - 1];
    }
    starts
}

fn reverse_postorder(root: u32, count: usize, edges: &[(u32, u32)]) -> Vec<u32> {
    let starts = starts(count, edges.iter().map(|edge| edge.0));
    let mut is_seen = vec![false; count];
    let mut order = Vec::new();
    let mut stack = vec![(root, row(edges, &starts, root))];
    is_seen[root as usize] = true;
    while let Some((node, rest)) = stack.last_mut() {
        let Some(at) = rest.next() else {
            order.push(*node);
            stack.pop();
            continue;
        };
        let next = edges[at].1;
        if !std::mem::replace(&mut is_seen[next as usize], true) {
            stack.push((next, row(edges, &starts, next)));
        }
    }
    order.reverse();
    order
}

fn immediate_dominators(order: &[u32], count: usize, edges: &[(u32, u32)]) -> Vec<u32> {
    let mut rank = vec![NONE; count];
    for (at, &node) in order.iter().enumerate() {
        rank[node as usize] = at as u32;
    }
    let mut backward: Vec<(u32, u32)> = edges.iter().map(|&(from, to)| (to, from)).collect();
    backward.sort_unstable();
    let starts = starts(count, backward.iter().map(|edge| edge.0));
    // By rank, so that "closer to the root" is "smaller".
    let mut parent = vec![NONE; order.len()];
    parent[0] = 0;
    let mut is_changed = true;
    while is_changed {
        is_changed = false;
        for (at, &node) in order.iter().enumerate().skip(1) {
            let mut best = NONE;
            for &(_, from) in &backward[row(&backward, &starts, node)] {
                let from = rank[from as usize];
                if from != NONE && parent[from as usize] != NONE {
                    best = if best == NONE {
                        from
                    } else {
                        common(&parent, best, from)
                    };
                }
            }
            if parent[at] != best {
                parent[at] = best;
                is_changed = true;
            }
        }
    }
    let mut dominators = vec![NONE; count];
    for (at, &node) in order.iter().enumerate() {
        dominators[node as usize] = order[parent[at] as usize];
    }
    dominators
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
        let mut edges = vec![(0, 1), (0, 2), (1, 3), (2, 3), (1, 4)];
        assert_eq!(
            retained(0, &[0, 10, 20, 5, 1], &mut edges),
            [36, 11, 20, 5, 1]
        );
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
            let mut edges: Vec<_> = edges.into_iter().map(|(a, b)| (a % count, b % count)).collect();
            let expected = by_removal(0, &weights, &edges);
            prop_assert_eq!(retained(0, &weights, &mut edges), expected);
        }
    }
}
