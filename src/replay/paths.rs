//! Paths that one run would write and that are also something else: refused before any work, in both faces.

use crate::export::{BESIDE, beside, is_one_file};
use crate::fault::Refusal;
use std::iter;
use std::path::{Path, PathBuf};

const OTHER: &str = "choose another name for the output";
const NEVER: &str = "the source is never written; choose another name";

/// All paths of one run.
#[derive(Debug, Clone, Copy)]
pub struct Paths<'a> {
    /// The source image.
    pub image: &'a Path,
    /// The profile, where it came from a file.
    pub profile: Option<&'a Path>,
    /// The previous release, which is only read.
    pub previous: Option<&'a Path>,
    /// The output.
    pub output: &'a Path,
    /// Where a healed profile goes, where one may be written.
    pub healed: Option<&'a Path>,
}

impl Paths<'_> {
    /// Refuses an output, or a file beside it, that is the profile or where the healed profile goes, and a healed profile that
    /// would replace the source or the previous release. What the output must not be otherwise, the export refuses.
    pub fn check(&self) -> Result<(), Refusal> {
        let files: Vec<PathBuf> = iter::once(self.output.to_owned())
            .chain(BESIDE.iter().map(|file| beside(self.output, file.ending)))
            .collect();
        let meets = |path: &Path| files.iter().any(|file| is_one_file(file, path));
        if let Some(profile) = self.profile.filter(|profile| meets(profile)) {
            let is = "is the profile, and would be replaced by the output or a report beside it";
            return Err(refusal(profile, is, OTHER));
        }
        let Some(copy) = self.healed else {
            return Ok(());
        };
        if is_one_file(copy, self.image) {
            let is = "is the source image itself, and the healed profile would be written there";
            let hint = "the source is never written; rename the profile";
            return Err(refusal(copy, is, hint));
        }
        if self
            .previous
            .is_some_and(|previous| is_one_file(copy, previous))
        {
            let is = "is the previous release, and the healed profile would be written there";
            return Err(refusal(copy, is, "rename the profile"));
        }
        if meets(copy) {
            let is = "would be both the healed profile and the output or a report beside it";
            return Err(refusal(copy, is, OTHER));
        }
        Ok(())
    }
}

/// Refuses to write a profile over the source.
pub fn check_profile_path(path: &Path, image: &Path) -> Result<(), Refusal> {
    if is_one_file(path, image) {
        return Err(refusal(path, "is the source image itself", NEVER));
    }
    Ok(())
}

fn refusal(path: &Path, is: &str, hint: &str) -> Refusal {
    Refusal::new(format!("{} {is}", path.display()), hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_would_be_written_over_something_else_is_refused_with_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["source.raw", "p.ron", "old.qcow2"] {
            fs::write(at(name), "x").expect("there is room");
        }
        fs::hard_link(at("source.raw"), at("twin.ron")).expect("a link");
        let said = |profile: &str, output: &str, healed: Option<&str>| {
            let (image, profile) = (at("source.raw"), at(profile));
            let (output, healed, previous) = (at(output), healed.map(at), at("old.qcow2"));
            let paths = Paths {
                image: &image,
                profile: Some(&profile),
                previous: Some(&previous),
                output: &output,
                healed: healed.as_deref(),
            };
            paths.check().map_err(|refusal| refusal.message)
        };
        assert_eq!(said("p.ron", "out.qcow2", Some("p.healed.ron")), Ok(()));
        for (profile, output, healed, part) in [
            ("p.ron", "p.ron", None, "p.ron is the profile"),
            (
                "out.report.txt",
                "out",
                None,
                "out.report.txt is the profile",
            ),
            ("p.ron", "out", Some("twin.ron"), "twin.ron is the source"),
            (
                "p.ron",
                "out",
                Some("old.qcow2"),
                "old.qcow2 is the previous",
            ),
            (
                "p.ron",
                "out",
                Some("out.cdx.json"),
                "out.cdx.json would be both",
            ),
        ] {
            let refused = said(profile, output, healed).expect_err(part);
            assert!(refused.contains(part), "{refused}");
        }
        assert!(check_profile_path(&at("twin.ron"), &at("source.raw")).is_err());
        assert!(check_profile_path(&at("new.ron"), &at("source.raw")).is_ok());
    }
}
