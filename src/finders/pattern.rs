//! Paths with `*` in them, expanded over the tree part by part, links followed.

use crate::model::{FileId, FileTree, Resolved};

/// Most places that one pattern may have.
const MAX_PLACES: usize = 4096;

/// The files and folders that a pattern names, from a folder on where it is not absolute, in tree order of each part. A
/// star stands for any bytes within a part.
pub fn expand_from(tree: &FileTree, folder: FileId, pattern: &[u8]) -> Vec<Resolved> {
    let start = if pattern.first() == Some(&b'/') {
        FileId::ROOT
    } else {
        folder
    };
    let mut places = vec![Resolved {
        file: start,
        links: Vec::new(),
    }];
    for part in pattern
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty())
    {
        places = places
            .iter()
            .flat_map(|place| step(tree, place, part))
            .take(MAX_PLACES)
            .collect();
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
