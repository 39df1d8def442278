//! `guestslim profile`: checks, shows and compares profiles.

use super::args::{OpenArgs, ProfileArgs, ProfileCommand};
use super::failure::refuse;
use super::guest::Opening;
use super::json::{DriftJson, level_word};
use super::out::{self, safe};
use super::{Outcome, table};
use crate::plan::{Mark, Risk, RuleId, Wish};
use crate::profile::{Check, Expect, MadeOn, Output, Profile, drift};
use serde::Serialize;
use std::path::Path;

pub fn run(args: &ProfileArgs) -> anyhow::Result<Outcome> {
    match &args.command {
        ProfileCommand::Check {
            profile,
            image,
            open,
            strict,
            json,
        } => check(profile, image.as_deref(), open, *strict, *json),
        ProfileCommand::Show { profile, json } => show(profile, *json),
        ProfileCommand::Diff { old, new, json } => diff(old, new, *json),
    }
}

#[derive(Debug, Serialize)]
struct CheckJson {
    profile: ProfileJson,
    /// Empty when no image was given.
    drift: Vec<DriftJson>,
}

fn check(
    path: &Path,
    image: Option<&Path>,
    open: &OpenArgs,
    strict: bool,
    json: bool,
) -> anyhow::Result<Outcome> {
    let profile = Profile::read(path)?;
    let found = match image {
        Some(image) => drift(&profile, &Opening::new()?.load(image, open)?.inventory),
        None => Vec::new(),
    };
    if json {
        out::print_json(&CheckJson {
            profile: ProfileJson::of(&profile),
            drift: found.iter().map(DriftJson::from).collect(),
        })?;
    } else {
        let mut text = summary(&profile);
        for drift in &found {
            text += &format!("drift: {}\n", drift.message);
        }
        out::print(&text)?;
    }
    match (found.len(), strict) {
        (0, _) => Ok(Outcome::Done),
        (_, false) => Ok(Outcome::Findings),
        (count, true) => {
            let drifts = table::plural(count as u64, "drift", "drifts");
            Err(refuse(
                format!("{drifts}, and --strict allows none"),
                "change the profile or leave --strict out",
            ))
        }
    }
}

fn summary(profile: &Profile) -> String {
    let counts = [
        table::plural(profile.intent.marks.len() as u64, "mark", "marks"),
        table::plural(
            profile.intent.trace.len() as u64,
            "traced path",
            "traced paths",
        ),
        table::plural(profile.checks.len() as u64, "check", "checks"),
    ];
    format!("{}: {}\n", safe(&profile.name), counts.join(", "))
}

fn show(path: &Path, json: bool) -> anyhow::Result<Outcome> {
    let profile = Profile::read(path)?;
    if json {
        out::print_json(&ProfileJson::of(&profile))?;
    } else {
        out::print(&safe(&profile.to_ron()))?;
    }
    Ok(Outcome::Done)
}

#[derive(Debug, Serialize)]
struct DiffJson {
    same: bool,
    /// Lines that only the old profile has.
    removed: Vec<String>,
    /// Lines that only the new profile has.
    added: Vec<String>,
}

fn diff(old: &Path, new: &Path, json: bool) -> anyhow::Result<Outcome> {
    let (old, new) = (Profile::read(old)?, Profile::read(new)?);
    let (old_lines, new_lines) = (lines(&old), lines(&new));
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these
            .iter()
            .filter(|line| !those.contains(line))
            .cloned()
            .collect()
    };
    let removed = only(&old_lines, &new_lines);
    let added = only(&new_lines, &old_lines);
    let report = DiffJson {
        same: old_lines == new_lines,
        removed,
        added,
    };
    if json {
        out::print_json(&report)?;
    } else {
        out::print(&report.text())?;
    }
    Ok(if report.same {
        Outcome::Done
    } else {
        Outcome::Findings
    })
}

impl DiffJson {
    fn text(&self) -> String {
        if !self.same && self.removed.is_empty() && self.added.is_empty() {
            return "the same marks in another order\n".to_owned();
        }
        let removed = self.removed.iter().map(|line| format!("- {line}\n"));
        let added = self.added.iter().map(|line| format!("+ {line}\n"));
        removed.chain(added).collect()
    }
}

