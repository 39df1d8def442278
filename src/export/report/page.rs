//! The report for people: one page, then the lists.

use super::{FullReport, ImageSizes};
use crate::model::Bytes;
use crate::model::table::{Align, count, plural, section, table};
use crate::model::text::escape;
use crate::profile::DriftKind;
use std::io::{self, Write};

const TWO: &[Align] = &[Align::Left, Align::Left];
const SIZES: &[Align] = &[Align::Left, Align::Right, Align::Right, Align::Right];
const SUMS: &[Align] = &[Align::Right, Align::Right, Align::Left];

impl FullReport<'_> {
    pub(super) fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.page().as_bytes())?;
        for (heading, stays) in [("Packages that stay", true), ("Packages that go", false)] {
            let rows: Vec<_> = self
                .packages(stays)
                .map(|line| {
                    let name = format!("{}:{}", line.package, line.arch);
                    vec![name, line.version, line.level.to_owned()]
                })
                .collect();
            let columns = &[Align::Left, Align::Left, Align::Left];
            let heading = format!("{heading}: {}", count(rows.len() as u64));
            out.write_all(section(&heading, columns, &rows).as_bytes())?;
        }
        out.write_all(self.folders().as_bytes())?;
        out.write_all(lines("Changed files", self.changed()).as_bytes())
    }

    /// What fits on a page, without the lists.
    pub fn page(&self) -> String {
        let report = self.report;
        let mut text = format!("guestslim {} wrote {}\n\n", report.guestslim, report.output);
        text += &section("Result", TWO, &self.result());
        text += &section("Sizes", SIZES, &sizes(&report.before, &report.after));
        text += &self.reasons();
        let steps: Vec<_> = report
            .steps
            .iter()
            .map(|step| vec![format!("{:.1} s", step.seconds), step.step.clone()])
            .collect();
        let heading = format!("Steps, {:.0} s in all", report.seconds);
        text += &section(&heading, &[Align::Right, Align::Left], &steps);
        text += &lines("Checked while it was written", report.checked.clone());
        text += &self.verified.text;
        text.push('\n');
        let not_covered = self.not_covered().into_iter().map(str::to_owned);
        text += &lines("Not covered by any of this", not_covered.collect());
        text += &lines("Notes", report.warnings.clone());
        // A mark that matches nothing is among the findings, too.
        let drift = self.drift().into_iter();
        let drift = drift.filter(|drift| drift.kind != DriftKind::Unmatched);
        text += &lines("Drift", drift.map(|drift| drift.message).collect());
        text + &lines("Findings", self.findings())
    }

    fn result(&self) -> Vec<Vec<String>> {
        let report = self.report;
        let packages = &report.packages;
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let mut rows = vec![
            ("source", report.source.clone()),
            ("SHA-256", report.source_sha256.clone()),
        ];
        for file in &report.source_chain {
            rows.push(("builds on", format!("{} ({})", file.path, file.format)));
            rows.push(("SHA-256", file.sha256.clone()));
        }
        rows.extend([
            ("read by", reader(&report.confinement)),
            ("output", format!("{}, {}", report.output, report.format)),
            ("SHA-256", report.output_sha256.clone()),
            ("guest", report.guest.clone()),
            ("profile", or_none(&report.profile)),
            ("plan", report.plan_sha256.clone()),
            (
                "packages",
                format!(
                    "{} stay, {} stay in part, {} gone",
                    count(packages.kept as u64),
                    count(packages.cut as u64),
                    count(packages.dropped as u64)
                ),
            ),
            (
                "removed",
                format!(
                    "{}, {}",
                    plural(report.removed_files, "file", "files"),
                    Bytes(report.removed_bytes)
                ),
            ),
            ("projected", format!("about {}", Bytes(report.projected))),
        ]);
        if let Some(cost) = &report.update {
            let words = format!(
                "{} of {} chunks of {} KiB are not in {}: {} to fetch before compression",
                count(cost.new_chunks),
                count(cost.chunks),
                cost.chunk / 1024,
                cost.previous,
                Bytes(cost.new_bytes)
            );
            rows.push(("update", words));
        }
        rows.into_iter()
            .map(|(name, value)| vec![name.to_owned(), value])
            .collect()
    }

    fn reasons(&self) -> String {
        let classes = self.classes(&self.gone(), &self.records());
        let rows: Vec<_> = classes
            .into_iter()
            .map(|class| {
                let files = plural(class.files, "path", "paths");
                vec![Bytes(class.freed).to_string(), files, class.reason]
            })
            .collect();
        section("What went", SUMS, &rows)
    }

    /// Where files went from, the most room first.
    fn folders(&self) -> String {
        let removals = self.steps.iter().filter_map(|step| step.kind.removal());
        let rows: Vec<_> = removals
            .flat_map(|removal| &removal.summary)
            .map(|(folder, files, bytes)| {
                let files = plural(*files, "file", "files");
                vec![bytes.to_string(), files, escape(folder).into_owned()]
            })
            .collect();
        section("Removed, by folder", SUMS, &rows)
    }
}

/// What read the image's format, and what confined it.
fn reader(layers: &[&str]) -> String {
    match layers {
        [] => "qemu-nbd, not confined".to_owned(),
        layers => format!("qemu-nbd, confined by {}", layers.join(" and ")),
    }
}

fn sizes(before: &ImageSizes, after: &ImageSizes) -> Vec<Vec<String>> {
    let bytes = |size: u64| Bytes(size).to_string();
    let known = |size: Option<u64>| size.map_or_else(|| "unknown".to_owned(), bytes);
    let percent = |before: u64, after: u64| {
        let percent = after.saturating_mul(100).checked_div(before);
        percent.map_or_else(String::new, |percent| format!("{percent} %"))
    };
    let row = |name: &str, of: fn(&ImageSizes) -> u64, shown: &dyn Fn(u64) -> String| {
        let (before, after) = (of(before), of(after));
        let share = percent(before, after);
        vec![name.to_owned(), shown(before), shown(after), share]
    };
    let mut rows = vec![
        vec![String::new(), "source".to_owned(), "output".to_owned()],
        row("image file", |sizes| sizes.file, &bytes),
        row("virtual disk", |sizes| sizes.disk, &bytes),
        row("files, as allocated", |sizes| sizes.allocated, &bytes),
        row("files, as long as they are", |sizes| sizes.apparent, &bytes),
        row("files, folders and links", |sizes| sizes.files, &count),
    ];
    if before.used.or(after.used).is_some() {
        let measured = "in use, as measured".to_owned();
        rows.push(vec![measured, known(before.used), known(after.used)]);
    }
    rows
}

/// A heading and indented lines; nothing when there are none.
fn lines(heading: &str, lines: Vec<String>) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = lines.into_iter().map(|line| vec![line]).collect();
    format!("{heading}\n{}\n", table(&[Align::Left], &rows))
}
