//! Proves an image against its source and its profile, and looks for the cure of what it lost.

use super::Opened;
use crate::cure::{self, Case, Cure};
use crate::export::{self, ExportOptions, Initramfs, OutputFormat, Step};
use crate::guest::{Accel, OpenOptions};
use crate::job::Job;
use crate::model::text::safe;
use crate::profile::Profile;
use crate::session::{Loaded, Session};
use crate::verify::{self, Against, Contents, Request};
use crate::vm::{Subject, VmError, Working, choose_accel};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a boot, and each check, may take unless somebody wishes otherwise; emulation on a busy host is slow.
const MACHINE_CAP: Duration = Duration::from_secs(600);

/// How much is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proving {
    /// Whether every byte is compared with the source.
    pub compares_contents: bool,
    /// Whether machines are started.
    pub boots: bool,
    /// How long a boot may take.
    pub boot_cap: Duration,
    /// How long a check may take.
    pub check_cap: Duration,
}

impl Default for Proving {
    fn default() -> Self {
        Self {
            compares_contents: true,
            boots: true,
            boot_cap: MACHINE_CAP,
            check_cap: MACHINE_CAP,
        }
    }
}

/// What is to be proved of an image.
pub struct Proof<'a> {
    /// The image.
    pub image: &'a Path,
    /// How it is opened.
    pub open: OpenOptions,
    /// Where the checks are.
    pub profile: Option<&'a Profile>,
    /// How much is proved.
    pub proving: Proving,
    /// The initramfs that was made anew, where its bytes are known.
    pub initramfs: Option<&'a Initramfs>,
}

/// The report, and the cure where the image lost what the source does.
#[derive(Debug, Serialize)]
pub struct Proved {
    /// The report.
    #[serde(flatten)]
    pub report: verify::Report,
    /// What would bring back what was lost.
    pub cure: Option<Cure>,
    /// Why a cure that was wanted could not be looked for, safe to print.
    pub no_cure: Option<String>,
}

impl Proved {
    /// For people.
    pub fn text(&self) -> String {
        let cure = self.cure.as_ref().map(|cure| format!("\n{}", cure.text()));
        let no_cure = self.no_cure.as_ref();
        let no_cure = no_cure.map(|why| format!("\nno cure could be looked for: {why}\n"));
        self.report.text() + &cure.or(no_cure).unwrap_or_default()
    }
}

impl Proof<'_> {
    /// Opens the image, climbs the ladder and, where something was lost, looks for the cure.
    pub fn run(&self, source: Option<&mut Opened>, job: &Job) -> Result<Proved, VmError> {
        let format = self.open.format.as_deref();
        let format = format.and_then(OutputFormat::from_name);
        if let Some(format) = format.filter(|format| format.is_archive()) {
            return Ok(Proved {
                report: self.run_on_archive(format, source, job)?,
                cure: None,
                no_cure: None,
            });
        }
        self.run_on_disk(source, job)
    }

    fn run_on_disk(&self, mut source: Option<&mut Opened>, job: &Job) -> Result<Proved, VmError> {
        let (image, guest) = Subject::open_and_keep(self.image, &self.open, job)?;
        let accel = self.proving.boots;
        let accel = accel
            .then(|| accel_for(&image, self.open.accel, job))
            .transpose()?;
        let checks = self.profile.map_or(&[][..], |profile| &profile.checks);
        let known = source.as_ref().and_then(|source| source.ran(checks));
        let known = known.map(<[_]>::to_vec);
        let loaded = source.as_ref().map(|source| Arc::clone(source.loaded()));
        let steps = self.steps(loaded, OutputFormat::default());
        let (subject, contents) = match &mut source {
            None => {
                drop(guest);
                (None, Contents::NoSource)
            }
            Some(source) => {
                let (subject, source) = source.subject_and_reader(job)?;
                let image = guest;
                (Some(subject), Contents::Of { source, image })
            }
        };
        let request = Request {
            subject: &image,
            source: subject,
            steps: steps.as_deref(),
            checks,
            accel,
            on_source: known.as_deref(),
            boot_cap: self.proving.boot_cap,
            check_cap: self.proving.check_cap,
        };
        let contents = self.proving.compares_contents.then_some(contents);
        let mut report = verify::verify(&request, contents, job)?;
        let (cure, no_cure) = match (subject, self.profile, accel) {
            (Some(source), Some(profile), Some(accel)) if report.lost.count() > 0 => {
                let case = Case {
                    image: &image,
                    source,
                    profile,
                    lost: &report.lost,
                    accel,
                    boot_cap: self.proving.boot_cap,
                    check_cap: self.proving.check_cap,
                };
                // What the ladder found is worth more than its cure.
                match cure::find(&case, job) {
                    Ok(cure) => (Some(cure), None),
                    Err(error @ VmError::Cancelled(_)) => return Err(error),
                    Err(error) => (None, Some(safe(&error.to_string()))),
                }
            }
            _ => (None, None),
        };
        if let Some(source) = source {
            source.remember(checks, report.on_source.take());
        }
        Ok(Proved {
            report,
            cure,
            no_cure,
        })
    }

    fn run_on_archive(
        &self,
        format: OutputFormat,
        source: Option<&mut Opened>,
        job: &Job,
    ) -> Result<verify::Report, VmError> {
        let loaded = source.as_ref().map(|source| Arc::clone(source.loaded()));
        let steps = self.steps(loaded, format);
        let against = match (source, &steps) {
            (Some(source), Some(steps)) => {
                let (subject, open) = source.subject_and_reader(job)?;
                let source = subject.image.path();
                Some(Against {
                    source,
                    open,
                    steps,
                })
            }
            _ => None,
        };
        verify::verify_archive(self.image, format, against, job)
    }

    /// What an export of the source under the profile does; nothing for a folder, which is never exported.
    fn steps(&self, source: Option<Arc<Loaded>>, format: OutputFormat) -> Option<Vec<Step>> {
        let profile = self.profile?;
        let session = Session::new(source?, profile.intent());
        let as_wished = || Initramfs::of(&profile.intent);
        let options = ExportOptions {
            format,
            initramfs: self.initramfs.cloned().unwrap_or_else(as_wished),
            ..ExportOptions::default()
        };
        export::steps(session.loaded(), session.plan(), &options).ok()
    }
}

fn accel_for(subject: &Subject, wished: Accel, job: &Job) -> Result<Working, VmError> {
    match (&subject.direct, wished) {
        (Ok(direct), _) => choose_accel(wished, direct, job),
        (Err(_), Accel::Kvm) => Ok(Working::Kvm),
        // Whether KVM works can only be tried with a kernel.
        (Err(_), Accel::Auto | Accel::Tcg) => Ok(Working::Tcg),
    }
}