/// Everything that matters for a plan, an item a line; name, description and evidence of old runs do not.
fn lines(profile: &Profile) -> Vec<String> {
    let json = ProfileJson::of(profile);
    let rules = json
        .rules
        .iter()
        .map(|rule| format!("rule {} {}", rule.name, if rule.on { "on" } else { "off" }));
    let trace = json.trace.iter().map(|path| format!("trace {path}"));
    let checks = json
        .checks
        .iter()
        .map(|check| format!("check {} (exit {})", check.command, check.exit));
    let mut lines: Vec<String> = json.marks.iter().map(MarkJson::line).collect();
    lines.extend(rules);
    lines.push(format!("needed level {}", json.needed_level));
    lines.extend(json.accept.map(|class| format!("accept {class}")));
    let hypervisors = json.hypervisors.iter();
    lines.extend(hypervisors.map(|id| format!("runs on {id}")));
    lines.extend(json.initramfs.map(|what| format!("initramfs {what}")));
    lines.extend(trace.chain(checks));
    lines
}

#[derive(Debug, Serialize)]
struct ProfileJson {
    version: u32,
    name: String,
    description: String,
    made_on: Option<MadeOnJson>,
    marks: Vec<MarkJson>,
    rules: Vec<RuleJson>,
    needed_level: &'static str,
    /// The risk class of suggestions that are accepted, whichever there are.
    accept: Option<&'static str>,
    /// What the output will run on; empty when nothing is declared.
    hypervisors: Vec<&'static str>,
    /// `rebuilt`, or nothing where it stays as it is.
    initramfs: Option<&'static str>,
    trace: Vec<String>,
    checks: Vec<CheckedJson>,
    output: Output,
}

#[derive(Debug, Serialize)]
struct MadeOnJson {
    os: String,
    version: String,
    arch: String,
    date: String,
    size: u64,
    packages: usize,
}

#[derive(Debug, Serialize)]
struct MarkJson {
    selector: String,
    /// `whole`, `trimmed`, `needed_only`, `hollowed`, or `dropped`.
    wish: &'static str,
}

#[derive(Debug, Serialize)]
struct RuleJson {
    name: &'static str,
    on: bool,
}

#[derive(Debug, Serialize)]
struct CheckedJson {
    command: String,
    exit: u8,
    contains: Option<String>,
    exact: Option<String>,
}

impl ProfileJson {
    fn of(profile: &Profile) -> Self {
        let intent = &profile.intent;
        Self {
            version: crate::profile::VERSION,
            name: safe(&profile.name),
            description: safe(&profile.description),
            made_on: profile.made_on.as_ref().map(MadeOnJson::of),
            marks: intent.marks.iter().map(MarkJson::of).collect(),
            rules: RuleId::all()
                .map(|id| RuleJson {
                    name: id.rule().id,
                    on: intent.rules.contains(id),
                })
                .collect(),
            needed_level: level_word(Some(intent.needed_level)),
            accept: intent.accept.map(Risk::word),
            hypervisors: intent
                .hypervisors
                .iter()
                .map(|id| id.hypervisor().id)
                .collect(),
            initramfs: intent.rebuilds_initramfs.then_some("rebuilt"),
            trace: intent.trace.clone(),
            checks: profile.checks.iter().map(CheckedJson::of).collect(),
            output: profile.output,
        }
    }
}

impl MadeOnJson {
    fn of(made_on: &MadeOn) -> Self {
        Self {
            os: safe(&made_on.os),
            version: safe(&made_on.version),
            arch: safe(&made_on.arch),
            date: safe(&made_on.date),
            size: made_on.size,
            packages: made_on.packages.len(),
        }
    }
}

impl MarkJson {
    fn of(mark: &Mark) -> Self {
        Self {
            selector: safe(&mark.selector.to_string()),
            wish: match mark.wish {
                Wish::Keep(level) => level_word(Some(level)),
                Wish::Drop => level_word(None),
            },
        }
    }

    fn line(&self) -> String {
        match self.wish {
            "dropped" => format!("drop {}", self.selector),
            level => format!("keep {} ({level})", self.selector),
        }
    }
}

impl CheckedJson {
    fn of(check: &Check) -> Self {
        let (contains, exact) = match &check.stdout {
            Some(Expect::Contains(text)) => (Some(safe(text)), None),
            Some(Expect::Exact(text)) => (None, Some(safe(text))),
            None => (None, None),
        };
        Self {
            command: safe(&check.command),
            exit: check.exit,
            contains,
            exact,
        }
    }
}
