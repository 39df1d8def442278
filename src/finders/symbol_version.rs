//! A library that is found but lacks a version of its symbols that is asked of it: the loader would refuse the program.
//!
//! Nothing is needed that the `library` finder does not know already; what is missing is told.

use super::library::Loader;
use super::{Because, Facts, Found, Source};
use crate::job::{Cancelled, Job};
use crate::model::{Evidence, Node};

/// The finder's row function.
pub fn find(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let mut loader = Loader::new(facts, source);
    for (&file, elf) in facts.elves {
        job.check()?;
        let because = Because {
            finder,
            from: Node::File(file),
            evidence: Evidence::Read,
        };
        for (library, version) in &elf.versions_needed {
            let Some(provider) = loader.provider(file, elf, library) else {
                continue;
            };
            // A library without versions answers for all of them, with a warning at most.
            let defined = &facts.elves[&provider].versions_defined;
            if !defined.is_empty() && !defined.contains(version) {
                found.miss(
                    because,
                    &[library.as_slice(), b" (", version, b")"].concat(),
                );
            }
        }
    }
    Ok(())
}
