//! `replay --heal`: what brings back what an output lost, into a copy of the profile, then export and verify again.

use super::args::ReplayArgs;
use super::bench::{Bench, Replayed, Verified};
use super::failure::Refusal;
use crate::cure::{Cure, Remedy};
use crate::model::Bytes;
use crate::model::text::escape;
use crate::profile::Profile;
use crate::session::Session;
use anyhow::Context as _;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// More rounds than this hardly ever help: each one knows all that the lost part touches.
const ROUNDS: usize = 3;

/// What healing changed.
#[derive(Debug, Serialize)]
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

/// Where the healed copy goes: beside the profile, which itself is never written.
pub fn copy(args: &ReplayArgs) -> PathBuf {
    args.profile.with_extension("healed.ron")
}

/// Refuses to replace a healed copy that is there.
pub fn check(args: &ReplayArgs, copy: &Path) -> anyhow::Result<()> {
    if copy.symlink_metadata().is_ok() && !args.force {
        return Err(Refusal::error(
            format!("{} exists already", copy.display()),
            "--heal writes the healed profile there: move it away, or replace it with --force",
        ));
    }
    Ok(())
}

/// Heals until nothing is lost or nothing more is found.
pub fn heal(
    bench: &mut Bench<'_>,
    mut profile: Profile,
    session: &Session,
    mut replayed: Replayed,
    copy: &Path,
) -> anyhow::Result<Replayed> {
    let mut rounds = Vec::new();
    while rounds.len() < ROUNDS
        && let Some(cure) = replayed.cure().filter(|cure| !cure.remedy().is_empty())
    {
        profile = cure.applied_to(&profile);
        let may_replace = bench.options.force || !rounds.is_empty();
        profile
            .write(copy, may_replace)
            .with_context(|| format!("cannot write {}", copy.display()))?;
        // The output is our own from the round before.
        bench.options.force = true;
        let session = Session::new(Arc::clone(session.loaded()), profile.intent());
        let next = bench.replay(&session, &profile)?;
        rounds.push(Round::of(cure, &replayed, &next));
        replayed = next;
    }
    let holds =
        matches!(&replayed.verified, Verified::Report(proved) if !proved.report.is_failed());
    let name = || escape(copy.as_os_str().as_encoded_bytes()).into_owned();
    replayed.healed = Some(Healed {
        profile: (!rounds.is_empty()).then(name),
        rounds,
        holds,
    });
    Ok(replayed)
}

impl Round {
    fn of(cure: &Cure, before: &Replayed, after: &Replayed) -> Self {
        let lost = |replayed: &Replayed| match &replayed.verified {
            Verified::Report(proved) => proved.report.lost.count(),
            Verified::NotChecked(_) => 0,
        };
        Self {
            remedy: cure.remedy(),
            adds: cure.adds,
            before: before.size(),
            after: after.size(),
            lost_before: lost(before),
            lost_after: lost(after),
        }
    }
}

impl Healed {
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
            text += &format!(
                "  round {number}: the output goes from {} to {}, failures from {} to {}\n",
                Bytes(round.before),
                Bytes(round.after),
                round.lost_before,
                round.lost_after
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
