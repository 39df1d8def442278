//! The real host: opens images, writes profiles, exports.

use super::host::{Host, Outline, Saved, Traced};
use super::message::Export;
use super::run::Request;
use crate::export::{
    self, ExportError, ExportOptions, FullReport, Initramfs, OutputFormat, Step, Verified, Way,
};
use crate::guest;
use crate::job::Job;
use crate::load;
use crate::plan::{Intent, Plan};
use crate::profile::Profile;
use crate::rebuild;
use crate::session::{Loaded, Session};
use crate::trace::{self, Lines};
use crate::vm::{self, Subject};
use anyhow::{Context as _, Result, anyhow, bail};
use std::path::Path;
use std::sync::Arc;

/// An image on this machine's disk.
pub struct Disk(pub Request);

impl Host for Disk {
    fn open(&mut self, job: &Job) -> Result<Box<Session>> {
        let mut guest = guest::open(&self.0.image, &self.0.open, job)?;
        let loaded = Arc::new(load::load(guest.as_mut(), job)?);
        job.items("planning", 0, None);
        let profile = self.0.profile.as_ref();
        let intent = profile
            .map(|(_, profile)| profile.intent())
            .unwrap_or_default();
        Ok(Box::new(Session::new(loaded, intent)))
    }

    fn save(
        &mut self,
        path: &Path,
        intent: &Intent,
        loaded: &Loaded,
        may_replace: bool,
    ) -> Result<Saved> {
        if export::is_one_file(path, &self.0.image) {
            bail!("{} is the source image itself", path.display());
        }
        if !may_replace && path.symlink_metadata().is_ok() {
            return Ok(Saved::Exists(path.to_owned()));
        }
        let profile = self.profile(path, intent, loaded);
        profile
            .write(path, may_replace)
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.0.profile = Some((path.to_owned(), profile));
        Ok(Saved::Written(path.to_owned()))
    }

    fn outline(&mut self, wanted: &Export) -> Result<Outline> {
        let mut options = self.options(wanted, true);
        export::check(&self.0.image, &options)?;
        if options.rebuilds_initramfs() {
            rebuild::check(&wanted.loaded.inventory)?;
        }
        let (steps, refused) = steps_of_some_way(&wanted.loaded, &wanted.plan, &mut options)?;
        Ok(Outline {
            steps: steps.into_iter().map(|step| step.heading).collect(),
            way: options.way,
            refused,
            exists: matches!(
                export::check(&self.0.image, &self.options(wanted, false)),
                Err(ExportError::Exists(_))
            ),
        })
    }

    fn trace(
        &mut self,
        line: &str,
        print: &mut dyn FnMut(Vec<String>),
        job: &Job,
    ) -> Result<Traced> {
        let subject = Subject::open(&self.0.image, &self.0.open, job)?;
        let direct = subject.direct.as_ref();
        let direct = direct.map_err(|why| anyhow!("the guest cannot be traced: {why}"))?;
        let accel = vm::choose_accel(self.0.open.accel, direct, job)?;
        let request = trace::Request {
            commands: (!line.is_empty())
                .then(|| line.into())
                .into_iter()
                .collect(),
            ..trace::Request::default()
        };
        let mut lines = Lines::default();
        let mut on_bytes = |bytes: &[u8]| print(lines.push(bytes));
        let traced = trace::trace(&subject, &request, accel, &mut on_bytes, job)?;
        print(lines.rest().into_iter().collect());
        let tree = &subject.loaded.inventory.tree;
        let failed = traced.outcomes.iter().any(|outcome| !outcome.is_success());
        Ok(Traced {
            evidence: traced.evidence(tree),
            ended: traced.ended(),
            incomplete: traced
                .incomplete
                .or_else(|| failed.then(|| "the command did not succeed".to_owned())),
        })
    }

