//! Alternatives: groups of links that update-alternatives switches together.
//!
//! The format of `/var/lib/dpkg/alternatives/NAME` is that of dpkg's `utils/update-alternatives.c`: the mode, the master
//! link, name and link of each slave, an empty line; then, a choice at a time, its path, its priority and one line a
//! slave (empty where the choice has none); an empty line ends it.

use super::stanza::lines;

/// The folder of the links in the middle.
pub const FOLDER: &[u8] = b"/etc/alternatives";

/// One group of alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The master's name: the file's name in the database and in [`FOLDER`].
    pub name: Vec<u8>,
    /// Whether the best choice is taken (`auto`) rather than the administrator's.
    pub is_auto: bool,
    /// The path of the master link.
    pub link: Vec<u8>,
    /// Name and link path of each slave.
    pub slaves: Vec<(Vec<u8>, Vec<u8>)>,
    /// What can be chosen.
    pub choices: Vec<Choice>,
}

/// One choice of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Where the master link leads.
    pub path: Vec<u8>,
    /// The greatest one is taken in `auto` mode.
    pub priority: i64,
    /// Where each slave link leads, in the order of [`Alternative::slaves`]; empty for none.
    pub slaves: Vec<Vec<u8>>,
}

/// What becomes of a group when choices go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The file's new contents; `None` when the group goes.
    pub file: Option<Vec<u8>>,
    /// Links to set (`Some` new target) or to remove (`None`), by path.
    pub links: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Alternative {
    /// Reads one file; the error is one phrase with the line.
    pub fn parse(name: &[u8], bytes: &[u8]) -> Result<Self, (u32, &'static str)> {
        let mut lines = lines(bytes).map(|(number, range)| (number, &bytes[range]));
        let (_, mode) = lines.next().ok_or((1, "an empty file"))?;
        let is_auto = match mode {
            b"auto" => true,
            b"manual" => false,
            _ => return Err((1, "a mode that is neither auto nor manual")),
        };
        let (_, link) = lines.next().ok_or((2, "no master link"))?;
        let mut slaves = Vec::new();
        loop {
            let (_, slave) = lines.next().ok_or((3, "no choices"))?;
            if slave.is_empty() {
                break;
            }
            let (_, path) = lines.next().ok_or((3, "a slave without a link"))?;
            slaves.push((slave.to_vec(), path.to_vec()));
        }
        let mut choices = Vec::new();
        while let Some((number, path)) = lines.next().filter(|(_, path)| !path.is_empty()) {
            let priority = lines
                .next()
                .and_then(|(_, text)| std::str::from_utf8(text).ok()?.trim().parse().ok())
                .ok_or((number, "a choice without a priority"))?;
            let targets: Vec<Vec<u8>> = lines
                .by_ref()
                .take(slaves.len())
                .map(|(_, target)| target.to_vec())
                .collect();
            if targets.len() < slaves.len() {
                return Err((number, "a choice with too few slaves"));
            }
            choices.push(Choice {
                path: path.to_vec(),
                priority,
                slaves: targets,
            });
        }
        Ok(Self {
            name: name.to_vec(),
            is_auto,
            link: link.to_vec(),
            slaves,
            choices,
        })
    }

    /// The file's contents.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mode: &[u8] = if self.is_auto { b"auto" } else { b"manual" };
        let mut out: Vec<&[u8]> = vec![mode, &self.link];
        for (name, link) in &self.slaves {
            out.extend([name.as_slice(), link]);
        }
        out.push(b"");
        let priorities: Vec<String> = self
            .choices
            .iter()
            .map(|choice| choice.priority.to_string())
            .collect();
        for (choice, priority) in self.choices.iter().zip(&priorities) {
            out.extend([choice.path.as_slice(), priority.as_bytes()]);
            out.extend(choice.slaves.iter().map(Vec::as_slice));
        }
        out.extend([&b""[..], b""]);
        out.join(&b'\n')
    }

    /// The choice that `auto` mode takes: the greatest priority, the first of equals.
    pub fn best(&self) -> Option<&Choice> {
        let best = self.choices.iter().map(|choice| choice.priority).max()?;
        self.choices.iter().find(|choice| choice.priority == best)
    }

    /// The path of the link in [`FOLDER`].
    pub fn middle(name: &[u8]) -> Vec<u8> {
        [FOLDER, name].join(&b'/')
    }

    /// Takes choices away, as `update-alternatives --remove` would; `None` when none goes. `current` is where the master's
    /// middle link leads now. When that choice goes, the best of the others takes its place and the mode becomes `auto`; a
    /// link that leads elsewhere is the administrator's and stays as long as there is a choice.
    pub fn without(&self, current: &[u8], goes: impl Fn(&[u8]) -> bool) -> Option<Edited> {
        let mut left = self.clone();
        left.choices.retain(|choice| !goes(&choice.path));
        if left.choices.len() == self.choices.len() {
            return None;
        }
        let is_choice = |group: &Self| group.choices.iter().any(|choice| choice.path == current);
        let is_foreign = !is_choice(self) && !left.choices.is_empty();
        let stays = is_choice(&left) || is_foreign;
        let links = if stays {
            Vec::new()
        } else {
            left.is_auto = true;
            self.links_to(left.best())
        };
        Some(Edited {
            file: (!left.choices.is_empty()).then(|| left.to_bytes()),
            links,
        })
    }

    /// All links of the group as they must be for a choice; all to be removed for none.
    fn links_to(&self, choice: Option<&Choice>) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let mut links = Vec::new();
        let mut pair = |name: &[u8], link: &[u8], target: Option<&Vec<u8>>| {
            let target = target.filter(|target| !target.is_empty());
            let middle = Self::middle(name);
            links.push((link.to_vec(), target.map(|_| middle.clone())));
            links.push((middle, target.cloned()));
        };
        pair(&self.name, &self.link, choice.map(|choice| &choice.path));
        for (at, (name, link)) in self.slaves.iter().enumerate() {
            pair(name, link, choice.and_then(|choice| choice.slaves.get(at)));
        }
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const AWK: &[u8] = b"auto\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\nnawk\n/usr/bin/nawk\n\n\
        /usr/bin/gawk\n10\n/usr/share/man/man1/gawk.1.gz\n/usr/bin/gawk\n/usr/bin/mawk\n5\n/usr/share/man/man1/mawk.1.gz\n\n\n";

    #[test]
    fn a_real_file_survives_a_round_trip() {
        let awk = Alternative::parse(b"awk", AWK).expect("a real file");
        assert_eq!(awk.slaves.len(), 2);
        assert_eq!(awk.choices[1].slaves[1], b"");
        assert_eq!(
            awk.best().map(|choice| choice.path.as_slice()),
            Some(&b"/usr/bin/gawk"[..])
        );
        assert_eq!(awk.to_bytes(), AWK);
    }

    #[test]
    fn the_next_best_choice_takes_the_place_of_one_that_goes() {
        let awk = Alternative::parse(b"awk", AWK).expect("a real file");
        let edited = awk
            .without(b"/usr/bin/gawk", |path| path == b"/usr/bin/gawk")
            .expect("a choice goes");
        let set = |path: &str, target: Option<&str>| {
            (
                path.as_bytes().to_vec(),
                target.map(|t| t.as_bytes().to_vec()),
            )
        };
        assert_eq!(
            edited.links,
            [
                set("/usr/bin/awk", Some("/etc/alternatives/awk")),
                set("/etc/alternatives/awk", Some("/usr/bin/mawk")),
                set(
                    "/usr/share/man/man1/awk.1.gz",
                    Some("/etc/alternatives/awk.1.gz")
                ),
                set(
                    "/etc/alternatives/awk.1.gz",
                    Some("/usr/share/man/man1/mawk.1.gz")
                ),
                set("/usr/bin/nawk", None),
                set("/etc/alternatives/nawk", None),
            ]
        );
        let file = Alternative::parse(b"awk", &edited.file.expect("a choice is left"));
        assert_eq!(file.map(|left| left.choices.len()), Ok(1));
    }

    #[test]
    fn a_choice_that_is_not_taken_goes_quietly_and_the_last_takes_the_group_with_it() {
        let awk = Alternative::parse(b"awk", AWK).expect("a real file");
        let edited = awk.without(b"/usr/bin/mawk", |path| path == b"/usr/bin/gawk");
        assert_eq!(edited.map(|edited| edited.links.len()), Some(0));
        assert_eq!(awk.without(b"/usr/bin/mawk", |_| false), None);
        let edited = awk.without(b"/usr/bin/mawk", |_| true).expect("all go");
        assert_eq!(edited.file, None);
        assert!(edited.links.len() == 6 && edited.links.iter().all(|(_, target)| target.is_none()));
    }

    proptest! {
        #[test]
        fn a_damaged_file_is_read_without_a_panic(at in 0..AWK.len(), byte in any::<u8>(), cut in 0..AWK.len()) {
            let mut bytes = AWK.to_vec();
            bytes[at] = byte;
            bytes.truncate(cut);
            if let Ok(read) = Alternative::parse(b"awk", &bytes) {
                let again = Alternative::parse(b"awk", &read.to_bytes());
                prop_assert_eq!(again, Ok(read));
            }
        }
    }
}
