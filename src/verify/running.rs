//! Rungs that need a machine: the boot through the image's own loader, failed units, the package manager's own audit, the profile's
//! checks; all but the first as a difference to the source.

use super::{Lost, Request, Rung, checks, units};
use crate::job::Job;
use crate::model::Inventory;
use crate::model::text::escape;
use crate::pkgdb;
use crate::vm::wire::{Command, Orders};
use crate::vm::{Caps, Outcome, Session, Subject, VmError, Working, boot_by_loader, run_commands};
use std::time::Duration;

const RUNGS: [&str; 4] = ["boot", "units", "package_manager", "checks"];
/// Run where there is no package manager that can be asked, so that every command keeps its place.
const NO_AUDIT: &str = ":";
const OUTPUT_CAP: u32 = 1 << 20;

/// What running guests showed.
#[derive(Default)]
pub struct Shown {
    /// The rungs.
    pub rungs: Vec<Rung>,
    /// What works on the source and not on the image.
    pub lost: Lost,
    /// What the commands did on the source, where it could be started.
    pub on_source: Option<Vec<Outcome>>,
}

impl Shown {
    /// Nothing but these rungs, and the rest of them skipped.
    fn only(mut rungs: Vec<Rung>, lost: Lost, because: &str) -> Self {
        let skipped = RUNGS[rungs.len()..].iter();
        let skipped: Vec<_> = skipped.map(|id| Rung::not_checked(id, because)).collect();
        rungs.extend(skipped);
        Self {
            rungs,
            lost,
            on_source: None,
        }
    }
}

/// All rungs of a running guest.
pub fn run(request: &Request<'_>, job: &Job) -> Result<Shown, VmError> {
    let Some(accel) = request.accel else {
        return Ok(Shown::only(
            Vec::new(),
            Lost::default(),
            "no machine was to be started",
        ));
    };
    if let Err(why) = &request.subject.direct {
        let why = format!("the guest cannot be started without its boot loader: {why}");
        let mut lost = Lost::default();
        let rungs = vec![boot(request, accel, &mut lost, job)?];
        return Ok(Shown::only(rungs, lost, &why));
    }
    let unwatched = Job::quiet().with_cancel(job.cancel().part());
    let on_image = || {
        let on_image = on_image(request, accel, job);
        if on_image.is_err() {
            unwatched.cancel().cancel();
        }
        on_image
    };
    let (on_image, on_source) = beside(on_image, || on_source(request, accel, &unwatched));
    let (boot, mut lost, direct) = on_image?;
    let mut rungs = vec![boot];
    if let Some(why) = not_up(&direct) {
        lost.boot = true;
        rungs.push(Rung::fail("units", why, direct.console.last_lines(8)));
        return Ok(Shown {
            on_source: on_source.ok().flatten(),
            ..Shown::only(rungs, lost, "the guest did not come up")
        });
    }
    let on_source = on_source?;
    let before = on_source.as_deref();
    let mut after = direct.record.commands;
    after.resize_with(request.checks.len() + 2, Outcome::default);
    let (units, units_lost) = units::rung(
        &after[0],
        before.and_then(|outcomes| outcomes.first()),
        &request.subject.loaded.inventory.tree,
    );
    rungs.push(units);
    lost.units = units_lost;
    rungs.push(package_manager(
        &after[1],
        before.and_then(|outcomes| outcomes.get(1)),
        &request.subject.loaded.inventory,
    ));
    let (after, before) = (&after[2..], before.and_then(|outcomes| outcomes.get(2..)));
    rungs.push(checks::rung(request.checks, after, before));
    lost.checks = checks::lost(request.checks, after, before);
    Ok(Shown {
        rungs,
        lost,
        on_source,
    })
}

/// Does `other` beside `one` where there is a processor for it: a booting guest keeps little more than one busy. Else a guest
/// would be so slow that its units time out, so `other` comes afterwards.
fn beside<A, B: Send>(one: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    if std::thread::available_parallelism().map_or(1, usize::from) == 1 {
        return (one(), other());
    }
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let one = one();
        let other = other.join();
        (
            one,
            other.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    })
}

/// The image boots by itself, then once more to run the commands.
fn on_image(
    request: &Request<'_>,
    accel: Working,
    job: &Job,
) -> Result<(Rung, Lost, Session), VmError> {
    let mut lost = Lost::default();
    let rung = boot(request, accel, &mut lost, job)?;
    let direct = run_in(request.subject, request, accel, job)?;
    Ok((rung, lost, direct))
}

