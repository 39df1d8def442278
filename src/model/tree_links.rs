//! Where every symlink of a tree leads, worked out once: paths are resolved all the time, and a guest decides how many parts
//! and how many further links each target has.

use super::tree::{FileId, FileTree, parts};

/// How many symlinks a path may pass, as in Linux.
pub(super) const MAX_LINKS: usize = 40;
/// Most links that are passed by all links together, some hundred times those of a big guest; what is beyond dangles.
const MAX_PASSED: usize = 1 << 24;

/// The ends of all symlinks that lead somewhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    /// In the order of the links.
    ends: Vec<End>,
    passed: Vec<FileId>,
}

#[derive(Debug, Clone, Copy)]
struct End {
    link: FileId,
    file: FileId,
    /// What is passed on the way, in `passed`.
    start: u32,
    len: u32,
}

/// Where a link leads as far as it is known.
#[derive(Clone, Copy)]
enum State {
    New,
    /// Met again, it is a loop.
    Open,
    Dangling,
    Known(End),
}

/// A link whose target is half resolved.
struct Frame {
    link: FileId,
    at: FileId,
    /// How many bytes of the target are done.
    done: usize,
    passed: Vec<FileId>,
}

impl Links {
    /// Follows every link of a tree; each target is walked once, with a stack of its own.
    pub fn new(tree: &FileTree) -> Self {
        let links: Vec<FileId> = tree
            .ids()
            .filter(|&file| tree.target(file).is_some())
            .collect();
        let mut states = vec![State::New; links.len()];
        let mut found = Self::default();
        let row = |link: FileId| links.binary_search(&link).expect("it is a link");
        for (at, &link) in links.iter().enumerate() {
            if matches!(states[at], State::New) {
                states[at] = State::Open;
                let mut stack = vec![Frame::new(tree, link)];
                while let Some(frame) = stack.last_mut() {
                    match frame.step(tree, &found, |link| states[row(link)]) {
                        Step::Needs(link) => {
                            states[row(link)] = State::Open;
                            stack.push(Frame::new(tree, link));
                        }
                        Step::Done(file) => {
                            let frame = stack.pop().expect("it was there");
                            let at = row(frame.link);
                            states[at] =
                                file.map_or(State::Dangling, |file| found.add(&frame, file));
                        }
                    }
                }
            }
        }
        found.ends = states
            .into_iter()
            .filter_map(|state| match state {
                State::Known(end) => Some(end),
                _ => None,
            })
            .collect();
        found
    }

    /// The file at the end of a link, and the links that are passed on the way.
    pub fn end(&self, link: FileId) -> Option<(FileId, &[FileId])> {
        let at = self.ends.binary_search_by_key(&link, |end| end.link).ok()?;
        let end = &self.ends[at];
        Some((end.file, self.passed(end)))
    }

    fn passed(&self, end: &End) -> &[FileId] {
        &self.passed[end.start as usize..][..end.len as usize]
    }

    fn add(&mut self, frame: &Frame, file: FileId) -> State {
        if self.passed.len() + frame.passed.len() > MAX_PASSED {
            return State::Dangling;
        }
        let start = self.passed.len() as u32;
        self.passed.extend(&frame.passed);
        State::Known(End {
            link: frame.link,
            file,
            start,
            len: frame.passed.len() as u32,
        })
    }
}

enum Step {
    /// This link must be followed first.
    Needs(FileId),
    Done(Option<FileId>),
}

impl Frame {
    fn new(tree: &FileTree, link: FileId) -> Self {
        let target = tree.target(link).unwrap_or_default();
        Self {
            link,
            at: if target.first() == Some(&b'/') {
                FileId::ROOT
            } else {
                tree.parent(link)
            },
            done: 0,
            passed: Vec::new(),
        }
    }

