//! One replay: export under a profile, prove the output, write the report beside it. `replay` does it once, `--heal` again.

use super::args::ReplayArgs;
use super::heal::Healed;
use super::out::safe;
use super::plan::Report as PlanReport;
use super::verify::{Proof, Proved};
use crate::cure::Cure;
use crate::export::{self, ExportOptions, FullReport, Initramfs, Report};
use crate::guest::OpenOptions;
use crate::job::Job;
use crate::profile::Profile;
use crate::rebuild;
use crate::session::Session;
use crate::vm::{self, Subject, VmError};
use anyhow::Context as _;
use serde::Serialize;
use std::time::Duration;

/// How long a boot of the output, and each check, may take; emulation on a busy host is slow.
const MACHINE_CAP: Duration = Duration::from_secs(600);

/// Where profiles are replayed: one source, one output.
pub struct Bench<'a> {
    pub args: &'a ReplayArgs,
    pub options: ExportOptions,
    pub job: Job,
    /// The source, once it was opened to be booted.
    pub source: Option<Subject>,
    /// What the checks did on the source, once they ran there.
    pub on_source: Option<Vec<vm::Outcome>>,
}

/// What one run of a profile became; also what `--json` prints.
#[derive(Debug, Serialize)]
pub struct Replayed {
    plan: PlanReport,
    export: Report,
    pub verified: Verified,
    /// What `--heal` changed.
    pub healed: Option<Healed>,
    /// The report for people.
    #[serde(skip)]
    page: String,
}

/// What became of the profile's checks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    Report(Box<Proved>),
    NotChecked(String),
}

impl Verified {
    /// Whether something was checked and does not hold.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Report(proved) if proved.report.is_failed())
    }

    /// In the words of the report beside the output.
    fn told(&self) -> anyhow::Result<export::Verified> {
        Ok(match self {
            Self::NotChecked(why) => export::Verified::not_checked(why),
            Self::Report(proved) => export::Verified {
                json: serde_json::to_value(self)?,
                text: proved.text(),
            },
        })
    }
}

impl Replayed {
    /// Bytes of the output's file.
    pub fn size(&self) -> u64 {
        self.export.after.file
    }

    /// The cure of what was lost, where one was looked for.
    pub fn cure(&self) -> Option<&Cure> {
        match &self.verified {
            Verified::Report(proved) => proved.cure.as_ref(),
            Verified::NotChecked(_) => None,
        }
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let healed = self.healed.as_ref().map(Healed::text);
        self.page.clone() + &healed.unwrap_or_default()
    }
}

impl Bench<'_> {
    /// Exports under this profile and proves the output.
    pub fn replay(&mut self, session: &Session, profile: &Profile) -> anyhow::Result<Replayed> {
        self.options.profile = Some(profile.clone());
        if self.options.initramfs == Initramfs::Rebuilt(None) && self.options.rebuilds_initramfs() {
            self.options.initramfs = self.rebuilt(profile)?;
        }
        let (loaded, plan, options) = (session.loaded(), session.plan(), self.options.clone());
        let export = export::export(&self.args.image, loaded, plan, &options, &self.job)?;
        let (verified, trouble) = match self.verify(profile) {
            Ok(verified) => (verified, None),
            Err(error) => (Verified::NotChecked(safe(&error.to_string())), Some(error)),
        };
        let told = verified.told()?;
        let full = FullReport::new(&export, &told, loaded, plan, &options)?;
        full.write_again(&options.output)
            .context("the output is written, but not the last word of its report")?;
        if let Some(error) = trouble {
            return Err(anyhow::Error::new(error)
                .context("the output is written, but could not be verified"));
        }
        let page = full.page();
        Ok(Replayed {
            plan: PlanReport::of(session, Some(profile), false),
            export,
            verified,
            healed: None,
            page,
        })
    }

    /// Has the source's own tools make its initramfs anew.
    fn rebuilt(&mut self, profile: &Profile) -> Result<Initramfs, VmError> {
        self.open_source()?;
        let source = self.source.as_ref().expect("it was just opened");
        let (hypervisors, accel) = (&profile.intent.hypervisors, self.options.open.accel);
        let bytes = rebuild::rebuild(source, hypervisors, accel, &self.job)?;
        Ok(Initramfs::Rebuilt(Some(bytes)))
    }

    /// Opens the source to be booted, once.
    fn open_source(&mut self) -> Result<(), VmError> {
        if self.source.is_none() {
            let options = self.args.open.options();
            self.source = Some(Subject::open(&self.args.image, &options, &self.job)?);
        }
        Ok(())
    }

    /// Boots the output and runs the checks, unless that is not wanted or not possible here.
    fn verify(&mut self, profile: &Profile) -> Result<Verified, VmError> {
        if self.args.no_verify {
            return Ok(Verified::NotChecked("--no-verify".to_owned()));
        }
        match self.prove(profile) {
            Ok(mut proved) => {
                self.on_source = proved.report.on_source.take();
                Ok(Verified::Report(Box::new(proved)))
            }
            Err(error @ VmError::Unsupported { .. }) => {
                Ok(Verified::NotChecked(safe(&error.to_string())))
            }
            Err(error) => Err(error),
        }
    }

    fn prove(&mut self, profile: &Profile) -> Result<Proved, VmError> {
        self.open_source()?;
        // The output's format is known; the source's was a matter of the command line.
        let open = OpenOptions {
            format: Some(self.options.format.name().to_owned()),
            ..self.args.open.options()
        };
        let proof = Proof {
            image: &self.options.output,
            source: self.source.as_ref(),
            profile: Some(profile),
            open,
            compares_contents: true,
            boots: true,
            boot_cap: MACHINE_CAP,
            check_cap: MACHINE_CAP,
            on_source: self.on_source.as_deref(),
            initramfs: Some(&self.options.initramfs),
        };
        proof.run(&self.job)
    }
}
