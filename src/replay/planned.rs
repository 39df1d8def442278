//! A profile on a source: what stays and what goes.

use super::{Exported, Opened, ReplayError};
use crate::export::{self, ExportOptions, Initramfs, Step};
use crate::job::Job;
use crate::profile::Profile;
use crate::rebuild;
use crate::session::Session;
use std::sync::Arc;

/// A profile and its plan.
pub struct Planned {
    profile: Profile,
    session: Session,
}

impl Planned {
    /// Plans a source under a profile.
    pub fn new(opened: &Opened, profile: Profile) -> Self {
        let session = Session::new(Arc::clone(opened.loaded()), profile.intent());
        Self { profile, session }
    }

    /// The profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The guest with its plan.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Refuses what the guest lacks the tools for; nothing is booted.
    pub fn check(&self, options: &ExportOptions) -> Result<(), ReplayError> {
        if options.rebuilds_initramfs() {
            rebuild::check(self.session.inventory())?;
        }
        Ok(())
    }

    /// What an export does, in order.
    pub fn steps(&self, options: &ExportOptions) -> Result<Vec<Step>, ReplayError> {
        let (loaded, plan) = (self.session.loaded(), self.session.plan());
        Ok(export::steps(loaded, plan, options)?)
    }

    /// Writes the output, with an initramfs that the source's own tools made anew where that is wanted and was not done yet.
    pub fn export(
        self,
        opened: &mut Opened,
        mut options: ExportOptions,
        job: &Job,
    ) -> Result<Exported, ReplayError> {
        options.profile = Some(self.profile.clone());
        if options.initramfs == Initramfs::Rebuilt(None) && options.rebuilds_initramfs() {
            let hypervisors = &self.profile.intent.hypervisors;
            let source = opened.subject(job)?;
            let bytes = rebuild::rebuild(source, hypervisors, options.open.accel, job)?;
            options.initramfs = Initramfs::Rebuilt(Some(bytes));
        }
        let (loaded, plan) = (self.session.loaded(), self.session.plan());
        let report = export::export(opened.path(), loaded, plan, &options, job)?;
        Ok(Exported {
            planned: self,
            options,
            report,
        })
    }
}
