//! The rung of the profile's checks: exit codes and outputs as expected, and as on the source.

use super::Rung;
use super::running::lines;
use crate::model::text::escape;
use crate::profile::{Check, Expect};
use crate::vm::Outcome;
use crate::vm::wire::End;

/// Judges all checks by what became of them on the image and, where it is known, on the source.
pub fn rung(checks: &[Check], after: &[Outcome], before: Option<&[Outcome]>) -> Rung {
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
    Rung::fail(ID, "a command no longer works", failed)
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
        Some(End::TimedOut) => return Some(format!("it timed out{there}")),
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
            Some("its output differs from the source's".to_owned())
        }
        _ => None,
    }
}

/// The checks, by place, that fail on the image and pass on the source: what the image lost.
pub fn lost(checks: &[Check], after: &[Outcome], before: Option<&[Outcome]>) -> Vec<usize> {
    let Some(before) = before else {
        return Vec::new();
    };
    let is_lost = |&at: &usize| {
        let source = before.get(at).cloned().unwrap_or_default();
        let outcome = after.get(at).cloned().unwrap_or_default();
        judge(&checks[at], &outcome, Some(&source)).is_some()
            && judge(&checks[at], &source, None).is_none()
    };
    (0..checks.len()).filter(is_lost).collect()
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
                Some("its output differs from the source's"),
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
    fn lost_is_what_fails_here_and_passes_on_the_source() {
        let checks = [
            check(0, None),
            check(0, None),
            check(0, None),
            check(0, None),
        ];
        let [good, bad] = [outcome(0, "a"), outcome(1, "")];
        let other = outcome(0, "b");
        let after = [good.clone(), bad.clone(), bad.clone(), other];
        let before = [good.clone(), good.clone(), bad, good];
        assert_eq!(lost(&checks, &after, Some(&before)), [1, 3]);
        assert_eq!(lost(&checks, &after, None), [0; 0]);
        assert_eq!(lost(&checks, &[], Some(&before)), [0, 1, 3]);
    }
}
