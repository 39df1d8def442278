//! Folders that the loader searches: search paths with their tokens, `/etc/ld.so.conf`, the defaults.

use super::cache;
use crate::finders::{Source, pattern, text};
use crate::model::glob::{Dialect, Glob, GlobError};
use crate::model::{FileId, FileTree, Warning, Warnings};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

/// One folder that is searched.
#[derive(Debug, PartialEq, Eq)]
pub struct Folder {
    /// The folder itself.
    pub file: FileId,
    /// The links on the way to it.
    pub links: Vec<FileId>,
    /// Its subfolders for special processors, by name.
    pub variants: Vec<FileId>,
}

/// All folders of one guest.
pub struct Search {
    /// Those of `/etc/ld.so.conf` and the defaults, in order.
    pub folders: Vec<Rc<Folder>>,
    /// Paths by names in `/etc/ld.so.cache`.
    pub cache: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    known: HashMap<Vec<u8>, Option<Rc<Folder>>>,
}

/// Subfolders that glibc before 2.37 searched for special processors.
const LEGACY: [&[u8]; 6] = [b"tls", b"haswell", b"avx512_1", b"x86_64", b"i686", b"sse2"];

/// Most entries of one search path and most configuration files.
const MAX_ENTRIES: usize = 256;

/// Most answers that are remembered.
const MAX_KNOWN: usize = 10_000;

impl Search {
    /// Reads the loader's configuration.
    pub fn new(tree: &FileTree, source: &mut dyn Source, warnings: &mut Warnings) -> Self {
        let mut search = Self {
            folders: Vec::new(),
            cache: cache::parse(&text(tree, source, b"/etc/ld.so.cache").unwrap_or_default()),
            known: HashMap::new(),
        };
        let mut seen = HashSet::new();
        let configured = configured(tree, source, warnings);
        for path in configured.into_iter().chain(defaults(tree)) {
            if let Some(folder) = search.folder(tree, &path)
                && seen.insert(folder.file)
            {
                search.folders.push(folder);
            }
        }
        search
    }

    /// The folders of a `DT_RPATH` or `DT_RUNPATH` of a file in `folder`.
    pub fn along(&mut self, tree: &FileTree, path: &[u8], folder: FileId) -> Vec<Rc<Folder>> {
        let origin = tree.path(folder);
        path.split(|&byte| byte == b':')
            .take(MAX_ENTRIES)
            .flat_map(|entry| expand(entry, &origin))
            .filter_map(|path| self.folder(tree, &path))
            .collect()
    }

    /// A relative path would depend on where the program is started: nothing to find.
    fn folder(&mut self, tree: &FileTree, path: &[u8]) -> Option<Rc<Folder>> {
        if path.first() != Some(&b'/') {
            return None;
        }
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let folder = tree
            .resolve(path)
            .filter(|end| tree.is_directory(end.file))
            .map(|end| {
                Rc::new(Folder {
                    file: end.file,
                    links: end.links,
                    variants: variants(tree, end.file),
                })
            });
        if self.known.len() < MAX_KNOWN {
            self.known.insert(path.to_vec(), folder.clone());
        }
        folder
    }
}

fn variants(tree: &FileTree, folder: FileId) -> Vec<FileId> {
    let caps = tree.child(folder, b"glibc-hwcaps");
    caps.map_or(&[][..], |caps| tree.children(caps))
        .iter()
        .copied()
        .chain(LEGACY.iter().filter_map(|name| tree.child(folder, name)))
        .filter(|&variant| tree.is_directory(variant))
        .collect()
}

/// Replaces `$ORIGIN`, `$LIB` and `$PLATFORM`; several answers where `$LIB` differs between distributions.
pub fn expand(entry: &[u8], origin: &[u8]) -> Vec<Vec<u8>> {
    let mut texts = vec![entry.to_vec()];
    let libs: &[&[u8]] = &[
        b"lib/x86_64-linux-gnu",
        b"lib/aarch64-linux-gnu",
        b"lib/i386-linux-gnu",
        b"lib64",
        b"lib",
    ];
    let platforms: &[&[u8]] = &[b"x86_64", b"haswell", b"aarch64", b"i686"];
    for (name, values) in [
        ("ORIGIN", &[origin][..]),
        ("LIB", libs),
        ("PLATFORM", platforms),
    ] {
        for token in [format!("${{{name}}}"), format!("${name}")] {
            texts = texts
                .iter()
                .flat_map(|text| replace(text, token.as_bytes(), values))
                .collect();
        }
    }
    texts
}

