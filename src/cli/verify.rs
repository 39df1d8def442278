//! `guestslim verify`: prove an image against its source and its profile.

use super::args::OpenArgs;
use super::guest::{Opening, read_profile};
use super::{Outcome, out};
use crate::cure::{self, Case, Cure};
use crate::export::{self, ExportOptions, Initramfs, OutputFormat, Step};
use crate::guest::{Accel, OpenOptions};
use crate::job::Job;
use crate::profile::Profile;
use crate::session::Session;
use crate::verify::{self, Request};
use crate::vm::{self, Subject, VmError, Working, choose_accel};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
    /// Do not compare the contents of files
    #[arg(long)]
    pub quick: bool,
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
    let source = args.against.as_deref();
    let open = args.open.options();
    let is_archive =
        |name: &str| OutputFormat::from_name(name).is_some_and(OutputFormat::is_archive);
    let source_open = OpenOptions {
        format: open.format.clone().filter(|name| !is_archive(name)),
        ..open.clone()
    };
    let source = source.map(|path| Subject::open(path, &source_open, &job));
    let source = source.transpose()?;
    let proof = Proof {
        image: &args.image,
        source: source.as_ref(),
        profile: profile.as_ref(),
        open,
        compares_contents: !args.quick,
        boots: !args.no_boot,
        boot_cap: Duration::from_secs(args.boot_cap.into()),
        check_cap: Duration::from_secs(args.check_cap.into()),
        on_source: None,
        initramfs: None,
    };
    let proved = proof.run(&job)?;
    drop(opening);
    if args.json {
        out::print_json(&proved)?;
    } else {
        out::print(&proved.text())?;
    }
    Ok(if proved.report.is_failed() {
        Outcome::CheckFailed
    } else {
        Outcome::Done
    })
}

/// What is to be proved of an image.
pub struct Proof<'a> {
    /// The image.
    pub image: &'a Path,
    /// What it was made from.
    pub source: Option<&'a Subject>,
    /// Where the checks are.
    pub profile: Option<&'a Profile>,
    /// How the image is opened.
    pub open: OpenOptions,
    /// Whether every byte is compared with the source.
    pub compares_contents: bool,
    /// Whether machines are started.
    pub boots: bool,
    /// How long a boot may take.
    pub boot_cap: Duration,
    /// How long a check may take.
    pub check_cap: Duration,
    /// What an earlier proof against the same source saw there.
    pub on_source: Option<&'a [vm::Outcome]>,
    /// The initramfs that was made anew, where its bytes are known.
    pub initramfs: Option<&'a Initramfs>,
}

/// The report, and the cure where the image lost what the source does.
#[derive(Debug, Serialize)]
pub struct Proved {
    #[serde(flatten)]
    pub report: verify::Report,
    pub cure: Option<Cure>,
    /// Why a cure that was wanted could not be looked for, safe to print.
    pub no_cure: Option<String>,
}

impl Proved {
    pub fn text(&self) -> String {
        let cure = self.cure.as_ref().map(|cure| format!("\n{}", cure.text()));
        let no_cure = self.no_cure.as_ref();
        let no_cure = no_cure.map(|why| format!("\nno cure could be looked for: {why}\n"));
        self.report.text() + &cure.or(no_cure).unwrap_or_default()
    }
}

impl Proof<'_> {
    /// Opens the image, climbs the ladder and, where something was lost, looks for the cure.
    pub fn run(&self, job: &Job) -> Result<Proved, VmError> {
        let format = self.open.format.as_deref();
        let format = format.and_then(OutputFormat::from_name);
        if let Some(format) = format.filter(|format| format.is_archive()) {
            let report = self.run_on_archive(format, job)?;
            return Ok(Proved {
                report,
                cure: None,
                no_cure: None,
            });
        }
        let subject = Subject::open(self.image, &self.open, job)?;
        let accel = self
            .boots
            .then(|| accel(&subject, self.open.accel, job))
            .transpose()?;
        let steps = match (self.profile, self.source) {
            (Some(profile), Some(source)) => self.steps(profile, source, OutputFormat::default()),
            _ => None,
        };
        let request = Request {
            subject: &subject,
            source: self.source,
            steps: steps.as_deref(),
            open: self.compares_contents.then_some(&self.open),
            checks: self.profile.map_or(&[], |profile| &profile.checks),
            accel,
            on_source: self.on_source,
            boot_cap: self.boot_cap,
            check_cap: self.check_cap,
        };
        let report = verify::verify(&request, job)?;
        let (cure, no_cure) = match (self.source, self.profile, accel) {
            (Some(source), Some(profile), Some(accel)) if report.lost.count() > 0 => {
                let case = Case {
                    image: &subject,
                    source,
                    profile,
                    lost: &report.lost,
                    accel,
                    boot_cap: self.boot_cap,
                    check_cap: self.check_cap,
                };
                // What the ladder found is worth more than its cure.
                match cure::find(&case, job) {
                    Ok(cure) => (Some(cure), None),
                    Err(error @ VmError::Cancelled(_)) => return Err(error),
                    Err(error) => (None, Some(out::safe(&error.to_string()))),
                }
            }
            _ => (None, None),
        };
        Ok(Proved {
            report,
            cure,
            no_cure,
        })
    }

    fn run_on_archive(&self, format: OutputFormat, job: &Job) -> Result<verify::Report, VmError> {
        let Some(source) = self.source else {
            return verify::verify_archive(self.image, format, None, job);
        };
        let steps = self
            .profile
            .and_then(|profile| self.steps(profile, source, format));
        let against = steps.as_deref().map(|steps| (source, steps, &self.open));
        verify::verify_archive(self.image, format, against, job)
    }

    /// What an export of the source under this profile does; nothing for a folder, which is never exported.
    fn steps(
        &self,
        profile: &Profile,
        source: &Subject,
        format: OutputFormat,
    ) -> Option<Vec<Step>> {
        let session = Session::new(Arc::clone(&source.loaded), profile.intent());
        let options = ExportOptions {
            format,
            initramfs: self
                .initramfs
                .cloned()
                .unwrap_or_else(|| Initramfs::of(&profile.intent)),
            ..ExportOptions::default()
        };
        export::steps(session.loaded(), session.plan(), &options).ok()
    }
}

fn accel(subject: &Subject, wished: Accel, job: &Job) -> Result<Working, VmError> {
    match (&subject.direct, wished) {
        (Ok(direct), _) => choose_accel(wished, direct, job),
        (Err(_), Accel::Kvm) => Ok(Working::Kvm),
        // Whether KVM works can only be tried with a kernel.
        (Err(_), Accel::Auto | Accel::Tcg) => Ok(Working::Tcg),
    }
}
