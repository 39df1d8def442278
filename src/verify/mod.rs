//! Proves an image: a ladder of checks from the file's structure to the workload's output, against the source where one is given.
//!
//! Each rung passes, fails, or says why it was not checked. The image is never written; what boots is a throw-away overlay.

mod archive;
mod checks;
mod container;
mod contents;
mod languages;
mod manifest;
mod needs;
mod report;
mod running;
#[cfg(test)]
mod second_format;
mod units;

pub use archive::{Against, verify_archive};
pub use contents::{Contents, Reader};
pub use report::{Lost, Report, Rung, Verdict};

use crate::export::Step;
use crate::job::Job;
use crate::model::text::escape;
use crate::profile::Check;
use crate::vm::{Outcome, Subject, VmError, Working};
use std::time::{Duration, Instant};

/// What to prove, and against what.
pub struct Request<'a> {
    /// The image.
    pub subject: &'a Subject,
    /// What it was made from.
    pub source: Option<&'a Subject>,
    /// The steps that made it of the source.
    pub steps: Option<&'a [Step]>,
    /// Commands that must still work.
    pub checks: &'a [Check],
    /// How machines run; `None` leaves all rungs out that need one.
    pub accel: Option<Working>,
    /// What the commands did on the source in an earlier run of the same checks; `None` runs them there.
    pub on_source: Option<&'a [Outcome]>,
    /// How long a boot may take.
    pub boot_cap: Duration,
    /// How long a check may take.
    pub check_cap: Duration,
}

/// Climbs the ladder; `open` leads to the contents of files. What is wrong with the image is in the report; an error means that
/// the proving itself failed.
pub fn verify(
    request: &Request<'_>,
    open: Option<Contents<'_>>,
    job: &Job,
) -> Result<Report, VmError> {
    let started = Instant::now();
    let mut rungs = Vec::new();
    let mut add = |rung: Rung| {
        rungs.push(rung);
        job.items("verifying", rungs.len() as u64, None);
    };
    add(timed(|| container::check(&request.subject.image, job))?);
    add(timed(|| Ok(manifest(request)))?);
    for rung in contents(request, open, job)? {
        add(rung);
    }
    for rung in needs::compare(request) {
        add(rung);
    }
    let shown = running::run(request, job)?;
    for rung in shown.rungs {
        add(rung);
    }
    let name = |subject: &Subject| {
        escape(subject.image.path().as_os_str().as_encoded_bytes()).into_owned()
    };
    Ok(Report {
        guestslim: env!("CARGO_PKG_VERSION"),
        image: name(request.subject),
        against: request.source.map(name),
        machines: match request.accel {
            None => "none",
            Some(Working::Kvm) => "KVM",
            Some(Working::Tcg) => "emulation",
        },
        rungs,
        lost: shown.lost,
        on_source: shown.on_source,
        seconds: started.elapsed().as_secs_f64(),
    })
}

const NO_PLAN: &str = "there is no source with a plan to compare with";

fn manifest(request: &Request<'_>) -> Rung {
    match (request.source, request.steps) {
        (Some(source), Some(steps)) => manifest::check(source, steps, request.subject),
        _ => Rung::not_checked("manifest", NO_PLAN),
    }
}

/// The rungs about what is in the files, where that was asked for.
fn contents(
    request: &Request<'_>,
    open: Option<Contents<'_>>,
    job: &Job,
) -> Result<[Rung; 2], VmError> {
    let skipped = |because: &str| {
        let ids = [contents::CONTENTS, contents::ATTRIBUTES];
        Ok(ids.map(|id| Rung::not_checked(id, because)))
    };
    match (open, request.steps) {
        (None, _) => skipped("it was not asked for"),
        (Some(Contents::Of { source, image }), Some(steps)) => {
            let mut pair = contents::Pair::new(source, steps, request.subject, image);
            let contents = timed(|| Ok(pair.contents(job)?))?;
            Ok([contents, timed(|| Ok(pair.attributes(job)?))?])
        }
        (Some(_), _) => skipped(NO_PLAN),
    }
}

/// Adds the time that a rung took.
fn timed(check: impl FnOnce() -> Result<Rung, VmError>) -> Result<Rung, VmError> {
    let started = Instant::now();
    let mut rung = check()?;
    rung.seconds = started.elapsed().as_secs_f64();
    Ok(rung)
}
