//! The lists of a report: packages, removed paths, changed files. They are made while they are written, because a guest
//! may lose a million files.

use super::FullReport;
use crate::export::removal::freed_by;
use crate::export::step::{Step, StepKind};
use crate::model::text::escape;
use crate::model::{FileId, FileKind, Inventory, PackageId};
use crate::plan::{Finding, Severity, class_gone, why_gone};
use crate::profile::{Drift, drift};
use fixedbitset::FixedBitSet;
use serde::{Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

/// The report for programs; what is in [`super::Report`] comes first.
#[derive(Serialize)]
struct Json<'a, K, G, R> {
    #[serde(flatten)]
    report: &'a super::Report,
    verified: &'a serde_json::Value,
    not_covered: Vec<&'static str>,
    drift: Vec<String>,
    findings: Vec<String>,
    changed: Vec<String>,
    removed_by_reason: Vec<Class>,
    kept_packages: K,
    dropped_packages: G,
    removed: R,
}

/// A list that is made anew each time that it is written.
struct Stream<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Stream<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// A package of the source.
#[derive(Debug, Serialize)]
pub(super) struct PackageLine {
    pub package: String,
    pub version: String,
    pub arch: String,
    /// `gone` or the level at which it stays.
    pub level: &'static str,
}

/// A path that is gone.
#[derive(Debug, Serialize)]
struct Gone {
    path: String,
    reason: String,
    /// The length of its contents.
    size: u64,
    /// The room on disk that it gave back.
    freed: u64,
}

/// What went for one kind of reason.
#[derive(Debug, Serialize)]
pub(super) struct Class {
    pub reason: String,
    pub files: u64,
    pub freed: u64,
}

