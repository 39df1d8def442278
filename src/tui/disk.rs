//! The real host: opens images, writes profiles, exports, verifies.

use super::host::{Host, Outline, Saved, Traced, Treated, Verdict};
use super::message::Export;
use super::run::Request;
use crate::export::{self, ExportError, ExportOptions, OutputFormat, Step, Way};
use crate::job::Job;
use crate::plan::{Intent, Plan};
use crate::profile::Profile;
use crate::replay::{
    Exported, Healing, Opened, Paths, Planned, Proven, Proving, Wishes, check_profile_path, heal,
};
use crate::session::{Loaded, Session};
use crate::trace::{self, Lines};
use crate::vm;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An image on this machine's disk, and the last output made of it.
pub struct Disk {
    request: Request,
    opened: Option<Opened>,
    exported: Option<Exported>,
    /// What is known of the output.
    proven: Option<Proven>,
    /// The healed profile that this screen wrote itself.
    healed: Option<PathBuf>,
}

impl Host for Disk {
    fn open(&mut self, job: &Job) -> Result<Box<Session>> {
        let mut opened = Opened::open(&self.request.image, &self.request.open, job)?;
        job.items("planning", 0, None);
        let profile = self.request.profile.as_ref();
        let intent = profile
            .map(|(_, profile)| profile.intent())
            .unwrap_or_default();
        let session = Session::new(Arc::clone(opened.loaded()), intent);
        opened.close();
        self.opened = Some(opened);
        Ok(Box::new(session))
    }

    fn save(
        &mut self,
        path: &Path,
        intent: &Intent,
        loaded: &Loaded,
        may_replace: bool,
    ) -> Result<Saved> {
        check_profile_path(path, &self.request.image)?;
        if !may_replace && path.symlink_metadata().is_ok() {
            return Ok(Saved::Exists(path.to_owned()));
        }
        let profile = self.profile(path, intent, loaded);
        profile
            .write(path, may_replace)
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.request.profile = Some((path.to_owned(), profile));
        Ok(Saved::Written(path.to_owned()))
    }

