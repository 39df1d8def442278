//! Tcl's packages: a file `pkgIndex.tcl` says which packages lie beside it and which files each of them loads. Scripts and
//! libraries ask for packages by `package require NAME`.

use super::{Head, Scan};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileTree};
use std::collections::BTreeMap;

/// Longest script or index.
const MAX_SCRIPT: usize = 256 << 10;
/// Most indexes that have one package.
const MAX_INDEXES: usize = 16;
/// Most scripts.
const MAX_SCRIPTS: usize = 5000;
/// Interpreters of Tcl, as first lines name them.
const SHELLS: [&[u8]; 3] = [b"tclsh", b"wish", b"expect"];

/// The row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let mut packages: BTreeMap<Vec<u8>, Vec<FileId>> = BTreeMap::new();
    for index in scan.regular(|tree, file| tree.name(file) == b"pkgIndex.tcl") {
        let because = scan.because(index, Evidence::Read);
        let text = scan.read(index, MAX_SCRIPT)?;
        for name in named(&text, b"ifneeded") {
            let indexes = packages.entry(name.to_vec()).or_default();
            if indexes.len() < MAX_INDEXES {
                indexes.push(index);
            }
        }
        for file in members(tree, tree.parent(index), &text) {
            if file != index {
                scan.found.need(because, file, tree.name(file));
            }
        }
    }
    if packages.is_empty() {
        return Ok(());
    }
    let heads = scan.facts.heads;
    let scripts = scan.regular(|tree, file| {
        let is_started = matches!(&heads[file.index()], Head::Script(line)
            if SHELLS.iter().any(|shell| line.windows(shell.len()).any(|window| window == *shell)));
        is_started || tree.name(file).ends_with(b".tcl")
    });
    for file in scan.first(MAX_SCRIPTS, scripts, "Tcl scripts") {
        let because = scan.because(file, Evidence::Read);
        let text = scan.read(file, MAX_SCRIPT)?;
        for name in named(&text, b"require") {
            for &index in packages.get(name).into_iter().flatten() {
                if index != file {
                    scan.found.need(because, index, name);
                }
            }
        }
    }
    Ok(())
}

/// The words of a script: what stands between blanks, brackets, braces, quotes and semicolons.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || b"[]{}\";".contains(byte);
    line.split(is_between).filter(|word| !word.is_empty())
}

/// The names behind `package require` or `package ifneeded`, `-exact` passed over; lines that are comments say nothing.
fn named<'a>(text: &'a [u8], verb: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|line| line.first() != Some(&b'#'))
        .flat_map(move |line| {
            let words: Vec<&[u8]> = words(line).filter(|word| *word != b"-exact").collect();
            let calls = words.windows(3);
            let names: Vec<&[u8]> = calls
                .filter(|call| call[0] == b"package" && call[1] == verb)
                .map(|call| call[2])
                .filter(|name| !name.contains(&b'$'))
                .collect();
            names
        })
}

/// The files that an index names behind `$dir`: `[file join $dir a b.tcl]`, `$dir/b.tcl`.
fn members(tree: &FileTree, folder: FileId, text: &[u8]) -> Vec<FileId> {
    let mut found = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let words: Vec<&[u8]> = words(line).collect();
        for (at, word) in words.iter().enumerate() {
            let Some(rest) = word.strip_prefix(b"$dir") else {
                continue;
            };
            let mut here = tree.resolve_from(folder, rest.strip_prefix(b"/").unwrap_or(b"."), true);
            // The words that `file join` puts together, as far as they lead anywhere.
            for next in &words[at + 1..] {
                let Some(end) = here.as_ref().filter(|end| tree.is_directory(end.file)) else {
                    break;
                };
                here = tree.resolve_from(end.file, next, true);
            }
            found.extend(
                here.map(|end| end.file)
                    .filter(|&file| !tree.is_directory(file)),
            );
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;

    #[test]
    fn scripts_need_indexes_and_indexes_the_files_that_they_name() {
        let lib = "/usr/share/tcltk/lib1";
        let (index, top) = (
            format!("{lib}/json/pkgIndex.tcl"),
            format!("{lib}/pkgIndex.tcl"),
        );
        let needs = Fixture::new(&[
            (&top, "set d $dir\nif {1} { source [file join $dir json pkgIndex.tcl] }\n"),
            (
                &index,
                "# package ifneeded no 1\npackage ifneeded json 1.3.4 [list source [file join $dir json.tcl]]\n\
                 package ifneeded fast 1 [list load $dir/../libfast.so]; package ifneeded x 1 {source $dir/gone.tcl}\n",
            ),
            (&format!("{lib}/json/json.tcl"), "package require -exact fast\n"),
            (&format!("{lib}/json/other.tcl"), ""),
            (&format!("{lib}/libfast.so"), ""),
            ("/home/me/run", "#!/usr/bin/env tclsh8.6\n package require json 1.0; package require $x\n"),
            ("/home/me/no", "#!/bin/sh\npackage require json\n"),
        ])
        .run("tcl-package");
        assert_eq!(
            needs,
            [
                format!("/home/me/run -> {index}"),
                format!("{lib}/json/json.tcl -> {index}"),
                format!("{index} -> {lib}/json/json.tcl"),
                format!("{index} -> {lib}/libfast.so"),
                format!("{top} -> {index}"),
            ]
        );
    }
}
