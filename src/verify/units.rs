//! The rung of systemd's units: no unit fails that works on the source, and systemd answers if it answers there.

use super::Rung;
use super::running::lines;
use crate::model::FileTree;
use crate::model::text::escape;
use crate::vm::Outcome;
use std::collections::BTreeSet;

/// What is asked of a guest that is up. Where logins start the user's own manager, one is started first, as the first login will.
pub const COMMAND: &str = "for pam in /lib/*/security/pam_systemd.so /lib*/security/pam_systemd.so; do \
    [ ! -e \"$pam\" ] || systemctl start user@0.service; done; \
    exec systemctl list-units --failed --no-legend --plain --no-pager";

const ID: &str = "units";

/// Judges what the image said by what the source says; also the units that fail on the image only.
pub fn rung(after: &Outcome, before: Option<&Outcome>, image: &FileTree) -> (Rung, Vec<String>) {
    if !after.is_success() {
        return (silent(after, before, image), Vec::new());
    }
    let failed = failed_units(after);
    if failed.is_empty() {
        return (Rung::pass(ID, "no unit failed"), Vec::new());
    }
    let Some(before) = before.filter(|before| before.is_success()) else {
        let because = "units failed; there is no source to compare with";
        let rung = Rung::fail(ID, because, failed.into_iter().collect());
        return (rung, Vec::new());
    };
    let known = failed_units(before);
    let new: Vec<String> = failed.difference(&known).cloned().collect();
    if new.is_empty() {
        let because = "no unit failed that does not fail in the source";
        return (Rung::pass(ID, because), new);
    }
    let because = "units failed that do not fail in the source";
    (Rung::fail(ID, because, new.clone()), new)
}

/// systemctl did not answer: a failure where it must.
fn silent(after: &Outcome, before: Option<&Outcome>, image: &FileTree) -> Rung {
    let answers_there = before.is_some_and(Outcome::is_success);
    let is_systemd = image
        .resolve(b"/sbin/init")
        .is_some_and(|init| image.name(init.file) == b"systemd");
    if answers_there {
        let because = "systemctl does not answer, and answers in the source";
        return Rung::fail(ID, because, lines(after));
    }
    if before.is_some() {
        return Rung::not_checked(ID, "systemctl does not answer in the source either");
    }
    if is_systemd {
        return Rung::fail(ID, "systemctl does not answer", lines(after));
    }
    Rung::not_checked(ID, "the guest's init system is not systemd")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, FileKind, TreeBuilder};
    use crate::vm::wire::End;

    fn outcome(code: i32, stdout: &str) -> Outcome {
        Outcome {
            end: Some(End::Code(code)),
            stdout: stdout.into(),
            ..Outcome::default()
        }
    }

    fn with_init(program: &str) -> FileTree {
        let mut builder = TreeBuilder::default();
        let link = Entry {
            target: program.into(),
            ..Entry::new(FileKind::Symlink)
        };
        let file = || Entry::new(FileKind::Regular);
        builder.add_path(b"/sbin/init", link).expect("a path");
        builder
            .add_path(program.as_bytes(), file())
            .expect("a path");
        builder.finish().0
    }

    #[test]
    fn only_new_failed_units_fail() {
        let slim = outcome(
            0,
            "a.service loaded failed failed A\nb.service loaded failed failed B\n",
        );
        let full = outcome(0, "a.service loaded failed failed A\n");
        let tree = with_init("/lib/systemd/systemd");
        let (new, lost) = rung(&slim, Some(&full), &tree);
        assert_eq!(
            (new.details, lost),
            (vec!["b.service".to_owned()], vec!["b.service".to_owned()])
        );
        assert!(!rung(&full, Some(&full), &tree).0.is_failed());
        assert!(rung(&full, None, &tree).0.is_failed());
    }

    #[test]
    fn a_systemd_that_does_not_answer_is_a_failure_where_the_source_answers() {
        let (good, bad) = (outcome(0, ""), outcome(127, ""));
        let systemd = with_init("/lib/systemd/systemd");
        let other = with_init("/bin/busybox");
        let cases = [
            (Some(&good), &other, true),
            (Some(&bad), &systemd, false),
            (None, &systemd, true),
            (None, &other, false),
        ];
        for (at, (before, tree, fails)) in cases.into_iter().enumerate() {
            assert_eq!(rung(&bad, before, tree).0.is_failed(), fails, "case {at}");
        }
    }
}