impl FullReport<'_> {
    pub(super) fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let gone = self.gone();
        let records = self.records();
        let json = Json {
            report: self.report,
            verified: &self.verified.json,
            not_covered: self.not_covered(),
            drift: self
                .drift()
                .into_iter()
                .map(|drift| drift.message)
                .collect(),
            findings: self.findings(),
            changed: self.changed(),
            removed_by_reason: self.classes(&gone, &records),
            kept_packages: Stream(|| self.packages(true)),
            dropped_packages: Stream(|| self.packages(false)),
            removed: Stream(|| {
                let paths = gone.ones().map(|at| FileId(at as u32));
                paths.map(|file| self.gone_path(file, &gone, &records))
            }),
        };
        serde_json::to_writer_pretty(&mut *out, &json)?;
        out.write_all(b"\n")
    }

    fn inventory(&self) -> &Inventory {
        &self.loaded.inventory
    }

    /// One bit a file: a step removed it.
    pub(super) fn gone(&self) -> FixedBitSet {
        let tree = &self.inventory().tree;
        let mut gone = FixedBitSet::with_capacity(tree.len());
        for step in &self.steps {
            if let Some(removal) = step.kind.removal() {
                let paths = removal.files.iter().chain(&removal.folders);
                gone.extend(
                    paths
                        .filter_map(|path| tree.lookup(path))
                        .map(FileId::index),
                );
            }
        }
        gone
    }

    /// The package manager's own files about packages that go.
    pub(super) fn records(&self) -> HashMap<FileId, PackageId> {
        let inventory = self.inventory();
        let dropped = inventory
            .package_ids()
            .filter(|&id| !self.plan.keeps_package(id));
        dropped
            .flat_map(|id| {
                let records = inventory.package(id).record_files.iter();
                records.map(move |&file| (file, id))
            })
            .collect()
    }

    fn gone_path(
        &self,
        file: FileId,
        gone: &FixedBitSet,
        records: &HashMap<FileId, PackageId>,
    ) -> Gone {
        let tree = &self.inventory().tree;
        let is_folder = tree.kind(file) == FileKind::Directory;
        Gone {
            path: escape(&tree.path(file)).into_owned(),
            reason: self.reason(file, records),
            size: if is_folder { 0 } else { tree.size(file) },
            freed: freed_by(tree, file, gone).0,
        }
    }

    fn reason(&self, file: FileId, records: &HashMap<FileId, PackageId>) -> String {
        if let Some(&package) = records.get(&file) {
            let label = self.inventory().package_label(package);
            return format!("record of {}, which goes", escape(label.as_bytes()));
        }
        let reason = self.plan.reasons[file.index()];
        why_gone(self.inventory(), &self.intent, self.plan, reason)
            .unwrap_or_else(|| LED_NOWHERE.to_owned())
    }

    /// What went, added up by kind of reason, the most room first.
    pub(super) fn classes(
        &self,
        gone: &FixedBitSet,
        records: &HashMap<FileId, PackageId>,
    ) -> Vec<Class> {
        let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for file in gone.ones().map(|at| FileId(at as u32)) {
            let class = if records.contains_key(&file) {
                "records of packages that go".to_owned()
            } else if self.plan.keeps_file(file) {
                LED_NOWHERE.to_owned()
            } else {
                class_gone(&self.intent, self.plan, self.plan.reasons[file.index()])
            };
            let sum = sums.entry(class).or_default();
            sum.0 += 1;
            sum.1 += freed_by(&self.inventory().tree, file, gone).0;
        }
        let mut classes: Vec<Class> = sums
            .into_iter()
            .map(|(reason, (files, freed))| Class {
                reason,
                files,
                freed,
            })
            .collect();
        classes.sort_by_key(|class| std::cmp::Reverse(class.freed));
        classes
    }

    /// Packages that stay, or those that go, by name.
    pub(super) fn packages(&self, stays: bool) -> impl Iterator<Item = PackageLine> {
        let inventory = self.inventory();
        inventory
            .package_ids()
            .filter(move |&id| self.plan.keeps_package(id) == stays)
            .map(move |id| {
                let package = inventory.package(id);
                let shown = |text: &str| escape(text.as_bytes()).into_owned();
                PackageLine {
                    package: shown(&package.name),
                    version: shown(&package.version),
                    arch: shown(&package.arch),
                    level: self.plan.packages[id.index()]
                        .level
                        .map_or("gone", crate::plan::Level::word),
                }
            })
    }

    /// Files that are there but not as they were, a line each.
    pub(super) fn changed(&self) -> Vec<String> {
        let is_change = |kind: &StepKind| {
            matches!(
                kind,
                StepKind::Write(_) | StepKind::Initramfs(_) | StepKind::Link(_) | StepKind::Move(_)
            )
        };
        let steps = self.steps.iter().filter(|step| is_change(&step.kind));
        steps.flat_map(Step::details).collect()
    }

    /// How the guest differs from the one that the profile was made on.
    pub(super) fn drift(&self) -> Vec<Drift> {
        let profile = self.profile;
        profile.map_or_else(Vec::new, |profile| drift(profile, self.inventory()))
    }

    /// What the plan says that a person should know.
    pub(super) fn findings(&self) -> Vec<String> {
        let line = |finding: &Finding| {
            let word = match finding.severity {
                Severity::Note => "note",
                Severity::Warning => "warning",
            };
            format!("{word}: {}", finding.message)
        };
        self.plan.findings.iter().map(line).collect()
    }

    /// What nobody looked at, whatever the checks say.
    pub(super) fn not_covered(&self) -> Vec<&'static str> {
        let has = |what: fn(&crate::profile::Profile) -> bool| self.profile.is_some_and(what);
        let mut lines = Vec::new();
        if !has(|profile| !profile.intent.trace.is_empty()) {
            lines.push(
                "no workload was traced: files that are read without being declared are unknown",
            );
        }
        if !has(|profile| !profile.checks.is_empty()) {
            lines.push("the profile has no checks: no command was proved to work");
        }
        lines.push("hardware that the test machine lacks (GPUs, fast networks) was not tried");
        lines
    }
}

/// Why a path goes that the plan itself would keep.
const LED_NOWHERE: &str = "what it leads to or is about goes";
