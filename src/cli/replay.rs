//! `guestslim replay`: plan, report drift, export, unattended.

use super::Outcome;
use super::args::ReplayArgs;
use super::bench::Bench;
use super::failure::Refusal;
use super::guest::Opening;
use super::heal;
use super::out::{self, safe};
use super::paths;
use super::plan::Report as PlanReport;
use crate::export::{self, ExportOptions, Initramfs, OutputFormat, Way};
use crate::model::Bytes;
use crate::profile::Profile;
use crate::rebuild;
use crate::session::Session;
use serde::Serialize;
use std::path::PathBuf;

pub fn run(args: &ReplayArgs) -> anyhow::Result<Outcome> {
    let profile = Profile::read(&args.profile)?;
    let copy = args.heal.then(|| heal::copy(args));
    let options = options(args, &profile)?;
    paths::check(args, &options.output, copy.as_deref())?;
    if let Some(copy) = &copy {
        heal::check(args, copy)?;
    }
    let opening = Opening::new()?;
    if !args.dry_run {
        export::check(&args.image, &options)?;
    }
    let session = opening.session(&args.image, &args.open, Some(&profile))?;
    let plan = PlanReport::of(&session, Some(&profile), false);
    // Under --strict this ends here, before anything is written.
    let outcome = plan.outcome(args.strict)?;
    if options.rebuilds_initramfs() {
        rebuild::check(&session.loaded().inventory)?;
    }
    if args.dry_run {
        drop(opening);
        show_steps(&session, &plan, &options, args.json)?;
        return Ok(outcome);
    }
    let mut bench = Bench {
        args,
        options,
        job: opening.job(),
        source: None,
        on_source: None,
    };
    let mut replayed = bench.replay(&session, &profile)?;
    if let Some(copy) = copy {
        replayed = heal::heal(&mut bench, profile, &session, replayed, &copy)?;
    }
    drop(opening);
    if args.json {
        out::print_json(&replayed)?;
    } else {
        out::print(&replayed.text())?;
    }
    Ok(if replayed.verified.is_failed() {
        Outcome::CheckFailed
    } else {
        outcome
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

/// The command line's wishes, and the profile's where it says nothing.
fn options(args: &ReplayArgs, profile: &Profile) -> anyhow::Result<ExportOptions> {
    let format = match &args.output_format {
        Some(name) => OutputFormat::from_name(name).ok_or_else(|| {
            let names = OutputFormat::ALL.map(OutputFormat::name).join(", ");
            Refusal::error(
                format!("{} is no format that can be written", safe(name)),
                format!("choose one of {names}"),
            )
        })?,
        None => profile.output.format.into(),
    };
    Ok(ExportOptions {
        output: args
            .output
            .clone()
            .unwrap_or_else(|| PathBuf::from(format!("output.{}", format.name()))),
        format,
        initramfs: Initramfs::of(&profile.intent),
        compression: profile.output.compression.into(),
        way: way(args, profile)?,
        slack: args
            .slack
            .map_or(profile.output.slack_bytes(), |megabytes| {
                Some(Bytes::from_mb(megabytes))
            }),
        force: args.force,
        previous: args.previous.clone(),
        open: args.open.options(),
        profile: Some(profile.clone()),
    })
}

fn way(args: &ReplayArgs, profile: &Profile) -> anyhow::Result<Way> {
    let Some(name) = &args.way else {
        return Ok(profile.output.way.into());
    };
    Way::from_name(name).ok_or_else(|| {
        let names = Way::ALL.map(Way::name).join(", ");
        Refusal::error(
            format!("{} is no way to write an image", safe(name)),
            format!("choose one of {names}"),
        )
    })
}

fn show_steps(
    session: &Session,
    plan: &PlanReport,
    options: &ExportOptions,
    json: bool,
) -> anyhow::Result<()> {
    let steps = export::steps(session.loaded(), session.plan(), options)?;
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
