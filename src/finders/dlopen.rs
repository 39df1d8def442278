//! Libraries that programs open by name while they run.
//!
//! Two sources: the note in which a file says so, and, in files that call `dlopen`, strings that look like the name of a
//! library and are found where the loader would look. The first says how much it matters; the second is a guess.

use super::Scan;
use super::elf::{self, Elf};
use super::library::Loader;
use crate::job::Cancelled;
use crate::model::Evidence;
use serde_json::Value;
use std::collections::BTreeSet;

/// Most bytes of constants that are read of one file.
const MAX_CONSTANTS: usize = 2 << 20;
/// Longest name of a library.
const MAX_NAME: usize = 128;

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let mut loader = Loader::new(scan);
    for (&file, elf) in scan.facts.elves {
        scan.check()?;
        for note in &elf.notes {
            for (evidence, names) in wishes(note) {
                let hit = names.iter().find(|name| loader.is_found(file, elf, name));
                match hit.or(names.first()) {
                    Some(name) if hit.is_some() || evidence == Evidence::Read => {
                        let because = scan.because(file, evidence);
                        loader.need(because, file, elf, name, scan.found);
                    }
                    _ => {}
                }
            }
        }
        if elf.opens_by_name {
            let because = scan.because(file, Evidence::Guessed);
            let mut fetch = |offset, len| scan.source.read(tree, file, offset, len);
            let constants = elf::section(&mut fetch, b".rodata", MAX_CONSTANTS);
            for name in library_names(&constants.unwrap_or_default()) {
                if is_new(elf, name) && loader.is_found(file, elf, name) {
                    loader.need(because, file, elf, name, scan.found);
                }
            }
        }
    }
    loader.warn_spent(scan);
    Ok(())
}

fn is_new(elf: &Elf, name: &[u8]) -> bool {
    elf.soname.as_deref() != Some(name) && elf.needed.iter().all(|needed| needed != name)
}

/// What a note asks for: how much, and names of which one will do.
fn wishes(note: &[u8]) -> Vec<(Evidence, Vec<Vec<u8>>)> {
    let Ok(Value::Array(features)) = serde_json::from_slice(note) else {
        return Vec::new();
    };
    features
        .iter()
        .map(|feature| {
            let evidence = match feature["priority"].as_str() {
                Some("required") => Evidence::Read,
                _ => Evidence::Wanted,
            };
            let names = feature["soname"].as_array().map_or(&[][..], Vec::as_slice);
            let names = names.iter().filter_map(Value::as_str);
            (
                evidence,
                names.map(|name| name.as_bytes().to_vec()).collect(),
            )
        })
        .collect()
}

/// Whole strings of the form `libX.so` or `libX.so.N`, each once.
fn library_names(constants: &[u8]) -> BTreeSet<&[u8]> {
    let is_name = |text: &&[u8]| {
        text.len() <= MAX_NAME
            && text.starts_with(b"lib")
            && text
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(byte))
            && text
                .windows(3)
                .rposition(|part| part == b".so")
                .is_some_and(|at| {
                    let rest = &text[at + 3..];
                    rest.is_empty() || rest[0] == b'.'
                })
    };
    constants.split(|&byte| byte == 0).filter(is_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_libraries_are_whole_strings() {
        let names = library_names(
            b"x libm.so\0libz.so.1\0libz.so.1\0liba.sox\0lib%s.so\0libq.so\0/x/libb.so\0",
        );
        assert_eq!(names, BTreeSet::from([&b"libq.so"[..], b"libz.so.1"]));
    }

    #[test]
    fn a_note_says_how_much_a_library_matters() {
        let note = br#"[{"soname": ["liba.so.2", "liba.so.1"], "priority": "required"}, {"soname": ["libb.so"]}, 7]"#;
        let found = wishes(note);
        assert_eq!(
            found[0],
            (
                Evidence::Read,
                vec![b"liba.so.2".to_vec(), b"liba.so.1".to_vec()]
            )
        );
        assert_eq!(found[1], (Evidence::Wanted, vec![b"libb.so".to_vec()]));
        assert_eq!(found[2].1, Vec::<Vec<u8>>::new());
        assert_eq!(wishes(b"{"), []);
    }
}
