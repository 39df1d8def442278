//! Rungs that need a machine: the boot through the image's own loader, failed units, the package manager's own audit, the profile's
//! checks; all but the first as a difference to the source.

use super::{Request, Rung};
use crate::job::Job;
use crate::model::text::escape;
use crate::profile::{Check, Expect};
use crate::vm::wire::{Command, End, Orders};
use crate::vm::{Caps, Outcome, Session, Subject, VmError, Working, boot_by_loader, run_commands};
use std::collections::BTreeSet;
use std::time::Duration;

const RUNGS: [&str; 4] = ["boot", "units", "package_manager", "checks"];
const FAILED_UNITS: &str = "systemctl list-units --failed --no-legend --plain --no-pager";
const AUDIT: &str = "dpkg --audit && apt-get check";
const OUTPUT_CAP: u32 = 1 << 20;

/// All rungs of a running guest.
pub fn run(request: &Request<'_>, job: &Job) -> Result<Vec<Rung>, VmError> {
    let Some(accel) = request.accel else {
        let skipped = |id: &&'static str| Rung::not_checked(id, "no machine was to be started");
        return Ok(RUNGS.iter().map(skipped).collect());
    };
    let mut rungs = vec![boot(request, accel, job)?];
    let direct = match &request.subject.direct {
        Ok(_) => run_in(request.subject, request, accel, job)?,
        Err(why) => {
            let why = format!("the guest cannot be started without its boot loader: {why}");
            rungs.extend(
                RUNGS[1..]
                    .iter()
                    .map(|id| Rung::not_checked(id, why.clone())),
            );
            return Ok(rungs);
        }
    };
    if let Some(why) = not_up(&direct) {
        rungs.push(Rung::fail("units", why, direct.console.last_lines(8)));
        let skipped = |id: &&'static str| Rung::not_checked(id, "the guest did not come up");
        rungs.extend(RUNGS[2..].iter().map(skipped));
        return Ok(rungs);
    }
    let source = match request.source {
        Some(source) if source.direct.is_ok() => Some(run_in(source, request, accel, job)?),
        _ => None,
    };
    let source = source.filter(|session| not_up(session).is_none());
    let before = source.as_ref().map(|session| &session.record.commands[..]);
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
    rungs.push(checks(
        request.checks,
        &after[2..],
        before.and_then(|outcomes| outcomes.get(2..)),
    ));
    Ok(rungs)
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

fn checks(checks: &[Check], after: &[Outcome], before: Option<&[Outcome]>) -> Rung {
    const ID: &str = "checks";
    if checks.is_empty() {
        return Rung::not_checked(ID, "the profile has none");
    }
    let mut failed = Vec::new();
    for (at, check) in checks.iter().enumerate() {
        let outcome = after.get(at).cloned().unwrap_or_default();
        let source = before.and_then(|outcomes| outcomes.get(at));
        if let Some(why) = judge(check, &outcome, source) {
            failed.push(format!("{}: {why}", escape(check.command.as_bytes())));
            failed.extend(
                lines(&outcome)
                    .into_iter()
                    .take(6)
                    .map(|line| format!("  {line}")),
            );
        }
    }
    let count = checks.len();
    let compared = if before.is_some() {
        ", as in the source"
    } else {
        ""
    };
    if failed.is_empty() {
        return Rung::pass(ID, format!("{count} of {count} passed{compared}"));
    }
    Rung::fail(ID, "a command does not work any more", failed)
}

/// Why a check does not pass; nothing when it does.
pub fn judge(check: &Check, outcome: &Outcome, source: Option<&Outcome>) -> Option<String> {
    let fails_there_too = source.is_some_and(|source| judge(check, source, None).is_some());
    let there = if fails_there_too {
        ", and fails on the source too"
    } else {
        ""
    };
    match outcome.end {
        Some(End::Code(code)) if code == i32::from(check.exit) => {}
        Some(End::Code(code)) => {
            return Some(format!("it returned {code}, not {}{there}", check.exit));
        }
        Some(End::Signal(signal)) => return Some(format!("signal {signal} ended it{there}")),
        Some(End::TimedOut) => return Some(format!("its time was up{there}")),
        Some(End::NotStarted) => return Some(format!("it could not be started{there}")),
        None => return Some("the machine ended before it did".to_owned()),
    }
    let text = String::from_utf8_lossy(&outcome.stdout);
    match &check.stdout {
        Some(Expect::Contains(what)) if !text.contains(what) => Some(format!(
            "it does not print \"{}\"{there}",
            escape(what.as_bytes())
        )),
        Some(Expect::Exact(what)) if text.trim() != what.trim() => Some(format!(
            "it does not print exactly \"{}\"{there}",
            escape(what.trim().as_bytes())
        )),
        None if source.is_some_and(|source| source.stdout != outcome.stdout) => {
            Some("it prints something else than on the source".to_owned())
        }
        _ => None,
    }
}

fn lines(outcome: &Outcome) -> Vec<String> {
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

    fn outcome(code: i32, stdout: &str) -> Outcome {
        Outcome {
            end: Some(End::Code(code)),
            stdout: stdout.into(),
            ..Outcome::default()
        }
    }

    fn check(exit: u8, stdout: Option<Expect>) -> Check {
        Check {
            command: "x".to_owned(),
            exit,
            stdout,
        }
    }

    #[test]
    fn a_check_is_judged_by_its_code_then_by_its_output_then_by_the_source() {
        let silver = || Some(Expect::Contains("ag".to_owned()));
        let cases = [
            (check(0, None), outcome(0, "a"), None, None),
            (check(3, None), outcome(3, "a"), None, None),
            (
                check(0, None),
                outcome(1, ""),
                None,
                Some("it returned 1, not 0"),
            ),
            (check(0, silver()), outcome(0, "magma"), None, None),
            (
                check(0, silver()),
                outcome(0, "gold"),
                None,
                Some("it does not print \"ag\""),
            ),
            (check(0, None), outcome(0, "a"), Some(outcome(0, "a")), None),
            (
                check(0, None),
                outcome(0, "a"),
                Some(outcome(0, "b")),
                Some("it prints something else than on the source"),
            ),
            (
                check(0, silver()),
                outcome(0, "ag 1"),
                Some(outcome(0, "ag 2")),
                None,
            ),
            (
                check(0, None),
                outcome(1, ""),
                Some(outcome(1, "")),
                Some("it returned 1, not 0, and fails on the source too"),
            ),
            (
                check(0, None),
                Outcome::default(),
                None,
                Some("the machine ended before it did"),
            ),
        ];
        for (check, after, source, expected) in cases {
            assert_eq!(
                judge(&check, &after, source.as_ref()).as_deref(),
                expected,
                "{check:?} {after:?}"
            );
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
