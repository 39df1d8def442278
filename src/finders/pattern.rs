//! Paths with `*` in them, expanded over the tree part by part, links followed; and what is said of a glob that cannot be
//! used.

use crate::model::glob::GlobError;
use crate::model::text::short;
use crate::model::{FileId, FileTree, Resolved};
use std::collections::{HashMap, HashSet};

/// Most places that one pattern may have.
const MAX_PLACES: usize = 4096;
/// Longest pattern: the longest path that Linux opens.
pub const MAX_PATTERN: usize = 4096;
/// Most names that all patterns of one guest are compared with and links that they pass: a second of work, some hundred
/// times what a big guest needs.
const MAX_WORK: u64 = 20_000_000;

/// What a guest's patterns may still cost. Links that lead back make a short pattern name everything, many times.
#[derive(Debug)]
pub struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_WORK)
    }
}

impl Budget {
    /// Whether nothing is left, so that patterns were not expanded any more.
    pub const fn is_spent(&self) -> bool {
        self.0 == 0
    }

    /// Takes off some work; `false` when there was too little left.
    fn take(&mut self, work: usize) -> bool {
        self.0 = self.0.saturating_sub(work as u64);
        self.0 > 0
    }
}

/// What is said of a glob in a guest's file that cannot be used.
pub fn unusable(glob: &[u8], error: &GlobError) -> String {
    format!("the glob {} cannot be used: {error}", short(glob))
}

/// The files and folders that a pattern names, from a folder on where it is not absolute, in tree order of each part. A
/// star stands for any bytes within a part. A place that several ways lead to is there once, with the links of all.
/// Nothing for a pattern that is too long, or when the budget is spent.
pub fn expand_from(
    tree: &FileTree,
    folder: FileId,
    pattern: &[u8],
    budget: &mut Budget,
) -> Vec<Resolved> {
    let start = if pattern.first() == Some(&b'/') {
        FileId::ROOT
    } else {
        folder
    };
    if pattern.len() > MAX_PATTERN {
        return Vec::new();
    }
    let mut places = vec![Resolved {
        file: start,
        links: Vec::new(),
    }];
    for part in pattern
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty())
    {
        let mut next = Next::default();
        for (from, place) in places.iter().enumerate() {
            if !step(tree, place, part, budget, |end| next.add(from, place, &end)) {
                return Vec::new();
            }
        }
        places = next.places;
    }
    places
}

/// The places of one part.
#[derive(Default)]
struct Next {
    places: Vec<Resolved>,
    known: HashMap<FileId, usize>,
    /// Links that a place has.
    linked: HashSet<(usize, FileId)>,
    /// Places whose links a place has already.
    merged: HashSet<(usize, usize)>,
}

impl Next {
    /// Adds the end of a way from a place; how much work that was.
    fn add(&mut self, from: usize, place: &Resolved, end: &Resolved) -> usize {
        let at = *self.known.entry(end.file).or_insert(self.places.len());
        if at == self.places.len() {
            if at == MAX_PLACES {
                self.known.remove(&end.file);
                return 1;
            }
            self.places.push(Resolved {
                file: end.file,
                links: Vec::new(),
            });
        }
        let old = if self.merged.insert((at, from)) {
            place.links.as_slice()
        } else {
            &[]
        };
        for &link in old.iter().chain(&end.links) {
            if self.linked.insert((at, link)) {
                self.places[at].links.push(link);
            }
        }
        1 + old.len() + end.links.len()
    }
}

/// Hands over what one part names in one place; `false` when the budget is spent.
fn step(
    tree: &FileTree,
    place: &Resolved,
    part: &[u8],
    budget: &mut Budget,
    mut found: impl FnMut(Resolved) -> usize,
) -> bool {
    let mut resolve = |name: &[u8]| {
        let end = tree.resolve_from(place.file, name, true);
        end.map_or(1, &mut found)
    };
    if !part.contains(&b'*') {
        return budget.take(resolve(part));
    }
    tree.children(place.file).iter().all(|&child| {
        let name = tree.name(child);
        let work = if matches(part, name) {
            resolve(name)
        } else {
            0
        };
        budget.take(1 + work)
    })
}

/// Whether a name is what a pattern with stars says; linear in both.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let mut parts = pattern.split(|&byte| byte == b'*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&[u8]> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let at = if part.is_empty() {
            Some(0)
        } else {
            rest.windows(part.len()).position(|window| window == part)
        };
        let Some(at) = at else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finders::fixture::Fixture;

    #[test]
    fn a_place_that_many_ways_lead_to_is_there_once_with_all_their_links() {
        let guest = Fixture::new(&[("/d/x -> .", ""), ("/d/y -> .", ""), ("/d/f", "")]);
        let tree = &guest.inventory.tree;
        let at = |path: &str| tree.lookup(path.as_bytes()).expect("it is there");
        let ends = expand_from(tree, FileId::ROOT, b"/d/*/*/*/*/f", &mut Budget::default());
        assert_eq!(ends.len(), 1);
        assert_eq!(ends[0].file, at("/d/f"));
        assert_eq!(ends[0].links, [at("/d/x"), at("/d/y")]);
    }

    #[test]
    fn a_pattern_longer_than_any_path_names_nothing() {
        let guest = Fixture::new(&[("/d/f", "")]);
        let tree = &guest.inventory.tree;
        let pattern = |parts: usize| [b"/d/", "./".repeat(parts).as_bytes(), b"f"].concat();
        let mut budget = Budget::default();
        let mut expand = |pattern: &[u8]| expand_from(tree, FileId::ROOT, pattern, &mut budget);
        assert_eq!(expand(&pattern(100)).len(), 1);
        assert_eq!(expand(&pattern(3000)), []);
    }

    #[test]
    fn links_that_lead_back_spend_the_budget_and_no_more() {
        let links: Vec<String> = (0..600).map(|at| format!("/d/s{at} -> .")).collect();
        let files: Vec<(&str, &str)> = links.iter().map(|link| (link.as_str(), "")).collect();
        let guest = Fixture::new(&files);
        let tree = &guest.inventory.tree;
        let pattern = |parts: usize| [b"/d", "/*".repeat(parts).as_bytes(), b"/f"].concat();
        let mut budget = Budget(1000 * 600);
        let mut expand = |pattern: &[u8]| expand_from(tree, FileId::ROOT, pattern, &mut budget);
        assert_eq!(expand(&pattern(100)), []);
        assert_eq!(expand(&pattern(2000)), []);
        assert!(budget.is_spent());
        let ends = expand_from(tree, FileId::ROOT, b"/d", &mut budget);
        assert_eq!(ends, [], "nothing is expanded any more");
    }

    #[test]
    fn stars_match_within_a_name() {
        for (pattern, name, expected) in [
            ("lib*.so.*", "libm.so.6", true),
            ("lib*.so.*", "libm.so", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*", "", true),
            ("x", "x", true),
            ("x", "xy", false),
            ("*-linux-*", "x86_64-linux-gnu", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
