//! `guestslim trace`: learn what a workload needs from a run of it.

use super::args::OpenArgs;
use super::failure::refuse;
use super::guest::Opening;
use super::trace_report::{Learned, Report};
use super::{Outcome, out};
use crate::model::text::escape;
use crate::profile::{Check, Expect, Profile};
use crate::session::Session;
use crate::trace::{Lines, Request, Trace, trace, traceable};
use crate::vm::wire::{End, Scope};
use crate::vm::{Subject, choose_accel};
use anyhow::Context as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// `trace`.
#[derive(Debug, clap::Args)]
pub struct TraceArgs {
    /// Disk image
    pub image: PathBuf,
    /// Profile that gets what was learned; it is made when it does not exist
    #[arg(short, long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Name of a profile that is made
    #[arg(long)]
    pub name: Option<String>,
    /// Also make the command and what it printed a check of the profile
    #[arg(long, requires = "profile", requires = "line")]
    pub check: bool,
    /// User of the guest that runs the command
    #[arg(long, default_value = "root")]
    pub user: String,
    /// Seconds that the boot may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub boot_cap: u32,
    /// Seconds that the command may take
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    pub command_cap: u32,
    /// How the image is opened.
    #[command(flatten)]
    pub open: OpenArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Command to run in the guest, one word or several; without one, the boot alone is traced
    #[arg(last = true, value_name = "COMMAND")]
    pub line: Vec<String>,
}

/// Longer output makes no check.
const CHECK_OUTPUT: usize = 64 * 1024;

pub fn run(args: &TraceArgs) -> anyhow::Result<Outcome> {
    let mut profile = open_profile(args)?;
    let opening = Opening::new()?;
    let job = opening.job();
    let options = args.open.options();
    let subject = Subject::open(&args.image, &options, &job)?;
    let line = shell_line(&args.line);
    let request = Request {
        commands: line.iter().map(|line| line.clone().into_bytes()).collect(),
        user: args.user.clone().into_bytes(),
        command_cap: Duration::from_secs(args.command_cap.into()),
        boot_cap: Duration::from_secs(args.boot_cap.into()),
        scope: Scope::All,
    };
    let accel = choose_accel(options.accel, traceable(&subject)?, &job)?;
    let mut lines = Lines::default();
    let mut print_live = |bytes: &[u8]| {
        if !args.json {
            show(lines.push(bytes));
        }
    };
    let traced = trace(&subject, &request, accel, &mut print_live, &job)?;
    show(lines.rest());
    drop(opening);
    let inventory = &subject.loaded.inventory;
    let mut report = Report::of(&traced, inventory, line.as_deref());
    let is_usable =
        traced.incomplete.is_none() && (args.check || !traced.outcomes.iter().any(failed));
    if let (Some((path, profile)), true) = (&mut profile, is_usable) {
        report.learned = Some(learn(
            profile,
            path,
            &traced,
            &subject,
            args.check.then_some(line).flatten(),
        )?);
    }
    if args.json {
        out::print_json(&report)?;
    } else {
        out::print(&report.text())?;
    }
    match traced.incomplete {
        Some(why) => Err(refuse(
            format!("the trace is not complete: {}", out::safe(&why)),
            NOT_USED,
        )),
        None if !is_usable => Ok(Outcome::CheckFailed),
        None => Ok(Outcome::Done),
    }
}

const NOT_USED: &str = "nothing was added to the profile; give more time with --boot-cap or --command-cap, or look at the console's last lines with --json";

fn failed(outcome: &crate::vm::Outcome) -> bool {
    !outcome.is_success()
}

/// The profile to add to, read before the guest is opened, because that is quicker.
fn open_profile(args: &TraceArgs) -> anyhow::Result<Option<(PathBuf, Profile)>> {
    let Some(path) = &args.profile else {
        return Ok(None);
    };
    if path.exists() {
        return Ok(Some((path.clone(), Profile::read(path)?)));
    }
    let stem = path.file_stem().unwrap_or_default().as_encoded_bytes();
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| escape(stem).into_owned());
    Ok(Some((
        path.clone(),
        Profile {
            name,
            ..Profile::default()
        },
    )))
}

/// One word is a line for the shell; several are one command with its arguments, each as it is.
fn shell_line(words: &[String]) -> Option<String> {
    match words {
        [] => None,
        [line] => Some(line.clone()),
        words => {
            let quoted: Vec<String> = words.iter().map(|word| quote(word)).collect();
            Some(quoted.join(" "))
        }
    }
}

fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What the command prints goes to standard error: standard output is the report's.
fn show(lines: impl IntoIterator<Item = String>) {
    let text: String = lines.into_iter().map(|line| line + "\n").collect();
    // Nobody is left to tell when this fails.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Adds evidence and check to the profile and writes it.
fn learn(
    profile: &mut Profile,
    path: &Path,
    traced: &Trace,
    subject: &Subject,
    check: Option<String>,
) -> anyhow::Result<Learned> {
    let mut session = Session::new(Arc::clone(&subject.loaded), profile.intent());
    let lesson = session.learn(&traced.evidence(&subject.loaded.inventory.tree));
    profile.intent = session.intent().clone();
    if let (Some(command), Some(outcome)) = (check, traced.outcomes.first()) {
        add_check(profile, command, outcome);
    }
    profile
        .write(path, true)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let name = escape(path.as_os_str().as_encoded_bytes()).into_owned();
    Ok(Learned::of(name, lesson))
}

fn add_check(profile: &mut Profile, command: String, outcome: &crate::vm::Outcome) {
    let Some(End::Code(code)) = outcome.end else {
        return;
    };
    let text = String::from_utf8(outcome.stdout.clone()).ok();
    let stdout = text
        .filter(|text| text.len() <= CHECK_OUTPUT)
        .map(Expect::Exact);
    profile.checks.retain(|check| check.command != command);
    profile.checks.push(Check {
        command,
        exit: u8::try_from(code).unwrap_or(u8::MAX),
        stdout,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_words_are_quoted_for_the_shell_and_one_is_a_line() {
        let line = |words: &[&str]| {
            shell_line(
                &words
                    .iter()
                    .map(|&word| word.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(line(&[]), None);
        assert_eq!(line(&["a | b"]).as_deref(), Some("a | b"));
        assert_eq!(
            line(&["python3", "-c", "print('x')"]).as_deref(),
            Some(r"python3 -c 'print('\''x'\'')'")
        );
    }
}
