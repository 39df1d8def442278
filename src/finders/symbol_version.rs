//! A library that is found but lacks a version of its symbols that is asked of it: the loader would refuse the program.
//!
//! Nothing is needed that the `library` finder does not know already; what is missing is told.

use super::Scan;
use super::library::Loader;
use crate::job::Cancelled;
use crate::model::Evidence;

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let mut loader = Loader::new(scan.facts, scan.source);
    for (&file, elf) in scan.facts.elves {
        scan.check()?;
        let because = scan.because(file, Evidence::Read);
        for (library, version) in &elf.versions_needed {
            let Some(provider) = loader.provider(file, elf, library) else {
                continue;
            };
            // A library without versions answers for all of them, with a warning at most.
            let defined = &scan.facts.elves[&provider].versions_defined;
            if !defined.is_empty() && !defined.contains(version) {
                scan.found.miss(
                    because,
                    &[library.as_slice(), b" (", version, b")"].concat(),
                );
            }
        }
    }
    Ok(())
}