    fn export(&mut self, wanted: &Export, job: &Job) -> Result<Vec<String>> {
        let mut options = self.options(wanted, wanted.may_replace);
        if options.rebuilds_initramfs() {
            options.initramfs = self.rebuilt(&wanted.intent, job)?;
        }
        let (loaded, plan) = (&wanted.loaded, &wanted.plan);
        let report = export::export(&self.0.image, loaded, plan, &options, job)?;
        let verified = Verified::not_checked("the screen does not verify: guestslim verify does");
        let full = FullReport::new(&report, &verified, loaded, plan, &options)?;
        Ok(full.page().lines().map(str::to_owned).collect())
    }
}

/// The steps of the way in `options`, or of the next one that works for this image, which is then in `options`; and why the
/// ways before it do not.
fn steps_of_some_way(
    loaded: &Loaded,
    plan: &Plan,
    options: &mut ExportOptions,
) -> Result<(Vec<Step>, Vec<String>), ExportError> {
    let mut refused = Vec::new();
    loop {
        match export::steps(loaded, plan, options) {
            Err(error @ ExportError::Way { .. }) if refused.len() < Way::ALL.len() => {
                refused.push(error.to_string().replacen("the way", "The way", 1));
                options.way = options.way.next();
            }
            steps => return Ok((steps?, refused)),
        }
    }
}

impl Disk {
    /// The name's ending says the format; where it says nothing, the profile does.
    fn options(&self, wanted: &Export, force: bool) -> ExportOptions {
        let profile = self.0.profile.as_ref().map(|(_, profile)| profile);
        let wishes = profile.map(|profile| profile.output).unwrap_or_default();
        let ending = wanted.output.extension().and_then(|ending| ending.to_str());
        let format = match ending {
            Some("img") => Some(OutputFormat::Raw),
            ending => ending.and_then(OutputFormat::from_name),
        };
        ExportOptions {
            output: wanted.output.clone(),
            format: format.unwrap_or_else(|| wishes.format.into()),
            initramfs: Initramfs::of(&wanted.intent),
            compression: wishes.compression.into(),
            way: wanted.way.unwrap_or_else(|| wishes.way.into()),
            slack: wishes.slack_bytes(),
            force,
            previous: None,
            open: self.0.open.clone(),
            profile: Some(Profile {
                intent: wanted.intent.clone(),
                ..profile.cloned().unwrap_or_default()
            }),
        }
    }

    /// Has the guest's own tools make its initramfs anew.
    fn rebuilt(&self, intent: &Intent, job: &Job) -> Result<Initramfs> {
        let Request { image, open, .. } = &self.0;
        let subject = Subject::open(image, open, job)?;
        let bytes = rebuild::rebuild(&subject, &intent.hypervisors, open.accel, job)?;
        Ok(Initramfs::Rebuilt(Some(bytes)))
    }

    /// The intent as a profile; what the profile had that the screen was opened with (description, checks, output) stays.
    fn profile(&self, path: &Path, intent: &Intent, loaded: &Loaded) -> Profile {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let fresh = Profile::from_intent(&name, intent, &loaded.inventory);
        match &self.0.profile {
            Some((_, opened)) => Profile {
                intent: fresh.intent,
                made_on: fresh.made_on,
                ..opened.clone()
            },
            None => fresh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::journeys::guest::loaded;

    #[test]
    fn a_way_that_does_not_work_gives_way_to_the_next() {
        let mut loaded = loaded();
        "qcow2".clone_into(&mut loaded.inventory.origin.format);
        let session = Session::new(Arc::new(loaded), Intent::default());
        let mut options = ExportOptions {
            way: Way::Shrink,
            ..ExportOptions::default()
        };
        let found = steps_of_some_way(session.loaded(), session.plan(), &mut options);
        let (steps, refused) = found.expect("one way works");
        assert_eq!(options.way, Way::InPlace);
        assert!(!steps.is_empty());
        // Nothing is known of this guest's partitions.
        assert_eq!(refused.len(), 2);
        assert!(
            refused[0].starts_with("The way `shrink` does not work"),
            "{refused:?}"
        );
    }
}
