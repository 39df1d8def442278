//! GRUB's menu: enough of the language of `grub.cfg` to find the entry that boots by default.
//!
//! Conditions are not evaluated: of several `set default=` the last one counts that does not refer to a one-time choice
//! (`next_entry`), which is what an undisturbed boot takes. The reader keeps a stack, never recurses.

use super::entry::Entry;

/// One entry or submenu.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// The submenu that holds it, by position in the menu.
    parent: Option<usize>,
    title: String,
    id: String,
    is_submenu: bool,
    entry: Entry,
}

/// What a `grub.cfg` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Menu {
    items: Vec<Item>,
    /// `set default=`, as written.
    default: String,
    /// Whether it takes its entries from the boot loader specification's files.
    pub uses_entry_files: bool,
}

/// Most entries that are looked at.
const MAX_ITEMS: usize = 4096;

/// Reads `grub.cfg`.
pub fn parse(bytes: &[u8]) -> Menu {
    let text = String::from_utf8_lossy(bytes);
    let mut menu = Menu::default();
    // One element an open brace: the item that it opened, or `None` for a function; and the innermost item around it.
    let mut open: Vec<(Option<usize>, Option<usize>)> = Vec::new();
    for line in text.lines() {
        let words = split(line);
        let Some(first) = words.first() else { continue };
        match first.as_str() {
            "}" => {
                open.pop();
            }
            "menuentry" | "submenu" if menu.items.len() < MAX_ITEMS => {
                let parent = open.last().and_then(|(_, around)| *around);
                let at = Some(menu.items.len());
                menu.items.push(item(&words, parent));
                open.push((at, at));
            }
            "set" => menu.set_default(&words),
            "blscfg" => menu.uses_entry_files = true,
            _ => {
                if words.last().is_some_and(|word| word == "{") {
                    let around = open.last().and_then(|(_, around)| *around);
                    open.push((None, around));
                } else if let Some((Some(at), _)) = open.last() {
                    menu.items[*at].load(first, &words[1..]);
                }
            }
        }
    }
    menu
}

impl Menu {
    fn set_default(&mut self, words: &[String]) {
        if let Some(value) = words.get(1).and_then(|word| word.strip_prefix("default="))
            && !value.contains("next_entry")
        {
            value.clone_into(&mut self.default);
        }
    }

    /// What `default` selects, with `saved_entry` of grubenv put in.
    pub fn default_name(&self, saved: Option<&str>) -> String {
        if self.default.contains("saved_entry") {
            saved.unwrap_or("0").to_owned()
        } else {
            self.default.clone()
        }
    }

    /// The entry that a name selects: position, title or id, with `>` between submenu and entry. An unknown name selects
    /// the first entry, as in GRUB.
    pub fn select(&self, name: &str) -> Option<Entry> {
        self.walk(name)
            .or_else(|| self.first_entry(None))
            .map(|at| {
                let item = &self.items[at];
                Entry {
                    title: item.title.clone(),
                    ..item.entry.clone()
                }
            })
    }

    fn walk(&self, name: &str) -> Option<usize> {
        let mut at = None;
        for part in name.split('>') {
            at = Some(self.child(at, part.trim())?);
        }
        let at = at?;
        if self.items[at].is_submenu {
            self.first_entry(Some(at))
        } else {
            Some(at)
        }
    }

    fn child(&self, parent: Option<usize>, name: &str) -> Option<usize> {
        let mut children = (0..self.items.len()).filter(|&at| self.items[at].parent == parent);
        if let Ok(position) = name.parse::<usize>() {
            return children.nth(position);
        }
        children.find(|&at| self.items[at].id == name || self.items[at].title == name)
    }

    fn first_entry(&self, parent: Option<usize>) -> Option<usize> {
        (0..self.items.len())
            .find(|&at| self.items[at].parent == parent && !self.items[at].is_submenu)
    }
}

impl Item {
    fn load(&mut self, command: &str, rest: &[String]) {
        let path = |word: &String| {
            let path = word.strip_prefix('(').map_or(word.as_str(), |inside| {
                inside
                    .split_once(')')
                    .map_or(word.as_str(), |(_, path)| path)
            });
            path.as_bytes().to_vec()
        };
        match (command, rest) {
            ("linux" | "linux16" | "linuxefi", [kernel, options @ ..]) => {
                self.entry.kernel = path(kernel);
                self.entry.command_line = options.join(" ");
            }
            ("initrd" | "initrd16" | "initrdefi", [.., last]) => self.entry.initramfs = path(last),
            _ => {}
        }
    }
}

fn item(words: &[String], parent: Option<usize>) -> Item {
    let after = |names: [&str; 2]| {
        let at = words
            .iter()
            .position(|word| names.contains(&word.as_str()))?;
        words.get(at + 1).cloned()
    };
    Item {
        parent,
        title: words.get(1).cloned().unwrap_or_default(),
        id: after(["$menuentry_id_option", "--id"]).unwrap_or_default(),
        is_submenu: words[0] == "submenu",
        entry: Entry::default(),
    }
}

/// Splits a line into words as a shell would: quotes group, a backslash escapes, `#` starts a comment.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, c) if c.is_whitespace() || c == ';' => words.extend(word.take()),
            (None, '#') if word.is_none() => break,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// `saved_entry=` of a grubenv block, with its 1-based line.
pub fn saved_entry(bytes: &[u8]) -> Option<(u32, String)> {
    super::numbered(bytes)
        .find_map(|(number, line)| Some((number, line.strip_prefix(b"saved_entry=")?)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(number, value)| (number, String::from_utf8_lossy(value).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REAL: &[u8] = include_bytes!("testdata/grub.cfg");

    #[test]
    fn a_real_menu_boots_its_first_entry() {
        let menu = parse(REAL);
        assert_eq!(menu.items.len(), 4);
        let entry = menu.select(&menu.default_name(None)).expect("an entry");
        assert_eq!(entry.title, "Debian GNU/Linux");
        assert_eq!(entry.kernel, b"/boot/vmlinuz-6.1.0-56-cloud-amd64");
        assert_eq!(entry.initramfs, b"/boot/initrd.img-6.1.0-56-cloud-amd64");
        assert!(entry.command_line.starts_with("root=UUID="));
    }

    #[test]
    fn entries_are_selected_by_position_title_and_id() {
        let text = b"set default=\"${saved_entry}\"\nmenuentry 'A' --id a {\n linux /a x=1\n}\n\
            submenu 'More' $menuentry_id_option 'more' {\nmenuentry \"B c\" {\nlinux (hd0,1)/b\ninitrd /u /i\n}\n}\n";
        let menu = parse(text);
        let kernel = |name: &str| menu.select(name).map(|entry| entry.kernel);
        for (name, expected) in [
            ("0", "/a"),
            ("1>0", "/b"),
            ("more>B c", "/b"),
            ("a", "/a"),
            ("gone", "/a"),
            ("1", "/b"),
        ] {
            assert_eq!(kernel(name), Some(expected.as_bytes().to_vec()), "{name}");
        }
        assert_eq!(menu.default_name(Some("more>0")), "more>0");
        assert_eq!(
            saved_entry(b"# GRUB\nsaved_entry=a\n####"),
            Some((2, "a".into()))
        );
    }

    proptest! {
        #[test]
        fn a_damaged_menu_is_read_without_a_panic(edits in proptest::collection::vec((0..REAL.len(), any::<u8>()), 0..8), name in "[0-9>a ]{0,6}") {
            let mut bytes = REAL.to_vec();
            for (at, byte) in edits {
                bytes[at] = byte;
            }
            let _ = parse(&bytes).select(&name);
        }
    }
}
