//! Shell scripts name the programs that they call.
//!
//! A word that stands where a command stands and is a program of the guest is a guess: the script may never get there. It
//! counts as a convention where the script's own package has the program or depends on its package, for then the
//! dependency is there because of such a call. Examples are not looked at, and maintainer scripts only for themselves: what
//! they call is asked for when packages change, not when the guest runs.

mod lexer;
pub(super) mod maintainer;
pub(super) mod tables;

use super::{Head, Scan, depends, programs, shebang};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileKind, FileTree, Inventory, PackageId};
use crate::pkgdb;
use std::collections::HashSet;

/// Interpreters whose scripts are read.
const SHELLS: [&[u8]; 8] = [
    b"sh", b"bash", b"dash", b"ash", b"ksh", b"mksh", b"zsh", b"rbash",
];

/// Folders of scripts that have no first line or may not be executed: shells and the initramfs tools read them.
const SOURCED: [&[u8]; 5] = [
    b"/etc/profile.d",
    b"/etc/init.d",
    b"/etc/rc.local",
    b"/usr/share/initramfs-tools",
    b"/etc/initramfs-tools",
];

/// Files of that kind.
const SOURCED_FILES: [&[u8]; 5] = [
    b"/etc/profile",
    b"/etc/bash.bashrc",
    b"/etc/zsh/zshrc",
    b"/root/.profile",
    b"/root/.bashrc",
];

/// Folders whose scripts are only examples; the package manager's own scripts run only when packages change.
const IDLE: [&[u8]; 1] = [b"/usr/share/doc"];

/// Longest script that is read.
const MAX_SCRIPT: usize = 256 << 10;

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let calls = Calls::new(scan.facts.inventory);
    let scripts = scripts(scan);
    for (done, &file) in scripts.iter().enumerate() {
        scan.report("reading shell scripts", done, scripts.len());
        let text = scan.read(file, MAX_SCRIPT)?;
        calls.add(scan, file, &text);
    }
    Ok(())
}

fn scripts(scan: &Scan<'_>) -> Vec<FileId> {
    let (tree, heads) = (scan.tree(), scan.facts.heads);
    let folders = |paths: &[&[u8]]| -> Vec<FileId> {
        let ends = paths.iter().filter_map(|path| tree.resolve(path));
        ends.map(|end| end.file).collect()
    };
    let (sourced, files, mut idle) = (folders(&SOURCED), folders(&SOURCED_FILES), folders(&IDLE));
    idle.extend(folders(pkgdb::of(scan.facts.inventory).record_folders()));
    let lies_in = |file, folders: &[FileId]| folders.iter().any(|&top| tree.is_within(file, top));
    scan.regular(|_, file| {
        let is_script = match &heads[file.index()] {
            Head::Script(line) => is_shell(line),
            Head::Elf => false,
            Head::Other => files.contains(&file) || lies_in(file, &sourced),
        };
        is_script && tree.is_first_name(file) && !lies_in(file, &idle)
    })
}

fn is_shell(line: &[u8]) -> bool {
    let program = shebang::words(line).last().copied().unwrap_or_default();
    is_shell_program(program)
}

/// Whether a program is a shell, by its name.
pub(super) fn is_shell_program(program: &[u8]) -> bool {
    let name = program.rsplit(|&byte| byte == b'/').next();
    name.is_some_and(|name| SHELLS.contains(&name))
}

/// Adds what texts in the shell's language call.
pub(super) struct Calls<'a> {
    inventory: &'a Inventory,
    declared: HashSet<(PackageId, PackageId)>,
}

impl<'a> Calls<'a> {
    /// Learns which package depends on which.
    pub fn new(inventory: &'a Inventory) -> Self {
        Self {
            inventory,
            declared: depends::declared(inventory),
        }
    }

    /// Adds the programs that a text of `file` calls.
    pub fn add(&self, scan: &mut Scan<'_>, file: FileId, text: &[u8]) {
        for word in lexer::commands(text) {
            if let Some(end) = program(&self.inventory.tree, &word)
                && end.file != file
            {
                let because = scan.because(file, self.evidence(file, end.file));
                scan.found.chain(because, &end, &word);
            }
        }
    }

    /// How well it is known that `from` calls `to`.
    fn evidence(&self, from: FileId, to: FileId) -> Evidence {
        let owner = |file| self.inventory.owner(file);
        match (owner(from), owner(to)) {
            (Some(from), Some(to)) if from == to || self.declared.contains(&(from, to)) => {
                Evidence::Convention
            }
            _ => Evidence::Guessed,
        }
    }
}

/// A regular file that the word leads to. Its mode is not asked: a sourced file has none.
fn program(tree: &FileTree, word: &[u8]) -> Option<crate::model::Resolved> {
    programs::find(tree, word).filter(|end| tree.kind(end.file) == FileKind::Regular)
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;
    use crate::model::Evidence;

    #[test]
    fn scripts_name_the_programs_that_they_call() {
        let mut guest = Fixture::new(&[
            ("/usr/bin/a", "#!/bin/sh -e\ngone | sed x; a\n"),
            ("/usr/bin/b", "#!/usr/bin/env bash\nvi\n"),
            ("/usr/bin/c", "#!/usr/bin/perl\nsed\n"),
            ("/usr/bin/sed", ""),
            ("/usr/bin/vi -> /etc/alternatives/vi", ""),
            ("/etc/alternatives/vi -> /usr/bin/sed", ""),
            ("/etc/profile", "sed"),
            ("/etc/init.d/x", "DAEMON=/usr/bin/c\n"),
            ("/usr/share/doc/x/example", "#!/bin/sh\nsed\n"),
            ("/var/lib/dpkg/info/x.postinst", "#!/bin/sh\nsed\n"),
        ]);
        assert_eq!(
            guest.run("shell"),
            [
                "/etc/init.d/x -> /usr/bin/c",
                "/etc/profile -> /usr/bin/sed",
                "/usr/bin/a -> /usr/bin/sed",
                "/usr/bin/b -> /etc/alternatives/vi",
                "/usr/bin/b -> /usr/bin/sed",
                "/usr/bin/b -> /usr/bin/vi",
            ]
        );
    }

    #[test]
    fn a_call_that_the_package_declares_is_more_than_a_guess() {
        let mut guest = Fixture::new(&[
            ("/usr/bin/a", "#!/bin/sh\nb; c; d\n"),
            ("/usr/bin/b", ""),
            ("/usr/bin/c", ""),
            ("/usr/bin/d", ""),
        ]);
        guest.own("p", &["q"], &["/usr/bin/a", "/usr/bin/b"]);
        guest.own("q", &[], &["/usr/bin/c"]);
        guest.own("r", &[], &["/usr/bin/d"]);
        let evidence: Vec<Evidence> = guest
            .find("shell")
            .needs
            .iter()
            .map(|need| need.evidence)
            .collect();
        assert_eq!(
            evidence,
            [
                Evidence::Convention,
                Evidence::Convention,
                Evidence::Guessed
            ]
        );
    }
}
