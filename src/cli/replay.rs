//! `guestslim replay`: plan, report drift, export, verify, heal, unattended.

use super::Outcome;
use super::args::ReplayArgs;
use super::failure::refuse;
use super::guest::Opening;
use super::out::{self, safe};
use super::plan::Report as PlanReport;
use crate::export::{self, ExportOptions, OutputFormat, Report, Way};
use crate::job::Job;
use crate::model::Bytes;
use crate::profile::Profile;
use crate::replay::{
    Exported, Healed, Healing, Opened, Paths, Planned, Proven, Proving, Verified, Wishes, heal,
};
use serde::Serialize;

pub fn run(args: &ReplayArgs) -> anyhow::Result<Outcome> {
    let profile = Profile::read(&args.profile)?;
    let healing = args
        .heal
        .then(|| Healing::beside(&args.profile, args.force));
    let options = wishes(args)?.options(&profile);
    check_paths(args, &options, healing.as_ref())?;
    let opening = Opening::new()?;
    if !args.dry_run {
        export::check(&args.image, &options)?;
    }
    let job = opening.job();
    let mut opened = Opened::open(&args.image, &args.open.options(), &job)?;
    let planned = Planned::new(&opened, profile);
    let plan = PlanReport::of(planned.session(), Some(planned.profile()), false);
    // Under --strict this ends here, before anything is written.
    let outcome = plan.outcome(args.strict)?;
    planned.check(&options)?;
    if args.dry_run {
        drop(opening);
        show_steps(&planned, &plan, &options, args.json)?;
        return Ok(outcome);
    }
    if args.no_verify {
        opened.close();
    }
    let exported = planned.export(&mut opened, options, &job)?;
    let ended = conclude(args, exported, &mut opened, healing.as_ref(), &job)?;
    drop(opening);
    print(&ended, args.json)?;
    Ok(if ended.1.is_failed() {
        Outcome::CheckFailed
    } else {
        outcome
    })
}

/// The last output, what is known of it, and what healing changed.
type Ended = (Exported, Proven, Option<Healed>);

/// Verifies the output and heals it, as far as that is wanted.
fn conclude(
    args: &ReplayArgs,
    mut exported: Exported,
    opened: &mut Opened,
    healing: Option<&Healing>,
    job: &Job,
) -> anyhow::Result<Ended> {
    let proving = Proving::default();
    let proven = if args.no_verify {
        exported.unproven("--no-verify")?
    } else {
        exported.prove(opened, &proving, job)?
    };
    let Some(healing) = healing else {
        return Ok((exported, proven, None));
    };
    let (proven, healed) = heal(&mut exported, proven, opened, healing, &proving, job)?;
    Ok((exported, proven, Some(healed)))
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Replayed<'a> {
    plan: PlanReport,
    export: &'a Report,
    verified: &'a Verified,
    /// What `--heal` changed.
    healed: Option<&'a Healed>,
}

fn print((exported, proven, healed): &Ended, json: bool) -> anyhow::Result<()> {
    if !json {
        let healed = healed.as_ref().map(Healed::text);
        return out::print(&(proven.page().to_owned() + &healed.unwrap_or_default()));
    }
    let planned = exported.planned();
    out::print_json(&Replayed {
        plan: PlanReport::of(planned.session(), Some(planned.profile()), false),
        export: exported.report(),
        verified: proven.verified(),
        healed: healed.as_ref(),
    })
}

/// What `--dry-run --json` prints.
#[derive(Debug, Serialize)]
struct DryRun<'a> {
    plan: &'a PlanReport,
    steps: Vec<StepJson>,
}

#[derive(Debug, Serialize)]
struct StepJson {
    step: String,
    details: Vec<String>,
}

fn check_paths(
    args: &ReplayArgs,
    options: &ExportOptions,
    healing: Option<&Healing>,
) -> anyhow::Result<()> {
    let paths = Paths {
        image: &args.image,
        profile: Some(&args.profile),
        previous: args.previous.as_deref(),
        output: &options.output,
        healed: healing.map(|healing| &*healing.copy),
    };
    paths.check()?;
    Ok(healing.map_or(Ok(()), Healing::check)?)
}

/// What the command line says of the output.
fn wishes(args: &ReplayArgs) -> anyhow::Result<Wishes> {
    Ok(Wishes {
        output: args.output.clone(),
        format: args.output_format.as_deref().map(format).transpose()?,
        way: args.way.as_deref().map(way).transpose()?,
        slack: args.slack.map(Bytes::from_mb),
        force: args.force,
        previous: args.previous.clone(),
        open: args.open.options(),
    })
}

fn format(name: &str) -> anyhow::Result<OutputFormat> {
    OutputFormat::from_name(name).ok_or_else(|| {
        let names = OutputFormat::ALL.map(OutputFormat::name).join(", ");
        refuse(
            format!("{} is no format that can be written", safe(name)),
            format!("choose one of {names}"),
        )
    })
}

fn way(name: &str) -> anyhow::Result<Way> {
    Way::from_name(name).ok_or_else(|| {
        let names = Way::ALL.map(Way::name).join(", ");
        refuse(
            format!("{} is no way to write an image", safe(name)),
            format!("choose one of {names}"),
        )
    })
}

fn show_steps(
    planned: &Planned,
    plan: &PlanReport,
    options: &ExportOptions,
    json: bool,
) -> anyhow::Result<()> {
    let steps = planned.steps(options)?;
    if json {
        let steps = steps.iter().map(|step| StepJson {
            step: step.heading.clone(),
            details: step.details(),
        });
        return out::print_json(&DryRun {
            plan,
            steps: steps.collect(),
        });
    }
    let mut text = plan.sizes() + "Steps\n";
    for (at, step) in steps.iter().enumerate() {
        text += &format!("{:>3}. {step}\n", at + 1);
    }
    text += "\n";
    text += &plan.remarks();
    out::print(&text)
}
