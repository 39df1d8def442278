//! The ways in: console, accounts' shells, PAM stacks, name services.

use super::{Look, settings, words};
use crate::model::Node;
use std::collections::{BTreeSet, VecDeque};

/// Most stacks and modules of PAM, and most name services.
const MAX_NAMED: usize = 256;
/// Most architectures of one system.
const MAX_TRIPLETS: usize = 32;

/// Folders of PAM modules and of libraries, besides those of every architecture.
const LIB: [&[u8]; 4] = [b"/lib", b"/usr/lib", b"/lib64", b"/usr/lib64"];

/// The modules of a PAM service, those of the stacks that it includes too, each stack once.
pub fn pam(guest: &mut Look<'_>, services: &[&str]) -> Vec<Node> {
    let mut todo: VecDeque<Vec<u8>> = services
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut modules: BTreeSet<Vec<u8>> = BTreeSet::new();
    while let Some(service) = todo.pop_front() {
        if seen.len() > MAX_NAMED || !seen.insert(service.clone()) {
            continue;
        }
        let folders: [&[u8]; 2] = [b"/etc/pam.d/", b"/usr/lib/pam.d/"];
        let bytes = folders
            .iter()
            .find_map(|folder| guest.text(&[folder, service.as_slice()].concat()))
            .unwrap_or_default();
        for line in settings(&bytes) {
            let words = words(line);
            match words[..] {
                [b"@include", name, ..] | [_, b"include" | b"substack", name, ..] => {
                    todo.push_back(name.to_vec());
                }
                _ if modules.len() > MAX_NAMED => {}
                _ => modules.extend(module(&words).map(<[u8]>::to_vec)),
            }
        }
    }
    let folders = lib_folders(guest);
    modules
        .iter()
        .flat_map(|module| module_files(guest, &folders, module))
        .collect()
}

/// The module of a line `type control module ...`, where control may be `[a=b c=d]`.
fn module<'a>(words: &[&'a [u8]]) -> Option<&'a [u8]> {
    words
        .iter()
        .skip(2)
        .find(|word| word.ends_with(b".so"))
        .copied()
}

fn module_files(guest: &Look<'_>, folders: &[Vec<u8>], module: &[u8]) -> Vec<Node> {
    let paths = if module.first() == Some(&b'/') {
        vec![module.to_vec()]
    } else {
        folders
            .iter()
            .map(|folder| [folder, &b"/security/"[..], module].concat())
            .collect()
    };
    files(guest, &paths)
}

/// The libraries of the name services that `/etc/nsswitch.conf` names.
pub fn name_services(guest: &mut Look<'_>) -> Vec<Node> {
    let bytes = guest.text(b"/etc/nsswitch.conf").unwrap_or_default();
    let mut services: BTreeSet<&[u8]> = BTreeSet::from([&b"files"[..], b"dns", b"compat"]);
    for line in settings(&bytes) {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            continue;
        };
        let named = words(&line[colon + 1..]);
        services.extend(named.into_iter().filter(|word| word[0] != b'['));
    }
    let folders = lib_folders(guest);
    let paths: Vec<Vec<u8>> = services
        .iter()
        .take(MAX_NAMED)
        .flat_map(|service| {
            folders
                .iter()
                .map(|folder| [folder, &b"/libnss_"[..], service, b".so.2"].concat())
        })
        .collect();
    files(guest, &paths)
}

/// The accounts of a passwd(5) table: whether it is root's or a person's, and the shell.
pub fn accounts(table: &[u8]) -> impl Iterator<Item = (bool, &[u8])> {
    settings(table).filter_map(|line| {
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b':').collect();
        let [_, _, uid, _, _, _, shell] = fields[..] else {
            return None;
        };
        let uid = std::str::from_utf8(uid)
            .ok()
            .and_then(|uid| uid.parse().ok());
        let is_person = uid.is_some_and(|uid: u32| uid == 0 || (1000..65_534).contains(&uid));
        Some((is_person, shell))
    })
}

/// Login shells of root and of people.
pub fn shells(guest: &mut Look<'_>) -> Vec<Node> {
    let bytes = guest.text(b"/etc/passwd").unwrap_or_default();
    let shells: BTreeSet<&[u8]> = accounts(&bytes)
        .filter(|&(is_person, shell)| is_person && shell.first() == Some(&b'/'))
        .map(|(_, shell)| shell)
        .collect();
    shells
        .into_iter()
        .flat_map(|shell| guest.program(shell))
        .collect()
}

/// `/lib` and its folders of architectures.
fn lib_folders(guest: &Look<'_>) -> Vec<Vec<u8>> {
    let mut folders: Vec<Vec<u8>> = LIB.iter().map(|folder| folder.to_vec()).collect();
    for lib in &LIB[..2] {
        let triplets = guest
            .names(lib)
            .into_iter()
            .filter(|name| name.windows(7).any(|window| window == b"-linux-"));
        folders.extend(
            triplets
                .take(MAX_TRIPLETS)
                .map(|name| [lib, &b"/"[..], name].concat()),
        );
    }
    folders
}

/// The files at these paths with the links on the way, each once.
fn files(guest: &Look<'_>, paths: &[Vec<u8>]) -> Vec<Node> {
    let found: BTreeSet<Node> = paths
        .iter()
        .filter_map(|path| guest.resolve(path))
        .flat_map(|end| end.links.into_iter().chain([end.file]))
        .map(Node::File)
        .collect();
    found.into_iter().collect()
}
