//! Names the cure of an image that lost something (a check or unit fails, or it does not boot): the paths that the lost part touches
//! on the source and that the image lacks, their owners, and what brings them back, with its price.
//!
//! In a profile with a trace, the missing paths are added to the trace: that costs only the files. Otherwise, and where a mark is in
//! the way, the cure is a mark after the profile's own, so that it wins over an earlier drop. A profile without a trace does not
//! get one here: it would know nothing of the boot, and boot packages are cut as soon as there is a trace.

mod look;
mod prescribe;
mod text;

pub use look::missing;
pub use prescribe::prescribe;

use crate::job::Job;
use crate::model::text::escape;
use crate::plan::{Intent, Mark};
use crate::profile::{Profile, mark_text};
use crate::session::{Edit, Session};
use crate::verify::Lost;
use crate::vm::{Subject, VmError, Working};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// An image that lost something.
pub struct Case<'a> {
    /// The image.
    pub image: &'a Subject,
    /// The image that it was made from.
    pub source: &'a Subject,
    /// How it was made, and its checks.
    pub profile: &'a Profile,
    /// Works on the source and not on the image.
    pub lost: &'a Lost,
    /// How machines run.
    pub accel: Working,
    /// How long a boot may take.
    pub boot_cap: Duration,
    /// How long a check may take.
    pub check_cap: Duration,
}

/// The changes that would make the image work again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cure {
    /// What it is for, escaped: checks' commands, `unit NAME`, `the boot`.
    pub lost: Vec<String>,
    /// Why there may be more than it names; null when this is all.
    pub incomplete: Option<String>,
    /// Missing paths by component.
    pub lacks: Vec<Lack>,
    /// What all remedies together add to the projection, in bytes on disk.
    pub adds: u64,
}

/// Missing paths of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// The package, or the top folders of what no package owns.
    pub component: String,
    /// The paths, escaped.
    pub paths: Vec<String>,
    /// The change that brings them back; nothing where the profile keeps them already.
    #[serde(flatten)]
    pub remedy: Remedy,
    /// What this adds to the projection, in bytes on disk.
    pub adds: u64,
}

/// What is added to a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Remedy {
    /// Marks behind its own.
    #[serde(serialize_with = "in_a_profiles_words")]
    pub marks: Vec<Mark>,
    /// Paths of its trace, escaped.
    pub trace: Vec<String>,
}

fn in_a_profiles_words<S: Serializer>(marks: &[Mark], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(marks.iter().map(mark_text))
}

/// Runs what was lost once more on the source, records what it touches, and works out what brings it back.
pub fn find(case: &Case<'_>, job: &Job) -> Result<Cure, VmError> {
    job.items("looking for the cure", 0, None);
    let found = look::look(case, job)?;
    let intent = case.profile.intent();
    let mut cure = Cure {
        lost: case.names(),
        incomplete: found.incomplete,
        lacks: prescribe(&case.source.loaded, &intent, &found.missing),
        adds: 0,
    };
    let mut session = Session::new(Arc::clone(&case.source.loaded), intent.clone());
    let before = session.plan().after.allocated;
    session.apply(Edit::Replace(cure.remedy().on(&intent)));
    cure.adds = (session.plan().after.allocated - before).0;
    Ok(cure)
}

impl Case<'_> {
    fn checks(&self) -> impl Iterator<Item = &[u8]> {
        let checks = &self.profile.checks;
        let lost = self.lost.checks.iter();
        lost.map(|&at| checks[at].command.as_bytes())
    }

    /// What was lost, safe to print.
    fn names(&self) -> Vec<String> {
        let boot = self.lost.boot.then(|| "the boot".to_owned());
        let units = self.lost.units.iter().map(|unit| format!("unit {unit}"));
        let checks = self.checks().map(|line| escape(line).into_owned());
        boot.into_iter().chain(units).chain(checks).collect()
    }
}

impl Remedy {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.trace.is_empty()
    }

    /// The intent with the marks behind its own, one mark a selector, and with the paths in its trace.
    pub fn on(&self, intent: &Intent) -> Intent {
        let mut healed = intent.clone();
        let is_replaced = |mark: &Mark| self.marks.iter().any(|new| new.selector == mark.selector);
        healed.marks.retain(|mark| !is_replaced(mark));
        healed.marks.extend_from_slice(&self.marks);
        if !self.trace.is_empty() {
            let paths: BTreeSet<String> =
                healed.trace.drain(..).chain(self.trace.clone()).collect();
            healed.trace = paths.into_iter().collect();
        }
        healed
    }
}

impl Cure {
    /// What all components together need.
    pub fn remedy(&self) -> Remedy {
        let remedies = || self.lacks.iter().map(|lack| &lack.remedy);
        Remedy {
            marks: remedies().flat_map(|one| one.marks.clone()).collect(),
            trace: remedies().flat_map(|one| one.trace.clone()).collect(),
        }
    }

    /// The profile with the remedy, and a comment that says what it is for.
    pub fn applied_to(&self, profile: &Profile) -> Profile {
        let remedy = self.remedy();
        let mut healed = profile.clone();
        healed.intent = remedy.on(&profile.intent);
        if !healed.comment.is_empty() {
            healed.comment.push('\n');
        }
        healed.comment += &text::comment(self, &remedy);
        healed
    }
}
