//! Kernel modules need the modules that they use, and want their soft dependencies and their firmware.
//!
//! `modules.dep` is depmod's own list of the modules that each module uses. Soft dependencies are in `modules.softdep` and in
//! modprobe.d(5), modules to load at boot in modules-load.d(5). The modules themselves name their firmware.

mod firmware;

use super::{Scan, files_at};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileKind, FileTree};
use crate::plan::hardware::{module_name, module_trees};
use std::collections::HashMap;

/// Longest list of dependencies that is read: some 20,000 modules.
const MAX_LIST: usize = 4 << 20;
/// Most words of one line, and tags of one module, that are looked at.
const MAX_WORDS: usize = 256;
/// Most modules that one name or alias stands for.
const MAX_NAMESAKES: usize = 4;

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
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    for top in module_trees(tree) {
        let mut names = names(tree, top);
        if let Some(list) = tree.child(top, b"modules.alias") {
            add_aliases(&mut names, &scan.read(list, MAX_LIST)?);
        }
        if let Some(list) = tree.child(top, b"modules.dep") {
            let list = scan.read(list, MAX_LIST)?;
            uses(scan, top, &list);
        }
        for file in tree
            .child(top, b"modules.softdep")
            .into_iter()
            .chain(files_at(tree, &MODPROBE))
        {
            let text = scan.text(file)?;
            soft(scan, &names, &text);
        }
        for file in files_at(tree, &LOADED) {
            let text = scan.text(file)?;
            loaded(scan, &names, file, &text);
        }
        let mut modules: Vec<FileId> = names.values().flatten().copied().collect();
        modules.sort_unstable();
        modules.dedup();
        firmware::find(scan, &modules)?;
    }
    Ok(())
}

/// Modules by their names, and by aliases that are no pattern of devices (`sha512` for `sha512_generic`).
type Names = HashMap<Vec<u8>, Vec<FileId>>;

/// Lines `module: modules that it uses`, paths below the kernel's folder or absolute.
fn uses(scan: &mut Scan<'_>, top: FileId, list: &[u8]) {
    let tree = scan.tree();
    let at = |path: &[u8]| {
        let end = tree.resolve_from(top, path, true)?;
        (tree.kind(end.file) == FileKind::Regular).then_some(end.file)
    };
    for line in list.split(|&byte| byte == b'\n') {
        let mut words = line
            .split(|&byte| byte == b' ' || byte == b':')
            .filter(|word| !word.is_empty());
        let Some(module) = words.next().and_then(at) else {
            continue;
        };
        let because = scan.because(module, Evidence::Read);
        for path in words {
            if let Some(used) = at(path) {
                scan.found.need(because, used, path);
            }
        }
    }
}

/// Lines `softdep module pre: modules post: modules`; depmod also writes them without the markers.
fn soft(scan: &mut Scan<'_>, names: &Names, text: &[u8]) {
    for line in text.split(|&byte| byte == b'\n') {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        if words.next() != Some(b"softdep") {
            continue;
        }
        let modules = words.next().and_then(|name| names.get(&module_name(name)));
        let wanted: Vec<&[u8]> = words.take(MAX_WORDS).collect();
        for &module in modules.into_iter().flatten() {
            for name in &wanted {
                want(scan, names, module, name);
            }
        }
    }
}

fn loaded(scan: &mut Scan<'_>, names: &Names, file: FileId, text: &[u8]) {
    for line in text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        let name = line.split(u8::is_ascii_whitespace).next();
        if let Some(name) = name.filter(|name| !name.is_empty() && name[0] != b'#') {
            want(scan, names, file, name);
        }
    }
}

fn want(scan: &mut Scan<'_>, names: &Names, from: FileId, name: &[u8]) {
    let because = scan.because(from, Evidence::Wanted);
    for &module in names.get(&module_name(name)).into_iter().flatten() {
        scan.found.need(because, module, name);
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
