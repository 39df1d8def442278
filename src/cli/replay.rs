//! `guestslim replay`: plan, report drift, export, unattended.

use super::Outcome;
use super::args::ReplayArgs;
use super::failure::Refusal;
use super::guest::Opening;
use super::out::{self, safe};
use super::plan::Report as PlanReport;
use super::verify::Proof;
use crate::export::{self, Compression, ExportOptions, FullReport, OutputFormat, Report};
use crate::guest::OpenOptions;
use crate::job::Job;
use crate::profile::{self, ImageFormat, Profile};
use crate::session::Session;
use crate::verify;
use crate::vm::VmError;
use anyhow::Context as _;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// How long a boot of the output, and each check, may take; emulation on a busy host is slow.
const MACHINE_CAP: Duration = Duration::from_secs(600);

pub fn run(args: &ReplayArgs) -> anyhow::Result<Outcome> {
    let profile = Profile::read(&args.profile)?;
    let options = options(args, &profile)?;
    let opening = Opening::new()?;
    if !args.dry_run {
        export::check(&args.image, &options)?;
    }
    let session = opening.session(&args.image, &args.open, Some(&profile))?;
    let plan = PlanReport::of(&session, Some(&profile), false);
    // Under --strict this ends here, before anything is written.
    let outcome = plan.outcome(args.strict)?;
    if args.dry_run {
        drop(opening);
        show_steps(&session, &plan, &options, args.json)?;
        return Ok(outcome);
    }
    let job = opening.job();
    let report = export::export(
        &args.image,
        session.loaded(),
        session.plan(),
        &options,
        &job,
    )?;
    let (verified, trouble) = match verify(args, &profile, &options, &job) {
        Ok(verified) => (verified, None),
        Err(error) => (Verified::NotChecked(safe(&error.to_string())), Some(error)),
    };
    drop(opening);
    let told = verified.told()?;
    let full = FullReport::new(&report, &told, session.loaded(), session.plan(), &options)?;
    full.write_again(&options.output)
        .context("the output is written, but not the last word of its report")?;
    if let Some(error) = trouble {
        return Err(
            anyhow::Error::new(error).context("the output is written, but could not be verified")
        );
    }
    if args.json {
        out::print_json(&Replayed {
            plan: &plan,
            export: &report,
            verified: &verified,
        })?;
    } else {
        out::print(&full.page())?;
    }
    Ok(match verified {
        Verified::Report(report) if report.is_failed() => Outcome::CheckFailed,
        _ => outcome,
    })
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Replayed<'a> {
    plan: &'a PlanReport,
    export: &'a Report,
    verified: &'a Verified,
}

/// What became of the profile's checks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verified {
    Report(verify::Report),
    NotChecked(String),
}

impl Verified {
    /// In the words of the report beside the output.
    fn told(&self) -> anyhow::Result<export::Verified> {
        Ok(match self {
            Self::NotChecked(why) => export::Verified::not_checked(why),
            Self::Report(report) => export::Verified {
                json: serde_json::to_value(self)?,
                text: report.text(),
            },
        })
    }
}

/// Boots the output and runs the checks, unless that is not wanted or not possible here.
fn verify(
    args: &ReplayArgs,
    profile: &Profile,
    options: &ExportOptions,
    job: &Job,
) -> Result<Verified, VmError> {
    if args.no_verify {
        return Ok(Verified::NotChecked("--no-verify".to_owned()));
    }
    // The output's format is known; the source's was a matter of the command line.
    let open = OpenOptions {
        format: Some(options.format.name().to_owned()),
        ..args.open.options()
    };
    let proof = Proof {
        image: &options.output,
        source: Some((&args.image, args.open.options())),
        profile: Some(profile),
        open,
        compares_contents: true,
        boots: true,
        boot_cap: MACHINE_CAP,
        check_cap: MACHINE_CAP,
    };
    match proof.run(job) {
        Ok(report) => Ok(Verified::Report(report)),
        Err(error @ VmError::Unsupported { .. }) => {
            Ok(Verified::NotChecked(safe(&error.to_string())))
        }
        Err(error) => Err(error),
    }
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
        None => match profile.output.format {
            ImageFormat::Qcow2 => OutputFormat::Qcow2,
            ImageFormat::Raw => OutputFormat::Raw,
            ImageFormat::Vmdk => OutputFormat::Vmdk,
            ImageFormat::Vdi => OutputFormat::Vdi,
        },
    };
    Ok(ExportOptions {
        output: args
            .output
            .clone()
            .unwrap_or_else(|| PathBuf::from(format!("output.{}", format.name()))),
        format,
        compression: match profile.output.compression {
            profile::Compression::Zstd => Compression::Zstd,
            profile::Compression::Zlib => Compression::Zlib,
            profile::Compression::None => Compression::None,
        },
        force: args.force,
        open: args.open.options(),
        profile: Some(profile.clone()),
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
