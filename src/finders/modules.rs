//! Kernel modules need the modules that they use, and want what they load first and their firmware.
//!
//! `modules.dep` is depmod's own list of what each module uses; soft dependencies stand in `modules.softdep` and in
//! modprobe.d(5), names to load at boot in modules-load.d(5). Firmware is named in the modules themselves, and only looked
//! for in guests that have any.

use super::{Because, Facts, Found, Source, elf, files_at, pattern, read_text};
use crate::job::{Cancelled, Job};
use crate::model::{Evidence, FileId, FileKind, FileTree, Node};
use crate::plan::hardware::{module_name, module_trees};
use std::collections::{BTreeSet, HashMap};

/// Longest list of dependencies that is read: some 20,000 modules.
const MAX_LIST: usize = 4 << 20;
/// Most words of one line, and tags of one module, that are looked at.
const MAX_WORDS: usize = 256;
/// Most modules that one name or alias stands for.
const MAX_NAMESAKES: usize = 4;
/// Longest `.modinfo` section that is read.
const MAX_INFO: usize = 64 << 10;

/// Folders with `softdep` lines.
const MODPROBE: [&[u8]; 3] = [
    b"/etc/modprobe.d",
    b"/usr/lib/modprobe.d",
    b"/lib/modprobe.d",
];
/// Files and folders with names of modules that are loaded at boot.
const LOADED: [&[u8]; 3] = [
    b"/etc/modules",
    b"/etc/modules-load.d",
    b"/usr/lib/modules-load.d",
];

/// The finder's row function.
pub fn find(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    for top in module_trees(tree) {
        job.check()?;
        let mut names = names(tree, top);
        if let Some(list) = tree.child(top, b"modules.alias") {
            add_aliases(&mut names, &source.read(tree, list, 0, MAX_LIST));
        }
        let mut kernel = Kernel {
            finder,
            tree,
            top,
            names: &names,
            found,
        };
        if let Some(list) = tree.child(top, b"modules.dep") {
            kernel.uses(&source.read(tree, list, 0, MAX_LIST));
        }
        for file in tree
            .child(top, b"modules.softdep")
            .into_iter()
            .chain(files_at(tree, &MODPROBE))
        {
            kernel.soft(&read_text(tree, source, file));
        }
        for file in files_at(tree, &LOADED) {
            kernel.loaded(file, &read_text(tree, source, file));
        }
        firmware(&mut kernel, source, job)?;
    }
    Ok(())
}

/// Modules by their names, and by aliases that are no pattern of devices (`sha512` for `sha512_generic`).
type Names = HashMap<Vec<u8>, Vec<FileId>>;

/// One kernel's modules.
struct Kernel<'a> {
    finder: u8,
    tree: &'a FileTree,
    top: FileId,
    names: &'a Names,
    found: &'a mut Found,
}

impl Kernel<'_> {
    fn because(&self, from: FileId, evidence: Evidence) -> Because {
        Because {
            finder: self.finder,
            from: Node::File(from),
            evidence,
        }
    }

    /// Lines `module: modules that it uses`, paths below the kernel's folder or absolute.
    fn uses(&mut self, list: &[u8]) {
        let at = |path: &[u8]| {
            let end = self.tree.resolve_from(self.top, path, true)?;
            (self.tree.kind(end.file) == FileKind::Regular).then_some(end.file)
        };
        let mut pairs = Vec::new();
        for line in list.split(|&byte| byte == b'\n') {
            let mut words = line
                .split(|&byte| byte == b' ' || byte == b':')
                .filter(|word| !word.is_empty());
            if let Some(module) = words.next().and_then(at) {
                pairs.extend(words.filter_map(|path| Some((module, at(path)?, path))));
            }
        }
        for (module, used, path) in pairs {
            let because = self.because(module, Evidence::Read);
            self.found.need(because, Node::File(used), path);
        }
    }

    /// Lines `softdep module pre: modules post: modules`; depmod also writes them without the markers.
    fn soft(&mut self, text: &[u8]) {
        for line in text.split(|&byte| byte == b'\n') {
            let mut words = line
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            if words.next() != Some(b"softdep") {
                continue;
            }
            let module = words
                .next()
                .and_then(|name| self.names.get(&module_name(name)));
            let names: Vec<&[u8]> = words.take(MAX_WORDS).collect();
            for &module in module.into_iter().flatten() {
                let because = self.because(module, Evidence::Wanted);
                for name in &names {
                    self.want(because, name);
                }
            }
        }
    }

    fn loaded(&mut self, file: FileId, text: &[u8]) {
        let because = self.because(file, Evidence::Wanted);
        for line in text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
            let name = line.split(u8::is_ascii_whitespace).next();
            if let Some(name) = name.filter(|name| !name.is_empty() && name[0] != b'#') {
                self.want(because, name);
            }
        }
    }

    fn want(&mut self, because: Because, name: &[u8]) {
        for &module in self.names.get(&module_name(name)).into_iter().flatten() {
            self.found.need(because, Node::File(module), name);
        }
    }
}