fn replace(text: &[u8], token: &[u8], values: &[&[u8]]) -> Vec<Vec<u8>> {
    let Some(at) = text.windows(token.len()).position(|window| window == token) else {
        return vec![text.to_vec()];
    };
    values
        .iter()
        .map(|value| [&text[..at], value, &text[at + token.len()..]].concat())
        .collect()
}

/// The folders of `/etc/ld.so.conf` and what it includes, each file once; no more of either than any system has.
fn configured(tree: &FileTree, source: &mut dyn Source, warnings: &mut Warnings) -> Vec<Vec<u8>> {
    let mut folders = Vec::new();
    let mut todo = VecDeque::from([b"/etc/ld.so.conf".to_vec()]);
    let mut seen = HashSet::new();
    let mut globs = 0;
    while let Some(path) = todo.pop_front() {
        let is_new = tree.resolve(&path).is_some_and(|end| seen.insert(end.file));
        if !is_new || seen.len() > MAX_ENTRIES {
            continue;
        }
        let bytes = text(tree, source, &path).unwrap_or_default();
        for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
            let mut words = line
                .split(|byte| byte.is_ascii_whitespace() || matches!(byte, b':' | b','))
                .filter(|word| !word.is_empty());
            match words.next() {
                Some(b"include") => {
                    for glob in words.take(MAX_ENTRIES - globs) {
                        globs += 1;
                        match included(tree, glob) {
                            Ok(paths) => todo.extend(paths.into_iter().take(MAX_ENTRIES)),
                            Err(error) => {
                                let text = pattern::unusable(glob, &error);
                                warnings.push(Warning::at(&path, number, text));
                            }
                        }
                    }
                }
                Some(b"hwcap") | None => {}
                Some(first) => {
                    let all = std::iter::once(first).chain(words).map(<[u8]>::to_vec);
                    folders.extend(all.take(MAX_ENTRIES.saturating_sub(folders.len())));
                }
            }
        }
    }
    folders
}

/// Files that an `include` line names; wildcards in the last part only, as everybody writes them.
fn included(tree: &FileTree, pattern: &[u8]) -> Result<Vec<Vec<u8>>, GlobError> {
    let absolute = if pattern.first() == Some(&b'/') {
        pattern.to_vec()
    } else {
        [b"/etc/", pattern].concat()
    };
    let cut = absolute.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    let (folder, name) = (&absolute[..cut], &absolute[cut + 1..]);
    let Ok(name) = std::str::from_utf8(name) else {
        return Ok(Vec::new());
    };
    let glob = Glob::new(name, Dialect::FileName)?;
    let Some(end) = tree.resolve(folder) else {
        return Ok(Vec::new());
    };
    let files = tree.children(end.file).iter();
    Ok(files
        .filter(|&&file| std::str::from_utf8(tree.name(file)).is_ok_and(|name| glob.is_match(name)))
        .map(|&file| tree.path(file))
        .collect())
}

/// Debian's multi-arch folders, then the plain ones.
fn defaults(tree: &FileTree) -> Vec<Vec<u8>> {
    let mut paths: Vec<Vec<u8>> = Vec::new();
    for lib in [&b"/lib"[..], b"/usr/lib"] {
        let Some(folder) = tree.resolve(lib) else {
            continue;
        };
        let triplets = tree
            .children(folder.file)
            .iter()
            .map(|&child| tree.name(child))
            .filter(|name| name.windows(7).any(|window| window == b"-linux-"));
        paths.extend(triplets.map(|name| [lib, b"/", name].concat()));
    }
    let plain = [
        "/lib64",
        "/usr/lib64",
        "/lib",
        "/usr/lib",
        "/lib32",
        "/usr/lib32",
        "/libx32",
        "/usr/libx32",
        "/usr/local/lib",
    ];
    paths.extend(plain.iter().map(|path| path.as_bytes().to_vec()));
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_replaced_with_and_without_braces() {
        let all = expand(b"${ORIGIN}/../$LIB", b"/opt/x/bin");
        assert_eq!(all.len(), 5);
        assert!(all.contains(&b"/opt/x/bin/../lib64".to_vec()));
        assert_eq!(expand(b"$ORIGIN", b"/a"), [b"/a".to_vec()]);
        assert_eq!(expand(b"$OTHER", b"/a"), [b"$OTHER".to_vec()]);
    }
}
