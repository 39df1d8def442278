//! `guestslim plan`: what would stay and go, and the projected size.

use super::args::PlanArgs;
use super::failure::refuse;
use super::guest::{Opening, read_profile};
use super::json::{DriftJson, FindingJson, OsJson, SizesJson, TrustJson, level_word, plain};
use super::suggest::{OffersJson, SuggestionJson};
use super::table::{Align, count, plural, section};
use super::{Outcome, out};
use crate::export::plan_hash;
use crate::model::text::escape;
use crate::model::{Bytes, FileId, Node};
use crate::plan::class_gone;
use crate::profile::{Profile, drift};
use crate::session::Session;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many rows a list has without `--all`.
const TOP: usize = 15;

pub fn run(args: &PlanArgs) -> anyhow::Result<Outcome> {
    let profile = read_profile(args.profile.as_deref())?;
    let opening = Opening::new()?;
    let session = opening.session(&args.image, &args.open, profile.as_ref())?;
    let mut report = Report::of(&session, profile.as_ref(), args.all);
    report.suggestions = Some(OffersJson::of(&session, &opening.job())?);
    drop(opening);
    if args.json {
        out::print_json(&report)?;
    } else {
        out::print(&report.text())?;
    }
    report.outcome(args.strict)
}

/// A plan as it is printed. The same guest and the same profile give the same bytes.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The profile's name.
    pub profile: Option<String>,
    os: OsJson,
    #[serde(flatten)]
    trust: TrustJson,
    before: SizesJson,
    after: SizesJson,
    /// SHA-256 over all verdicts, as in the export's report.
    plan_sha256: String,
    drift: Vec<DriftJson>,
    findings: Vec<FindingJson>,
    /// What goes, by why it goes.
    dropped: Vec<Group>,
    packages: Vec<Package>,
    /// Suggestions that the profile accepts by their risk class.
    accepted: Vec<SuggestionJson>,
    /// What could still go; only in `plan`.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestions: Option<OffersJson>,
    /// Every path that goes; only with `--all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    dropped_files: Option<Vec<File>>,
}

#[derive(Debug, Serialize)]
struct Group {
    why: String,
    files: u64,
    allocated: u64,
}

#[derive(Debug, Serialize)]
struct Package {
    name: String,
    version: String,
    /// `whole`, `trimmed`, `needed_only`, `hollowed` or `dropped`.
    verdict: &'static str,
    reason: String,
    installed_size: u64,
    /// What would leave together with it.
    retained: u64,
}

#[derive(Debug, Serialize)]
struct File {
    path: String,
    reason: String,
}

impl Report {
    /// The report about a session's plan.
    pub fn of(session: &Session, profile: Option<&Profile>, all: bool) -> Self {
        let (inventory, plan) = (session.inventory(), session.plan());
        let drift = profile.map_or_else(Vec::new, |profile| drift(profile, inventory));
        Self {
            profile: profile.map(|profile| plain(&profile.name)),
            os: (&inventory.os).into(),
            trust: (&inventory.origin).into(),
            before: plan.before.into(),
            after: plan.after.into(),
            plan_sha256: plan_hash(session.loaded(), plan),
            drift: drift.iter().map(DriftJson::from).collect(),
            findings: plan
                .findings
                .iter()
                .map(|finding| FindingJson::of(inventory, finding))
                .collect(),
            dropped: groups(session),
            packages: packages(session),
            accepted: plan.accepted.iter().map(SuggestionJson::of).collect(),
            suggestions: None,
            dropped_files: all.then(|| dropped_files(session)),
        }
    }

    /// Whether there is something that `--strict` does not let pass.
    pub fn has_findings(&self) -> bool {
        !self.drift.is_empty()
            || self
                .findings
                .iter()
                .any(|finding| finding.severity == "warning")
    }

    /// How the command ends; under `--strict`, findings are a failure.
    pub fn outcome(&self, strict: bool) -> anyhow::Result<Outcome> {
        match (self.has_findings(), strict) {
            (false, _) => Ok(Outcome::Done),
            (true, false) => Ok(Outcome::Findings),
            (true, true) => Err(self.strict_failure()),
        }
    }

    fn strict_failure(&self) -> anyhow::Error {
        let warnings = self
            .findings
            .iter()
            .filter(|finding| finding.severity == "warning")
            .count();
        let message = format!(
            "{} and {}, and --strict allows none",
            plural(self.drift.len() as u64, "drift", "drifts"),
            plural(warnings as u64, "warning", "warnings")
        );
        refuse(
            message,
            "look at them with `guestslim plan`, then change the profile or leave --strict out",
        )
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = self.sizes();
        let all = self.dropped_files.is_some();
        text += &self.package_list(all, true);
        text += &self.package_list(all, false);
        let rows: Vec<_> = self.dropped.iter().map(Group::row).collect();
        text += &section(
            "What goes",
            &[Align::Right, Align::Right, Align::Left],
            &rows,
        );
        if let Some(suggestions) = &self.suggestions {
            text += &suggestions.text(all);
        }
        if let Some(files) = &self.dropped_files {
            let rows: Vec<_> = files.iter().map(|file| vec![file.reason.clone()]).collect();
            text += &section("Files that go", &[Align::Left], &rows);
        }
        text + &self.remarks()
    }