fn names(tree: &FileTree, top: FileId) -> Names {
    let mut names = Names::new();
    for file in tree.subtree(top).map(FileId) {
        let name = tree.name(file);
        if tree.kind(file) == FileKind::Regular && name.windows(3).any(|part| part == b".ko") {
            let namesakes = names.entry(module_name(name)).or_default();
            if namesakes.len() < MAX_NAMESAKES {
                namesakes.push(file);
            }
        }
    }
    names
}

/// Lines `alias NAME MODULE`, but for the patterns by which devices are recognised.
fn add_aliases(names: &mut Names, text: &[u8]) {
    let real = names.clone();
    for line in text.split(|&byte| byte == b'\n') {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        if let (Some(b"alias"), Some(alias), Some(module)) =
            (words.next(), words.next(), words.next())
            && !alias.iter().any(|byte| b"*?[:".contains(byte))
        {
            let modules = real.get(&module_name(module)).into_iter().flatten();
            let modules_of_alias = names.entry(module_name(alias)).or_default();
            let room = MAX_NAMESAKES.saturating_sub(modules_of_alias.len());
            modules_of_alias.extend(modules.take(room));
        }
    }
}

/// `firmware=` tags of modules that are not compressed, where the guest has firmware.
fn firmware(kernel: &mut Kernel<'_>, source: &mut dyn Source, job: &Job) -> Result<(), Cancelled> {
    let tree = kernel.tree;
    let Some(folder) = tree
        .resolve(b"/lib/firmware")
        .filter(|end| !tree.children(end.file).is_empty())
    else {
        return Ok(());
    };
    let mut modules: Vec<FileId> = kernel.names.values().flatten().copied().collect();
    modules.sort_unstable();
    modules.dedup();
    for module in modules {
        job.check()?;
        let mut fetch = |offset, len| source.read(tree, module, offset, len);
        let Some(info) = elf::section(&mut fetch, b".modinfo", MAX_INFO) else {
            continue;
        };
        let because = kernel.because(module, Evidence::Wanted);
        let tags = info
            .split(|&byte| byte == 0)
            .filter_map(|tag| tag.strip_prefix(b"firmware="));
        let names: BTreeSet<&[u8]> = tags.take(MAX_WORDS).collect();
        for name in names {
            for ending in [&b""[..], b".xz", b".zst"] {
                let path = [name, ending].concat();
                for end in pattern::expand_from(tree, folder.file, &path) {
                    if tree.kind(end.file) == FileKind::Regular && name.first() != Some(&b'/') {
                        kernel.found.chain(because, &end, name);
                    }
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;

    #[test]
    fn modules_need_what_they_use_and_want_what_they_load_first() {
        let mut guest = Fixture::new(&[
            (
                "/lib/modules/6.1/modules.dep",
                "kernel/a.ko: kernel/b-c.ko.xz kernel/gone.ko\nkernel/b-c.ko.xz:\n",
            ),
            (
                "/lib/modules/6.1/modules.softdep",
                "# x\nsoftdep a pre: d post: gone\nsoftdep d sum\n",
            ),
            (
                "/lib/modules/6.1/modules.alias",
                "alias sum b_c\nalias pci:v* a\n",
            ),
            ("/lib/modules/6.1/kernel/a.ko", ""),
            ("/lib/modules/6.1/kernel/b-c.ko.xz", ""),
            ("/lib/modules/6.1/kernel/d.ko", ""),
            (
                "/etc/modprobe.d/x.conf",
                "softdep b_c pre: d\nblacklist a\n",
            ),
            ("/etc/modules", "# x\nd option=1\n"),
        ]);
        let kernel = |need: String| need.replace("/lib/modules/6.1/kernel/", "K/");
        let needs: Vec<String> = guest.run("module").into_iter().map(kernel).collect();
        assert_eq!(
            needs,
            [
                "/etc/modules -> K/d.ko",
                "K/a.ko -> K/b-c.ko.xz",
                "K/a.ko -> K/d.ko",
                "K/b-c.ko.xz -> K/d.ko",
                "K/d.ko -> K/b-c.ko.xz",
            ]
        );
    }
}