    fn outline(&mut self, wanted: &Export) -> Result<Outline> {
        let (profile, mut options) = self.options(wanted, true);
        self.check_paths(&options.output, None)?;
        let image = &self.request.image;
        export::check(image, &options)?;
        let planned = Planned::new(self.opened.as_ref().context(CLOSED)?, profile);
        planned.check(&options)?;
        let (loaded, plan) = (planned.session().loaded(), planned.session().plan());
        let (steps, refused) = steps_of_some_way(loaded, plan, &mut options)?;
        Ok(Outline {
            steps: steps.into_iter().map(|step| step.heading).collect(),
            way: options.way,
            refused,
            exists: matches!(
                export::check(image, &self.options(wanted, false).1),
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
        let opened = self.opened.as_mut().context(CLOSED)?;
        let is_read = opened.subject(job).map(drop);
        // The machine needs no more of it.
        opened.close();
        is_read?;
        let subject = opened.subject(job)?;
        let direct = trace::traceable(subject)?;
        let accel = vm::choose_accel(self.request.open.accel, direct, job)?;
        let request = trace::Request {
            commands: (!line.is_empty())
                .then(|| line.into())
                .into_iter()
                .collect(),
            ..trace::Request::default()
        };
        let mut lines = Lines::default();
        let mut on_bytes = |bytes: &[u8]| print(lines.push(bytes));
        let traced = trace::trace(subject, &request, accel, &mut on_bytes, job)?;
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
        (self.exported, self.proven) = (None, None);
        let (profile, options) = self.options(wanted, wanted.may_replace);
        self.check_paths(&options.output, None)?;
        let opened = self.opened.as_mut().context(CLOSED)?;
        let planned = Planned::new(opened, profile);
        let exported = planned.export(opened, options, job);
        opened.close();
        let exported = self.exported.insert(exported?);
        Ok(lines(&exported.page()?))
    }

    fn verify(&mut self, job: &Job) -> Result<Verdict> {
        self.proven = None;
        let opened = self.opened.as_mut().context(CLOSED)?;
        let exported = self.exported.as_ref().context(NO_OUTPUT)?;
        let proven = exported.prove(opened, &Proving::default(), job);
        opened.close();
        let proven = self.proven.insert(proven?);
        Ok(verdict(proven, &proven.verified().text()))
    }

    fn heal(&mut self, may_replace: bool, job: &Job) -> Result<Treated> {
        let mut healing = Healing::beside(&self.profile_path(), may_replace);
        healing.may_replace |= self.healed.as_ref() == Some(&healing.copy);
        let output = self
            .exported
            .as_ref()
            .context(NO_OUTPUT)?
            .options()
            .output
            .clone();
        self.check_paths(&output, Some(&healing.copy))?;
        if healing.exists() && !healing.may_replace {
            return Ok(Treated::Exists(healing.copy));
        }
        let opened = self.opened.as_mut().context(CLOSED)?;
        let exported = self.exported.as_mut().context(NO_OUTPUT)?;
        let proven = self.proven.take().context(NO_OUTPUT)?;
        let ended = heal(exported, proven, opened, &healing, &Proving::default(), job);
        opened.close();
        let (proven, healed) = ended?;
        self.healed = Some(healing.copy);
        let text = healed.text() + &proven.verified().text();
        let verdict = verdict(&proven, &text);
        self.proven = Some(proven);
        Ok(Treated::Done {
            remedies: healed.remedies().cloned().collect(),
            verdict,
        })
    }
}

const CLOSED: &str = "the guest is not open";
const NO_OUTPUT: &str = "there is no output that was verified";

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn verdict(proven: &Proven, text: &str) -> Verdict {
    Verdict {
        lines: lines(text),
        is_failed: proven.is_failed(),
        is_curable: proven.cure().is_some(),
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
    /// An image that is not open yet.
    pub fn new(request: Request) -> Self {
        Self {
            request,
            opened: None,
            exported: None,
            proven: None,
            healed: None,
        }
    }

    /// The profile of an export, and its options: the name's ending says the format; where it says nothing, the profile does.
    fn options(&self, wanted: &Export, force: bool) -> (Profile, ExportOptions) {
        let opened = self.request.profile.as_ref();
        let opened = opened.map(|(_, profile)| profile.clone());
        let profile = Profile {
            intent: wanted.intent.clone(),
            ..opened.unwrap_or_default()
        };
        let ending = wanted.output.extension().and_then(|ending| ending.to_str());
        let wishes = Wishes {
            output: Some(wanted.output.clone()),
            format: match ending {
                Some("img") => Some(OutputFormat::Raw),
                ending => ending.and_then(OutputFormat::from_name),
            },
            way: wanted.way,
            force,
            open: self.request.open.clone(),
            ..Wishes::default()
        };
        let options = wishes.options(&profile);
        (profile, options)
    }

    fn check_paths(&self, output: &Path, healed: Option<&Path>) -> Result<()> {
        let paths = Paths {
            image: &self.request.image,
            profile: self.request.profile.as_ref().map(|(path, _)| &**path),
            previous: None,
            output,
            healed,
        };
        Ok(paths.check()?)
    }

    /// Where the profile is, or where it would be saved.
    fn profile_path(&self) -> PathBuf {
        if let Some((path, _)) = &self.request.profile {
            return path.clone();
        }
        let mut name = self
            .request
            .image
            .file_stem()
            .unwrap_or_default()
            .to_owned();
        name.push(".ron");
        name.into()
    }

    /// The intent as a profile; what the profile had that the screen was opened with (description, checks, output) stays.
    fn profile(&self, path: &Path, intent: &Intent, loaded: &Loaded) -> Profile {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let fresh = Profile::from_intent(&name, intent, &loaded.inventory);
        match &self.request.profile {
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
