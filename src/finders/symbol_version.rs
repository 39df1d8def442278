//! A library that is found but lacks a version of its symbols that is asked of it: the loader would refuse the program.
//!
//! Nothing is needed that the `library` finder does not know already; what is missing is told.

use super::Scan;
use super::library::Loader;
use crate::job::Cancelled;
use crate::model::{Evidence, FileId};
use std::collections::{HashMap, HashSet};

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let elves = scan.facts.elves;
    let mut loader = Loader::new(scan);
    let mut defined: HashMap<FileId, HashSet<&[u8]>> = HashMap::new();
    for (&file, elf) in elves {
        scan.check()?;
        let because = scan.because(file, Evidence::Read);
        for (library, version) in &elf.versions_needed {
            let Some(provider) = loader.provider(file, elf, library) else {
                continue;
            };
            // A library without versions answers for all of them, with a warning at most.
            let defined = defined.entry(provider).or_insert_with(|| {
                let versions = elves[&provider].versions_defined.iter();
                versions.map(Vec::as_slice).collect()
            });
            if !defined.is_empty() && !defined.contains(version.as_slice()) {
                scan.found.miss(
                    because,
                    &[library.as_slice(), b" (", version, b")"].concat(),
                );
            }
        }
    }
    loader.warn_spent(scan);
    Ok(())
}
