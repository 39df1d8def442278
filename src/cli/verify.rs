//! `guestslim verify`: prove an image against its source and its profile.

use super::args::OpenArgs;
use super::guest::{Opening, read_profile};
use super::{Outcome, out};
use crate::guest::Accel;
use crate::job::Job;
use crate::verify::{self, Request};
use crate::vm::{Subject, VmError, Working, choose_accel};
use std::path::PathBuf;
use std::time::Duration;

/// `verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Disk image to prove
    pub image: PathBuf,
    /// Profile whose checks must pass
    #[arg(short, long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Image that it was made from, to compare with
    #[arg(long, value_name = "SOURCE")]
    pub against: Option<PathBuf>,
    /// Start no machine
    #[arg(long)]
    pub no_boot: bool,
    /// Seconds that a boot may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub boot_cap: u32,
    /// Seconds that each check may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub check_cap: u32,
    /// How the images are opened.
    #[command(flatten)]
    pub open: OpenArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &VerifyArgs) -> anyhow::Result<Outcome> {
    let profile = read_profile(args.profile.as_deref())?;
    let opening = Opening::new()?;
    let job = opening.job();
    let options = args.open.options();
    let subject = Subject::open(&args.image, &options, &job)?;
    let source = match &args.against {
        Some(path) => Some(Subject::open(path, &options, &job)?),
        None => None,
    };
    let accel = if args.no_boot {
        None
    } else {
        Some(accel(&subject, options.accel, &job)?)
    };
    let request = Request {
        subject: &subject,
        source: source.as_ref(),
        checks: profile.as_ref().map_or(&[], |profile| &profile.checks),
        accel,
        boot_cap: Duration::from_secs(args.boot_cap.into()),
        check_cap: Duration::from_secs(args.check_cap.into()),
    };
    let report = verify::verify(&request, &job)?;
    drop(opening);
    if args.json {
        out::print_json(&report)?;
    } else {
        out::print(&report.text())?;
    }
    Ok(if report.is_failed() {
        Outcome::CheckFailed
    } else {
        Outcome::Done
    })
}

fn accel(subject: &Subject, wished: Accel, job: &Job) -> Result<Working, VmError> {
    match (&subject.direct, wished) {
        (Ok(direct), _) => choose_accel(wished, direct, job),
        (Err(_), Accel::Kvm) => Ok(Working::Kvm),
        // Whether KVM works can only be tried with a kernel.
        (Err(_), Accel::Auto | Accel::Tcg) => Ok(Working::Tcg),
    }
}
