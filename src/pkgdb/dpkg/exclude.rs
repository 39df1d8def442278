//! dpkg's exclusion rules for the guest itself, so that upgrades do not bring back what was cut.

use super::classes::CLASSES;
use crate::model::inventory::NO_OWNER;
use crate::model::{FileId, FileKind, FileTree};
use crate::pkgdb::edits::{Exclusions, NewText, free_name};

const RULES_FILE: &[u8] = b"/etc/dpkg/dpkg.cfg.d/guestslim";

/// dpkg's exclusion rules for what was cut out of packages that stay; `None` where nothing was.
pub fn exclusions(exclusions: &Exclusions<'_>) -> Option<NewText> {
    let inventory = exclusions.inventory;
    let tree = &inventory.tree;
    tree.lookup(b"/var/lib/dpkg/status")?;
    let globs = globs(exclusions.rules);
    let owned: Vec<FileId> = tree
        .ids()
        .filter(|&file| {
            inventory.owners[file.index()] != NO_OWNER && tree.kind(file) != FileKind::Directory
        })
        .collect();
    let keeps = |file: FileId| exclusions.kept.contains(file.index());
    let cut = |file: FileId| exclusions.cut.contains(file.index());
    let excluded = |file: FileId| is_excluded(&globs, &tree.path(file));
    let mut lines = globs
        .iter()
        .map(|&(verb, glob)| format!("{verb}={glob}\n").into_bytes())
        .collect();
    // What stays although a glob would take it, and what went although none would.
    let (taken, spared): (Vec<FileId>, Vec<FileId>) =
        owned.iter().partition(|&&file| excluded(file));
    push_paths(tree, "path-include", &taken, keeps, &mut lines);
    push_paths(
        tree,
        "path-exclude",
        &owned,
        |file| !keeps(file) && cut(file) && spared.binary_search(&file).is_ok(),
        &mut lines,
    );
    if lines.is_empty() {
        return None;
    }
    let mut content =
        b"# What guestslim took out of packages that stay; delete this file to get it back with\n\
        # the packages' next versions, or with apt-get install --reinstall.\n"
            .to_vec();
    content.extend(lines.concat());
    Some(NewText {
        path: free_name(tree, RULES_FILE, b""),
        content,
        is_new: true,
        why: "an upgrade does not bring back what was cut".to_owned(),
    })
}

/// The globs of the rules that took files of packages that stay.
fn globs(rules: &[&str]) -> Vec<(&'static str, &'static str)> {
    let classes = rules
        .iter()
        .filter_map(|rule| CLASSES.iter().find(|class| class.rule == *rule));
    classes
        .flat_map(|class| class.exclusions)
        .map(|glob| {
            glob.strip_prefix('+')
                .map_or(("path-exclude", *glob), |glob| ("path-include", glob))
        })
        .collect()
}

/// dpkg's verdict: the last glob that matches decides.
fn is_excluded(globs: &[(&str, &str)], path: &[u8]) -> bool {
    let last = globs
        .iter()
        .rev()
        .find(|(_, glob)| matches(glob.as_bytes(), path));
    last.is_some_and(|(verb, _)| *verb == "path-exclude")
}

/// fnmatch(3) as dpkg calls it, for globs with nothing but stars: a star crosses slashes.
fn matches(glob: &[u8], path: &[u8]) -> bool {
    let mut parts = glob.split(|&byte| byte == b'*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = find(rest, part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

/// One line for each of `files` that is `wanted`; a folder of which all of `files` are wanted takes one line.
fn push_paths(
    tree: &FileTree,
    verb: &str,
    files: &[FileId],
    wanted: impl Fn(FileId) -> bool,
    lines: &mut Vec<Vec<u8>>,
) {
    let is_wanted: Vec<bool> = files.iter().map(|&file| wanted(file)).collect();
    let mut sums = vec![0_u32];
    for &bit in &is_wanted {
        sums.push(sums[sums.len() - 1] + u32::from(bit));
    }
    let mut at = 0;
    while at < files.len() {
        if !is_wanted[at] {
            at += 1;
            continue;
        }
        let mut whole = files[at];
        let mut end = at + 1;
        let mut folder = tree.parent(whole);
        while folder != FileId::ROOT {
            let last = files.partition_point(|file| file.0 < tree.subtree(folder).end);
            let first = files.partition_point(|file| file.0 < folder.0);
            if first < at || (sums[last] - sums[first]) as usize != last - first {
                break;
            }
            (whole, end) = (folder, last);
            folder = tree.parent(folder);
        }
        push_line(tree, verb, whole, lines);
        at = end;
    }
}

/// dpkg reads the value up to the end of the line, as a glob; a name with a newline cannot be said.
fn push_line(tree: &FileTree, verb: &str, file: FileId, lines: &mut Vec<Vec<u8>>) {
    let path = tree.path(file);
    if path.contains(&b'\n') {
        return;
    }
    let mut line = format!("{verb}=").into_bytes();
    for byte in path {
        if matches!(byte, b'*' | b'?' | b'[' | b'\\') {
            line.push(b'\\');
        }
        line.push(byte);
    }
    if tree.kind(file) == FileKind::Directory {
        line.extend_from_slice(b"/*");
    }
    line.push(b'\n');
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn globs_match_as_dpkg_matches_them() {
        for (glob, path, expected) in [
            ("/usr/share/doc/*", "/usr/share/doc/a/b", true),
            (
                "/usr/share/doc/*/copyright",
                "/usr/share/doc/a/copyright",
                true,
            ),
            (
                "/usr/share/doc/*/copyright",
                "/usr/share/doc/copyright",
                false,
            ),
            ("/usr/lib/*.a", "/usr/lib/x/y.a", true),
            ("/usr/lib/*.a", "/usr/lib/x/y.so", false),
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("*", "", true),
        ] {
            assert_eq!(
                matches(glob.as_bytes(), path.as_bytes()),
                expected,
                "{glob} {path}"
            );
        }
    }

    proptest! {
        #[test]
        fn globs_agree_with_a_reference(glob in "[ab*]{0,8}", path in "[ab]{0,8}") {
            fn reference(glob: &[u8], path: &[u8]) -> bool {
                match glob.split_first() {
                    None => path.is_empty(),
                    Some((b'*', rest)) => (0..=path.len()).any(|at| reference(rest, &path[at..])),
                    Some((byte, rest)) => path.first() == Some(byte) && reference(rest, &path[1..]),
                }
            }
            prop_assert_eq!(matches(glob.as_bytes(), path.as_bytes()), reference(glob.as_bytes(), path.as_bytes()));
        }
    }
}