    /// Goes on to the end of the target or to the next link that is not known yet.
    fn step(&mut self, tree: &FileTree, found: &Links, state: impl Fn(FileId) -> State) -> Step {
        let target = tree.target(self.link).unwrap_or_default();
        let rest = &target[self.done..];
        for part in parts(rest) {
            if part == b".." {
                self.at = tree.parent(self.at);
            } else {
                let Some(next) = tree.child(self.at, part) else {
                    return Step::Done(None);
                };
                self.at = next;
                if tree.target(next).is_some() {
                    match state(next) {
                        State::New => {
                            self.at = tree.parent(next);
                            return Step::Needs(next);
                        }
                        State::Open | State::Dangling => return Step::Done(None),
                        State::Known(end) => {
                            self.passed.push(next);
                            self.passed.extend(found.passed(&end));
                            self.at = end.file;
                        }
                    }
                    if self.passed.len() > MAX_LINKS {
                        return Step::Done(None);
                    }
                }
            }
            self.done = part.as_ptr() as usize - target.as_ptr() as usize + part.len();
        }
        Step::Done(Some(self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, FileKind, Resolved, TreeBuilder};
    use proptest::prelude::*;

    /// What the kernel does, part by part.
    fn walked(tree: &FileTree, folder: FileId, path: &[u8], follow_last: bool) -> Option<Resolved> {
        let mut at = if path.first() == Some(&b'/') {
            FileId::ROOT
        } else {
            folder
        };
        let mut links = Vec::new();
        let mut todo: Vec<&[u8]> = parts(path).collect();
        todo.reverse();
        while let Some(part) = todo.pop() {
            if part == b".." {
                at = tree.parent(at);
                continue;
            }
            let next = tree.child(at, part)?;
            let Some(target) = tree
                .target(next)
                .filter(|_| follow_last || !todo.is_empty())
            else {
                at = next;
                continue;
            };
            links.push(next);
            if links.len() > MAX_LINKS {
                return None;
            }
            if target.first() == Some(&b'/') {
                at = FileId::ROOT;
            }
            let from = todo.len();
            todo.extend(parts(target));
            todo[from..].reverse();
        }
        Some(Resolved { file: at, links })
    }

    fn guest(links: &[(String, String)]) -> FileTree {
        let mut builder = TreeBuilder::default();
        for folder in ["/a/b", "/b/a", "/c"] {
            builder.add_path(folder.as_bytes(), Entry::new(FileKind::Directory));
        }
        for (path, target) in links {
            let mut entry = Entry::new(FileKind::Symlink);
            entry.target = target.as_bytes().to_vec();
            builder.add_path(path.as_bytes(), entry);
        }
        builder.finish().0
    }

    #[test]
    fn as_many_links_as_linux_allows_are_followed() {
        let link = |at: usize| (format!("/l{at:02}"), format!("l{:02}", at + 1));
        let mut links: Vec<_> = (0..60).map(link).collect();
        links.push(("/l60".into(), "c".into()));
        let tree = guest(&links);
        let end = |path: &str| tree.resolve(path.as_bytes()).map(|end| end.links.len());
        assert_eq!(end("/l21"), Some(40));
        assert_eq!(end("/l20"), None);
        assert_eq!(end("/l60/../l60"), Some(2));
    }

    proptest! {
        #[test]
        fn what_is_known_beforehand_is_what_the_kernel_would_find(
            links in proptest::collection::vec(("/[a-c]/[a-d]|/[d-g]", "/?([a-g]|\\.\\.)(/([a-g]|\\.\\.|\\.)){0,3}"), 0..12),
            path in "/?[a-g](/([a-g]|\\.\\.)){0,3}",
            follow_last: bool,
        ) {
            let tree = guest(&links);
            let folder = tree.lookup(b"/a").unwrap_or(FileId::ROOT);
            prop_assert_eq!(
                tree.resolve_from(folder, path.as_bytes(), follow_last),
                walked(&tree, folder, path.as_bytes(), follow_last)
            );
            for link in tree.ids().filter(|&file| tree.target(file).is_some()) {
                let target = tree.target(link).unwrap_or_default();
                prop_assert_eq!(tree.follow(link), walked(&tree, tree.parent(link), target, true));
            }
        }
    }
}
