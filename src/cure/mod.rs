//! Names the cure of an image whose checks fail: what the checks touch on the source and the image lacks, whose it is, and
//! the marks that bring it back, with their price.
//!
//! A cure is made of marks and never of trace evidence, because evidence that knows nothing of the boot would let a profile
//! without a trace cut what boots. The marks go behind the profile's own, so that they win over an earlier drop.

mod prescribe;
mod text;

pub use prescribe::prescribe;

use crate::job::Job;
use crate::model::text::escape;
use crate::model::{FileId, FileKind};
use crate::plan::{Intent, Mark};
use crate::profile::{Profile, mark_text};
use crate::session::{Edit, Session};
use crate::trace::{self, trace};
use crate::vm::wire::Scope;
use crate::vm::{Subject, VmError, Working};
use serde::{Serialize, Serializer};
use std::sync::Arc;
use std::time::Duration;

/// An image that lost something.
pub struct Case<'a> {
    /// The image.
    pub image: &'a Subject,
    /// What it was made from.
    pub source: &'a Subject,
    /// How it was made, and its checks.
    pub profile: &'a Profile,
    /// The checks, by place, that fail on the image and pass on the source.
    pub lost: &'a [usize],
    /// How machines run.
    pub accel: Working,
    /// How long a boot may take.
    pub boot_cap: Duration,
    /// How long a check may take.
    pub check_cap: Duration,
}

/// What would make the checks pass again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cure {
    /// The checks that it is for, escaped.
    pub checks: Vec<String>,
    /// Why there may be more than it names; null when this is all.
    pub incomplete: Option<String>,
    /// What the image lacks, by component.
    pub lacks: Vec<Lack>,
    /// What all marks together add to the projection, in bytes on disk.
    pub adds: u64,
}

/// What the image lacks of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// The package, or the top folders of what no package owns.
    pub component: String,
    /// The paths, escaped.
    pub paths: Vec<String>,
    /// Marks that bring them back; none where the profile keeps them already.
    #[serde(serialize_with = "in_a_profiles_words")]
    pub marks: Vec<Mark>,
    /// What these marks add to the projection, in bytes on disk.
    pub adds: u64,
}

fn in_a_profiles_words<S: Serializer>(marks: &[Mark], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(marks.iter().map(mark_text))
}

/// Runs the lost checks once more on the source, records what they touch, and works out what brings it back.
///
/// What the checks' own processes touch comes first. Only where the image has all of that, the work must have been done by
/// somebody whom a check asked (a service), and what all of the guest touched meanwhile is looked at.
pub fn find(case: &Case<'_>, job: &Job) -> Result<Cure, VmError> {
    job.items("looking for the cure", 0, None);
    let (mut missing, mut incomplete) = look(case, Scope::Commands, job)?;
    if missing.is_empty() && incomplete.is_none() {
        (missing, incomplete) = look(case, Scope::SinceUp, job)?;
    }
    let intent = case.profile.intent();
    let lacks = prescribe(&case.source.loaded, &intent, &missing);
    let mut cure = Cure {
        checks: case.lines().map(|line| escape(line).into_owned()).collect(),
        incomplete,
        lacks,
        adds: 0,
    };
    let mut session = Session::new(Arc::clone(&case.source.loaded), intent.clone());
    let before = session.plan().after.allocated;
    session.apply(Edit::Replace(with_marks(&intent, &cure.marks())));
    cure.adds = (session.plan().after.allocated - before).0;
    Ok(cure)
}

impl Case<'_> {
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let checks = &self.profile.checks;
        self.lost.iter().map(|&at| checks[at].command.as_bytes())
    }
}

/// What the checks touch on the source and the image lacks, and why there may be more.
fn look(
    case: &Case<'_>,
    scope: Scope,
    job: &Job,
) -> Result<(Vec<FileId>, Option<String>), VmError> {
    let request = trace::Request {
        commands: case.lines().map(<[u8]>::to_vec).collect(),
        boot_cap: case.boot_cap,
        command_cap: case.check_cap,
        scope,
        ..trace::Request::default()
    };
    let traced = trace(case.source, &request, case.accel, &mut |_| (), job)?;
    let missing = missing(case.source, case.image, &traced.files);
    Ok((missing, traced.incomplete))
}

/// What was touched on the source and is not in the image. What the image can make again (byte code of a source that it has) is
/// not missing.
pub fn missing(source: &Subject, image: &Subject, touched: &[FileId]) -> Vec<FileId> {
    let (before, after) = (&source.loaded.inventory, &image.loaded.inventory.tree);
    let is_there = |file: FileId| after.lookup(&before.tree.path(file)).is_some();
    let can_be_made = |file: FileId| {
        before.tree.kind(file) == FileKind::Regular
            && before.follows[file.index()].is_some_and(is_there)
    };
    let touched = touched.iter().copied();
    touched
        .filter(|&file| !is_there(file) && !can_be_made(file))
        .collect()
}

/// The intent with these marks behind its own, one mark a selector.
fn with_marks(intent: &Intent, marks: &[Mark]) -> Intent {
    let mut healed = intent.clone();
    healed
        .marks
        .retain(|mark| marks.iter().all(|new| new.selector != mark.selector));
    healed.marks.extend_from_slice(marks);
    healed
}

impl Cure {
    /// All marks.
    pub fn marks(&self) -> Vec<Mark> {
        let marks = self.lacks.iter().flat_map(|lack| &lack.marks);
        marks.cloned().collect()
    }

    /// The profile with the marks, and a comment that says what they are for.
    pub fn applied_to(&self, profile: &Profile) -> Profile {
        let marks = self.marks();
        let mut healed = profile.clone();
        healed.intent = with_marks(&profile.intent, &marks);
        if !healed.comment.is_empty() {
            healed.comment.push('\n');
        }
        healed.comment += &text::comment(self, marks.len());
        healed
    }
}
