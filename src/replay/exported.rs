//! An output that is written.

use super::proven::{Proven, Verified};
use super::{Opened, Planned, Proof, Proving, ReplayError};
use crate::export::{self, ExportOptions, FullReport, Report};
use crate::guest::OpenOptions;
use crate::job::Job;
use crate::model::text::safe;
use crate::vm::VmError;

/// A written output, and what it was made from.
pub struct Exported {
    pub(super) planned: Planned,
    pub(super) options: ExportOptions,
    pub(super) report: Report,
}

impl Exported {
    /// What it was made from.
    pub fn planned(&self) -> &Planned {
        &self.planned
    }

    /// How it was made.
    pub fn options(&self) -> &ExportOptions {
        &self.options
    }

    /// What the export did.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Bytes of the output's file.
    pub(super) fn size(&self) -> u64 {
        self.report.after.file
    }

    /// The report for people, before anything was verified.
    pub fn page(&self) -> Result<String, ReplayError> {
        let verified = export::Verified::not_checked("nothing has verified it yet");
        Ok(self.full(&verified)?.page())
    }

    /// The output as one that nobody verifies, because of this; its reports say so.
    pub fn unproven(&self, why: &str) -> Result<Proven, ReplayError> {
        self.conclude(Verified::NotChecked(why.to_owned()))
    }

    /// Verifies the output and writes what was found into the reports beside it. Where this host cannot, that is what was found;
    /// any other trouble is an error, and in the reports too.
    pub fn prove(
        &self,
        opened: &mut Opened,
        proving: &Proving,
        job: &Job,
    ) -> Result<Proven, ReplayError> {
        let because = |error: &VmError| Verified::NotChecked(safe(&error.to_string()));
        match self.proof(proving).run(Some(opened), job) {
            Ok(proved) => self.conclude(Verified::Report(Box::new(proved))),
            Err(error @ VmError::Unsupported { .. }) => self.conclude(because(&error)),
            Err(error) => {
                self.conclude(because(&error))?;
                Err(ReplayError::NotVerified(error))
            }
        }
    }

    fn proof<'a>(&'a self, proving: &Proving) -> Proof<'a> {
        Proof {
            image: &self.options.output,
            // The output's format is known; the source's was a matter of the command line.
            open: OpenOptions {
                format: Some(self.options.format.name().to_owned()),
                ..self.options.open.clone()
            },
            profile: Some(self.planned.profile()),
            proving: *proving,
            initramfs: Some(&self.options.initramfs),
        }
    }

    fn conclude(&self, verified: Verified) -> Result<Proven, ReplayError> {
        let told = verified.told();
        let full = self.full(&told)?;
        full.write_again(&self.options.output)
            .map_err(ReplayError::NotReported)?;
        let page = full.page();
        Ok(Proven { verified, page })
    }

    fn full<'a>(&'a self, verified: &'a export::Verified) -> Result<FullReport<'a>, ReplayError> {
        let (loaded, plan) = (
            self.planned.session().loaded(),
            self.planned.session().plan(),
        );
        Ok(FullReport::new(
            &self.report,
            verified,
            loaded,
            plan,
            &self.options,
        )?)
    }
}
