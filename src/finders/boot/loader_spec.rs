//! Entries in files of their own (the Boot Loader Specification, as Fedora's GRUB and systemd-boot read it) and
//! extlinux's menu.

use super::entry::Entry;
use super::{Look, numbered, settings, words};
use crate::finders::pattern::unusable;
use crate::model::glob::{Dialect, Glob};
use crate::pkgdb;

/// Folders with `loader/` in them.
const ROOTS: [&[u8]; 3] = [b"/boot", b"/efi", b"/boot/efi"];

/// Most entries in one folder.
const MAX_ENTRIES: usize = 256;
/// Longest value of a setting that is kept, a little more than a glob or a kernel's command line may have.
const MAX_VALUE: usize = 8192;

/// A name or glob of entries, and the line that says it.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// As written.
    pub name: String,
    /// The file.
    pub path: Vec<u8>,
    /// 1-based.
    pub line: u32,
}

impl Chosen {
    fn glob(&self, guest: &mut Look<'_>) -> Option<Glob> {
        let name = self.name.trim_end_matches(".conf");
        match Glob::new(name, Dialect::Name) {
            Ok(glob) => Some(glob),
            Err(error) => {
                guest.warn_at(&self.path, self.line, unusable(name.as_bytes(), &error));
                None
            }
        }
    }
}

struct EntryFile {
    id: String,
    version: String,
    entry: Entry,
}

/// The default entry: the one that `name` or loader.conf's pattern selects, else the one with the greatest version.
pub fn entry(guest: &mut Look<'_>, name: Option<&Chosen>) -> Option<Entry> {
    let mut files = Vec::new();
    let mut chosen = name.cloned();
    for root in ROOTS {
        let folder = [root, b"/loader/entries"].concat();
        for file in guest.names(&folder).into_iter().take(MAX_ENTRIES) {
            if let Some(id) = file.strip_suffix(b".conf")
                && let Some(bytes) = guest.text(&[&folder, &b"/"[..], file].concat())
            {
                files.push(read(&String::from_utf8_lossy(id), &bytes));
            }
        }
        let path = [root, b"/loader/loader.conf"].concat();
        if let Some(bytes) = guest.text(&path)
            && chosen.is_none()
        {
            let found = numbered_setting(&bytes, b"default");
            chosen = found.map(|(line, name)| Chosen { name, path, line });
        }
    }
    let format = pkgdb::of(guest.inventory);
    files.sort_by(|a, b| {
        format
            .compare(&b.version, &a.version)
            .then_with(|| b.id.cmp(&a.id))
    });
    let glob = chosen.and_then(|chosen| chosen.glob(guest));
    let chosen = files
        .iter()
        .position(|file| glob.as_ref().is_some_and(|glob| glob.is_match(&file.id)))
        .unwrap_or(0);
    files.into_iter().nth(chosen).map(|file| file.entry)
}

fn read(id: &str, bytes: &[u8]) -> EntryFile {
    let value = |key: &[u8]| setting(bytes, key).unwrap_or_default();
    EntryFile {
        id: id.to_owned(),
        version: value(b"version"),
        entry: Entry {
            title: value(b"title"),
            kernel: value(b"linux").into_bytes(),
            initramfs: value(b"initrd").into_bytes(),
            command_line: value(b"options"),
        },
    }
}

/// The value behind the first line that starts with this word.
fn setting(bytes: &[u8], key: &[u8]) -> Option<String> {
    numbered_setting(bytes, key).map(|(_, value)| value)
}

fn numbered_setting(bytes: &[u8], key: &[u8]) -> Option<(u32, String)> {
    numbered(bytes).find_map(|(number, line)| {
        let value = line
            .strip_prefix(key)?
            .strip_prefix(b" ")
            .or_else(|| line.strip_prefix(key)?.strip_prefix(b"\t"))?;
        let value = value.trim_ascii();
        let value = String::from_utf8_lossy(&value[..value.len().min(MAX_VALUE)]);
        Some((number, value.into_owned()))
    })
}

/// The default label of extlinux's or syslinux's menu.
pub fn extlinux(guest: &mut Look<'_>) -> Option<Entry> {
    let paths: [&[u8]; 4] = [
        b"/boot/extlinux/extlinux.conf",
        b"/extlinux.conf",
        b"/boot/syslinux/syslinux.cfg",
        b"/boot/extlinux.conf",
    ];
    let bytes = paths.into_iter().find_map(|path| guest.text(path))?;
    let (default, labels) = labels(&bytes);
    let chosen = labels
        .iter()
        .position(|(label, _)| Some(label) == default.as_ref())
        .unwrap_or(0);
    labels.into_iter().nth(chosen).map(|(_, entry)| entry)
}

fn labels(bytes: &[u8]) -> (Option<String>, Vec<(String, Entry)>) {
    let mut default = None;
    let mut labels: Vec<(String, Entry)> = Vec::new();
    for line in settings(bytes) {
        let words = words(line);
        let rest = String::from_utf8_lossy(&words[1..].join(&b' ')).into_owned();
        let key = words[0].to_ascii_lowercase();
        match (key.as_slice(), labels.last_mut()) {
            (b"default", _) => default = Some(rest),
            (b"label", _) => labels.push((
                rest.clone(),
                Entry {
                    title: rest,
                    ..Entry::default()
                },
            )),
            (b"kernel" | b"linux", Some((_, entry))) => entry.kernel = rest.into_bytes(),
            (b"initrd", Some((_, entry))) => entry.initramfs = rest.into_bytes(),
            (b"append", Some((_, entry))) => entry.command_line = rest,
            _ => {}
        }
    }
    (default, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extlinux_menu_is_read() {
        let text = b"DEFAULT l1\nLABEL l0\n KERNEL /a\nLABEL l1\n\tLINUX ../vmlinuz\n initrd /i\n APPEND root=/dev/vda1 ro\n";
        let (default, labels) = labels(text);
        assert_eq!(default.as_deref(), Some("l1"));
        assert_eq!(labels[1].1.kernel, b"../vmlinuz");
        assert_eq!(labels[1].1.command_line, "root=/dev/vda1 ro");
    }

    #[test]
    fn an_entry_file_is_read() {
        let file = read(
            "x",
            b"title\tFedora\nversion 6.1\nlinux /vmlinuz-6.1\noptions root=x ro\n",
        );
        assert_eq!(file.entry.title, "Fedora");
        assert_eq!(file.entry.kernel, b"/vmlinuz-6.1");
    }
}
