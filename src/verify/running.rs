//! Rungs that need a machine: the boot through the image's own loader, failed units, the package manager's own audit, the profile's
//! checks; all but the first as a difference to the source.

use super::{Request, Rung, checks};
use crate::job::Job;
use crate::model::text::escape;
use crate::vm::wire::{Command, Orders};
use crate::vm::{Caps, Outcome, Session, Subject, VmError, Working, boot_by_loader, run_commands};
use std::collections::BTreeSet;
use std::time::Duration;

const RUNGS: [&str; 4] = ["boot", "units", "package_manager", "checks"];
const FAILED_UNITS: &str = "systemctl list-units --failed --no-legend --plain --no-pager";
const AUDIT: &str = "dpkg --audit && { ! [ -x /usr/bin/apt-get ] || apt-get check; }";
const OUTPUT_CAP: u32 = 1 << 20;

/// What running guests showed.
#[derive(Default)]
pub struct Shown {
    /// The rungs.
    pub rungs: Vec<Rung>,
    /// The checks, by place, that fail on the image and pass on the source.
    pub lost_checks: Vec<usize>,
    /// What the commands did on the source, where it could be started.
    pub on_source: Option<Vec<Outcome>>,
}

impl Shown {
    /// Nothing but these rungs, and the rest of them skipped.
    fn only(mut rungs: Vec<Rung>, because: &str) -> Self {
        let skipped = RUNGS[rungs.len()..].iter();
        let skipped: Vec<_> = skipped.map(|id| Rung::not_checked(id, because)).collect();
        rungs.extend(skipped);
        Self {
            rungs,
            ..Self::default()
        }
    }
}

/// All rungs of a running guest.
pub fn run(request: &Request<'_>, job: &Job) -> Result<Shown, VmError> {
    let Some(accel) = request.accel else {
        return Ok(Shown::only(Vec::new(), "no machine was to be started"));
    };
    let mut rungs = vec![boot(request, accel, job)?];
    let direct = match &request.subject.direct {
        Ok(_) => run_in(request.subject, request, accel, job)?,
        Err(why) => {
            let why = format!("the guest cannot be started without its boot loader: {why}");
            return Ok(Shown::only(rungs, &why));
        }
    };
    if let Some(why) = not_up(&direct) {
        rungs.push(Rung::fail("units", why, direct.console.last_lines(8)));
        return Ok(Shown::only(rungs, "the guest did not come up"));
    }
    let on_source = on_source(request, accel, job)?;
    let before = on_source.as_deref();
    let mut after = direct.record.commands;
    after.resize_with(request.checks.len() + 2, Outcome::default);
    rungs.push(units(
        &after[0],
        before.and_then(|outcomes| outcomes.first()),
    ));
    rungs.push(package_manager(
        &after[1],
        before.and_then(|outcomes| outcomes.get(1)),
        request,
    ));
    let (after, before) = (&after[2..], before.and_then(|outcomes| outcomes.get(2..)));
    rungs.push(checks::rung(request.checks, after, before));
    Ok(Shown {
        rungs,
        lost_checks: checks::lost(request.checks, after, before),
        on_source,
    })
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

fn boot(request: &Request<'_>, accel: Working, job: &Job) -> Result<Rung, VmError> {
    let caps = Caps {
        time: request.boot_cap,
        ..Caps::default()
    };
    job.items("booting through the image's own loader", 0, None);
    let boot = boot_by_loader(&request.subject.image, accel, caps, job)?;
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
    let lines = [FAILED_UNITS, AUDIT]
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

fn units(after: &Outcome, before: Option<&Outcome>) -> Rung {
    const ID: &str = "units";
    if !after.is_success() {
        return Rung::not_checked(
            ID,
            "the guest's init system is not systemd or did not answer",
        );
    }
    let failed = failed_units(after);
    if failed.is_empty() {
        return Rung::pass(ID, "no unit failed");
    }
    let Some(before) = before else {
        return Rung::fail(
            ID,
            "units failed; there is no source to compare with",
            failed.into_iter().collect(),
        );
    };
    let known = failed_units(before);
    let new: Vec<String> = failed.difference(&known).cloned().collect();
    if new.is_empty() {
        return Rung::pass(ID, "no unit failed that does not fail in the source");
    }
    Rung::fail(ID, "units failed that do not fail in the source", new)
}

fn failed_units(outcome: &Outcome) -> BTreeSet<String> {
    let names = outcome
        .stdout
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let name = line
                .split(|&byte| byte == b' ')
                .find(|word| !word.is_empty())?;
            Some(escape(name).into_owned())
        });
    names.collect()
}

fn package_manager(after: &Outcome, before: Option<&Outcome>, request: &Request<'_>) -> Rung {
    const ID: &str = "package_manager";
    let has_dpkg = request
        .subject
        .loaded
        .inventory
        .tree
        .resolve(b"/usr/bin/dpkg")
        .is_some();
    if !has_dpkg {
        return Rung::not_checked(ID, "the guest has no dpkg");
    }
    if after.is_success() && !after.stdout.starts_with(b"The following packages") {
        return Rung::pass(ID, "dpkg --audit and apt-get check find nothing");
    }
    if before.is_some_and(|before| before.end == after.end && before.stdout == after.stdout) {
        return Rung::pass(
            ID,
            "dpkg --audit and apt-get check say the same as in the source",
        );
    }
    Rung::fail(ID, "dpkg --audit or apt-get check complains", lines(after))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::wire::End;

    fn outcome(code: i32, stdout: &str) -> Outcome {
        Outcome {
            end: Some(End::Code(code)),
            stdout: stdout.into(),
            ..Outcome::default()
        }
    }

    #[test]
    fn only_new_failed_units_fail() {
        let slim = outcome(
            0,
            "a.service loaded failed failed A\nb.service loaded failed failed B\n",
        );
        let full = outcome(0, "a.service loaded failed failed A\n");
        assert_eq!(units(&slim, Some(&full)).details, ["b.service"]);
        assert!(!units(&full, Some(&full)).is_failed());
        assert!(units(&full, None).is_failed());
    }
}
