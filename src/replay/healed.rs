//! Heals an output: what brings back what it lost goes into a copy of the profile, then the image is exported and verified again.

use super::{Exported, Opened, Planned, Proven, Proving, ReplayError};
use crate::cure::{Cure, Remedy};
use crate::fault::Refusal;
use crate::job::Job;
use crate::model::Bytes;
use crate::model::text::escape;
use crate::profile::Profile;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// More rounds than this hardly ever help: each one knows all that the lost part touches.
const ROUNDS: usize = 3;

/// Where the healed profile goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healing {
    /// The copy of the profile, which itself is never written.
    pub copy: PathBuf,
    /// Whether a copy that is there may be replaced.
    pub may_replace: bool,
}

/// What healing changed.
#[derive(Debug, Default, Serialize)]
pub struct Healed {
    /// The copy of the profile; null when nothing was to be healed.
    profile: Option<String>,
    rounds: Vec<Round>,
    /// Whether all rungs hold at the end.
    holds: bool,
}

/// One cure, one export, one verification.
#[derive(Debug, Serialize)]
struct Round {
    #[serde(flatten)]
    remedy: Remedy,
    /// What it adds to the projection.
    adds: u64,
    /// The output's file before and after.
    before: u64,
    after: u64,
    /// How much was lost before and after: checks, units, the boot.
    lost_before: usize,
    lost_after: usize,
}

impl Healing {
    /// Beside this profile.
    pub fn beside(profile: &Path, may_replace: bool) -> Self {
        Self {
            copy: profile.with_extension("healed.ron"),
            may_replace,
        }
    }

    /// Refuses to replace a healed copy that is there.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.exists() && !self.may_replace {
            return Err(Refusal::new(
                format!("{} exists already", self.copy.display()),
                "--heal writes the healed profile there: move it away, or replace it with --force",
            ));
        }
        Ok(())
    }

    /// The profile of this output with what the cure adds.
    fn profile(&self, cure: &Cure, exported: &Exported) -> Profile {
        let mut profile = cure.applied_to(exported.planned.profile());
        if profile.name.is_empty() {
            let stem = self.copy.file_stem().unwrap_or_default();
            profile.name = stem.to_string_lossy().into_owned();
        }
        profile
    }

    /// Whether there is such a file already.
    pub fn exists(&self) -> bool {
        self.copy.symlink_metadata().is_ok()
    }
}

/// Heals until nothing is lost or nothing more is found. `exported` is the output that was written last, also where this fails;
/// what is known of it at the end is returned, and what was changed.
pub fn heal(
    exported: &mut Exported,
    mut proven: Proven,
    opened: &mut Opened,
    healing: &Healing,
    proving: &Proving,
    job: &Job,
) -> Result<(Proven, Healed), ReplayError> {
    let mut rounds: Vec<Round> = Vec::new();
    while rounds.len() < ROUNDS
        && let Some(cure) = proven.cure()
    {
        let profile = healing.profile(cure, exported);
        let may_replace = healing.may_replace || !rounds.is_empty();
        profile
            .write(&healing.copy, may_replace)
            .map_err(|source| ReplayError::Profile {
                path: healing.copy.clone(),
                source,
            })?;
        let (remedy, adds) = (cure.remedy(), cure.adds);
        let (before, lost_before) = (exported.size(), proven.lost());
        let mut options = exported.options.clone();
        // The output is our own from the round before.
        options.force = true;
        *exported = Planned::new(opened, profile).export(opened, options, job)?;
        proven = exported.prove(opened, proving, job)?;
        rounds.push(Round {
            remedy,
            adds,
            before,
            after: exported.size(),
            lost_before,
            lost_after: proven.lost(),
        });
    }
    let name = || escape(healing.copy.as_os_str().as_encoded_bytes()).into_owned();
    let healed = Healed {
        profile: (!rounds.is_empty()).then(name),
        rounds,
        holds: proven.holds(),
    };
    Ok((proven, healed))
}

impl Healed {
    /// What was added to the profile, round by round.
    pub fn remedies(&self) -> impl Iterator<Item = &Remedy> {
        self.rounds.iter().map(|round| &round.remedy)
    }

    /// For people: whole lines.
    pub fn text(&self) -> String {
        let Some(profile) = &self.profile else {
            return if self.holds {
                "Healed nothing: nothing was lost.\n\n".to_owned()
            } else {
                "Healed nothing: nothing is known that would bring back what fails.\n\n".to_owned()
            };
        };
        let mut text = String::from("Healed\n");
        for (number, round) in (1..).zip(&self.rounds) {
            let (before, after) = (Bytes(round.before), Bytes(round.after));
            let failures = format!("from {} to {}", round.lost_before, round.lost_after);
            let _ = writeln!(
                text,
                "  round {number}: the output goes from {before} to {after}, failures {failures}"
            );
            text.extend(round.remedy.lines().map(|line| format!("    + {line}\n")));
        }
        let end = if self.holds {
            "the output is made with it"
        } else {
            "the output is made with it, and still fails"
        };
        text + &format!("  {profile} has all of it; {end}\n\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healed(rounds: Vec<Round>, holds: bool) -> Healed {
        Healed {
            profile: (!rounds.is_empty()).then(|| "p.healed.ron".to_owned()),
            rounds,
            holds,
        }
    }

    fn round() -> Round {
        Round {
            remedy: Remedy {
                marks: Vec::new(),
                trace: vec!["/usr/bin/vim".to_owned(), "/bin/sh".to_owned()],
            },
            adds: 4096,
            before: 1_000_000,
            after: 2_000_000,
            lost_before: 2,
            lost_after: 0,
        }
    }

    #[test]
    fn it_says_what_was_added_and_whether_that_is_enough() {
        assert_eq!(
            healed(vec![round()], true).text(),
            "Healed\n  round 1: the output goes from 1 MB to 2 MB, failures from 2 to 0\n    \
             + 2 paths in the trace\n  p.healed.ron has all of it; the output is made with it\n\n"
        );
        let failing = healed(vec![round()], false).text();
        assert!(failing.ends_with("the output is made with it, and still fails\n\n"));
        assert!(healed(Vec::new(), true).text().contains("nothing was lost"));
        assert!(
            healed(Vec::new(), false)
                .text()
                .contains("nothing is known")
        );
    }

    #[test]
    fn programs_get_the_remedy_of_each_round() {
        let json = serde_json::to_value(healed(vec![round()], true)).expect("plain data");
        assert_eq!(json["profile"], "p.healed.ron");
        assert_eq!(json["rounds"][0]["trace"][1], "/bin/sh");
        assert_eq!(json["rounds"][0]["lost_before"], 2);
    }

    #[test]
    fn a_copy_that_is_there_is_replaced_only_where_that_is_wished() {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = folder.path().join("p.ron");
        let mut healing = Healing::beside(&profile, false);
        assert!(healing.check().is_ok() && !healing.exists());
        std::fs::write(folder.path().join("p.healed.ron"), "x").expect("there is room");
        assert!(healing.check().expect_err("there").hint.contains("--force"));
        healing.may_replace = true;
        assert!(healing.check().is_ok());
    }
}
