//! Paths with `*` in them, expanded over the tree part by part, links followed.

use crate::model::{FileId, FileTree, Resolved};
use std::collections::HashMap;

/// Most places that one pattern may have.
const MAX_PLACES: usize = 4096;
/// Longest pattern: the longest path that Linux opens.
const MAX_PATTERN: usize = 4096;

/// The files and folders that a pattern names, from a folder on where it is not absolute, in tree order of each part. A
/// star stands for any bytes within a part. A place that several ways lead to is there once, with the links of all.
pub fn expand_from(tree: &FileTree, folder: FileId, pattern: &[u8]) -> Vec<Resolved> {
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
        places = merge(places.iter().flat_map(|place| step(tree, place, part)));
    }
    places
}

fn merge(found: impl Iterator<Item = Resolved>) -> Vec<Resolved> {
    let mut places: Vec<Resolved> = Vec::new();
    let mut known: HashMap<FileId, usize> = HashMap::new();
    for place in found {
        let at = *known.entry(place.file).or_insert(places.len());
        if at == places.len() {
            if at == MAX_PLACES {
                break;
            }
            let links = Vec::new();
            places.push(Resolved { links, ..place });
        }
        for link in place.links {
            if !places[at].links.contains(&link) {
                places[at].links.push(link);
            }
        }
    }
    places
}

fn step(tree: &FileTree, place: &Resolved, part: &[u8]) -> Vec<Resolved> {
    let resolve = |name: &[u8]| {
        let mut end = tree.resolve_from(place.file, name, true)?;
        end.links.splice(0..0, place.links.iter().copied());
        Some(end)
    };
    if !part.contains(&b'*') {
        return resolve(part).into_iter().collect();
    }
    tree.children(place.file)
        .iter()
        .map(|&child| tree.name(child))
        .filter(|name| matches(part, name))
        .filter_map(resolve)
        .collect()
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
        let ends = expand_from(tree, FileId::ROOT, b"/d/*/*/*/*/f");
        assert_eq!(ends.len(), 1);
        assert_eq!(ends[0].file, at("/d/f"));
        assert_eq!(ends[0].links, [at("/d/x"), at("/d/y")]);
    }

    #[test]
    fn a_pattern_longer_than_any_path_names_nothing() {
        let guest = Fixture::new(&[("/d/f", "")]);
        let tree = &guest.inventory.tree;
        let pattern = |parts: usize| [b"/d/", "./".repeat(parts).as_bytes(), b"f"].concat();
        assert_eq!(expand_from(tree, FileId::ROOT, &pattern(100)).len(), 1);
        assert_eq!(expand_from(tree, FileId::ROOT, &pattern(3000)), []);
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