    /// Drift and findings, a line each.
    pub fn remarks(&self) -> String {
        let mut text = String::new();
        // A mark that matches nothing is among the findings, too.
        for drift in self.drift.iter().filter(|drift| drift.kind != "unmatched") {
            text += &format!("drift: {}\n", drift.message);
        }
        for finding in &self.findings {
            text += &format!("{}: {}\n", finding.severity, finding.message);
        }
        text
    }

    /// Source and projection.
    pub fn sizes(&self) -> String {
        let kept = self
            .packages
            .iter()
            .filter(|package| package.verdict != "dropped")
            .count();
        let row = |name: &str, sizes: &SizesJson, packages: usize| {
            vec![
                name.to_owned(),
                Bytes(sizes.allocated).to_string(),
                plural(sizes.files, "file", "files"),
                plural(packages as u64, "package", "packages"),
                format!("about {} compressed", Bytes(sizes.compressed)),
            ]
        };
        let rows = [
            row("now", &self.before, self.packages.len()),
            row("projected", &self.after, kept),
        ];
        let profile = self
            .profile
            .as_ref()
            .map_or_else(String::new, |name| format!(", profile {name}"));
        let columns = [
            Align::Left,
            Align::Right,
            Align::Right,
            Align::Right,
            Align::Right,
        ];
        section(&format!("{}{profile}", self.os.name), &columns, &rows)
    }

    fn package_list(&self, all: bool, kept: bool) -> String {
        let packages = self
            .packages
            .iter()
            .filter(|package| (package.verdict != "dropped") == kept);
        let mut rows: Vec<&Package> = packages.collect();
        let total = rows.len();
        rows.sort_by_key(|package| std::cmp::Reverse(package.installed_size));
        rows.truncate(if all { usize::MAX } else { TOP });
        let what = if kept { "stay" } else { "go" };
        let heading = if rows.len() < total {
            let total = count(total as u64);
            format!("Packages that {what}: the biggest of {total}")
        } else {
            format!("Packages that {what}")
        };
        let rows: Vec<_> = rows.into_iter().map(Package::row).collect();
        section(&heading, &[Align::Right, Align::Left], &rows)
    }
}

impl Package {
    fn row(&self) -> Vec<String> {
        vec![Bytes(self.installed_size).to_string(), self.reason.clone()]
    }
}

impl Group {
    fn row(&self) -> Vec<String> {
        vec![
            Bytes(self.allocated).to_string(),
            plural(self.files, "file", "files"),
            self.why.clone(),
        ]
    }
}

fn packages(session: &Session) -> Vec<Package> {
    let (inventory, plan) = (session.inventory(), session.plan());
    inventory
        .package_ids()
        .map(|id| {
            let package = inventory.package(id);
            Package {
                name: plain(&inventory.package_label(id)),
                version: plain(&package.version),
                verdict: level_word(plan.packages[id.index()].level),
                reason: first_reason(session, Node::Package(id)),
                installed_size: package.installed_size.0,
                retained: plan.retained[id.index()].0,
            }
        })
        .collect()
}

fn first_reason(session: &Session, node: Node) -> String {
    session
        .why(node)
        .into_iter()
        .next()
        .map_or_else(String::new, |link| link.text)
}

/// Paths that go, but not what is in a folder that goes.
fn dropped_files(session: &Session) -> Vec<File> {
    dropped(session)
        .map(|file| File {
            path: escape(&session.inventory().tree.path(file)).into_owned(),
            reason: first_reason(session, Node::File(file)),
        })
        .collect()
}

fn dropped(session: &Session) -> impl Iterator<Item = FileId> + '_ {
    let plan = session.plan();
    session
        .inventory()
        .tree
        .ids()
        .filter(|&file| !plan.keeps_file(file))
}

/// The files that go, added up by the kind of reason, the biggest first.
fn groups(session: &Session) -> Vec<Group> {
    let tree = &session.inventory().tree;
    let mut sums: BTreeMap<String, (u64, Bytes)> = BTreeMap::new();
    for file in dropped(session) {
        let reason = session.plan().reasons[file.index()];
        let sum = sums
            .entry(class_gone(session.intent(), session.plan(), reason))
            .or_default();
        sum.0 += 1;
        // A name that goes while another stays frees nothing.
        let names = tree.names(file);
        if tree.is_first_name(file) && names.iter().all(|&name| !session.plan().keeps_file(name)) {
            sum.1 += Bytes(tree.allocated(file));
        }
    }
    let mut groups: Vec<Group> = sums
        .into_iter()
        .map(|(why, (files, bytes))| Group {
            why,
            files,
            allocated: bytes.0,
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.allocated));
    groups
}