/// What the same commands do on the source: from an earlier run, or from a run now.
fn on_source(
    request: &Request<'_>,
    accel: Working,
    job: &Job,
) -> Result<Option<Vec<Outcome>>, VmError> {
    if let Some(known) = request.on_source {
        return Ok(Some(known.to_vec()));
    }
    let Some(source) = request.source.filter(|source| source.direct.is_ok()) else {
        return Ok(None);
    };
    let session = run_in(source, request, accel, job)?;
    Ok(not_up(&session)
        .is_none()
        .then_some(session.record.commands))
}

fn boot(
    request: &Request<'_>,
    accel: Working,
    lost: &mut Lost,
    job: &Job,
) -> Result<Rung, VmError> {
    let caps = Caps {
        time: request.boot_cap,
        ..Caps::default()
    };
    job.items("booting through the image's own loader", 0, None);
    let boot = boot_by_loader(&request.subject.image, accel, caps, job)?;
    lost.boot = boot.verdict.is_err();
    lost.loader = boot.is_without_kernel;
    let mut rung = match boot.verdict {
        Ok(what) => Rung::pass(
            "boot",
            format!("{what} on the serial console, through its own boot loader"),
        ),
        Err(why) => Rung::fail("boot", why, boot.console.last_lines(8)),
    };
    rung.seconds = boot.time.as_secs_f64();
    Ok(rung)
}

/// Asks a guest for its failed units and its package manager's opinion, then runs the checks.
fn run_in(
    subject: &Subject,
    request: &Request<'_>,
    accel: Working,
    job: &Job,
) -> Result<Session, VmError> {
    let direct = subject
        .direct
        .as_ref()
        .map_err(|why| VmError::NotDirect(why.clone()))?;
    let audit = pkgdb::of(&subject.loaded.inventory).audit();
    let lines = [
        units::COMMAND,
        audit.map_or(NO_AUDIT, |audit| audit.command),
    ]
    .into_iter()
    .chain(request.checks.iter().map(|check| &check.command[..]));
    let command = |line: &str| Command {
        line: line.as_bytes().to_vec(),
        time_cap: seconds(request.check_cap),
        output_cap: OUTPUT_CAP,
        ..Command::default()
    };
    let orders = Orders {
        boot_cap: seconds(request.boot_cap),
        commands: lines.map(command).collect(),
        ..Orders::default()
    };
    let time = request.boot_cap + request.check_cap * orders.commands.len() as u32;
    let caps = Caps {
        time,
        ..Caps::default()
    };
    job.items("running the checks", 0, None);
    run_commands(direct, &orders, accel, caps, &mut |_| false, job)
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX).max(1)
}

fn not_up(session: &Session) -> Option<String> {
    if let Some(trouble) = &session.trouble {
        return Some(trouble.clone());
    }
    match session.record.state.as_deref() {
        Some(b"timeout") => Some("it did not come up in time".to_owned()),
        Some(_) => None,
        None => Some("it switched off or started anew before it was up".to_owned()),
    }
}

/// What the package manager says of its own records; what it said of the source too does not count.
pub(super) fn package_manager(
    after: &Outcome,
    before: Option<&Outcome>,
    inventory: &Inventory,
) -> Rung {
    const ID: &str = "package_manager";
    let Some(audit) = pkgdb::of(inventory).audit() else {
        return Rung::not_checked(ID, "the guest has no package manager that can be asked");
    };
    if inventory.tree.resolve(audit.program.as_bytes()).is_none() {
        return Rung::not_checked(ID, format!("the guest has no {}", audit.program));
    }
    if after.is_success() && !(audit.complains)(&after.stdout) {
        return Rung::pass(ID, format!("{}: no complaint", audit.name));
    }
    if before.is_some_and(|before| before.end == after.end && before.stdout == after.stdout) {
        let because = format!("{}: the same complaints as in the source", audit.name);
        return Rung::pass(ID, because);
    }
    let because = format!("{}: complaints that the source does not have", audit.name);
    Rung::fail(ID, because, lines(after))
}

pub(super) fn lines(outcome: &Outcome) -> Vec<String> {
    let text = [&outcome.stdout[..], &outcome.stderr].concat();
    let lines = text
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| escape(&line[..line.len().min(400)]).into_owned())
        .collect()
}
