//! Paths that one run would write and that are also something else: refused before any work.

use super::args::ReplayArgs;
use super::failure::Refusal;
use crate::export::{BESIDE, beside, is_one_file};
use std::iter;
use std::path::{Path, PathBuf};

const OTHER: &str = "choose another name for the output";

/// Refuses an output, or a file beside it, that is the profile or where the healed profile goes, and a healed profile that
/// would replace the source. What the output must not be otherwise, the export refuses.
pub fn check(args: &ReplayArgs, output: &Path, copy: Option<&Path>) -> anyhow::Result<()> {
    let files: Vec<PathBuf> = iter::once(output.to_owned())
        .chain(BESIDE.iter().map(|file| beside(output, file.ending)))
        .collect();
    let meets = |path: &Path| files.iter().any(|file| is_one_file(file, path));
    let refuse = |path: &Path, is: &str, hint: &str| {
        Err(Refusal::error(format!("{} {is}", path.display()), hint))
    };
    if meets(&args.profile) {
        let is = "is the profile, and would be replaced by the output or a report beside it";
        return refuse(&args.profile, is, OTHER);
    }
    let Some(copy) = copy else {
        return Ok(());
    };
    if is_one_file(copy, &args.image) {
        let is = "is the source image itself, and --heal would write the healed profile there";
        return refuse(copy, is, "the source is never written; rename the profile");
    }
    if meets(copy) {
        let is = "would be both the healed profile and the output or a report beside it";
        return refuse(copy, is, OTHER);
    }
    Ok(())
}
