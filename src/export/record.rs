//! What an export has done so far, and the report that is made of it.

use super::options::ExportOptions;
use super::place::Place;
use super::report::{ImageSizes, PackageCounts, Report, SourceFile, StepTime, plan_hash};
use super::update::UpdateCost;
use crate::load::Loaded;
use crate::model::inventory::Origin;
use crate::model::{Os, text};
use crate::plan::{Plan, Sizes};
use std::path::Path;
use std::time::Duration;

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub times: Vec<StepTime>,
    pub warnings: Vec<String>,
    pub checked: Vec<String>,
    pub removed: (u64, u64),
    pub used_before: Option<u64>,
    pub used_after: Option<u64>,
    pub output: (u64, String),
    pub update: Option<UpdateCost>,
    /// The output's virtual size.
    pub disk: u64,
}

impl Record {
    /// Nothing has happened yet to an image.
    pub fn of(origin: &Origin) -> Self {
        let damage = origin.damage.iter();
        Self {
            warnings: damage
                .map(|what| format!("the source is damaged, and this is not promised: {what}"))
                .collect(),
            disk: origin.virtual_size,
            ..Self::default()
        }
    }

    /// The report about it.
    pub fn report(
        self,
        place: &Place,
        loaded: &Loaded,
        plan: &Plan,
        options: &ExportOptions,
        mut hashes: Vec<String>,
        took: Duration,
    ) -> Report {
        let disk = loaded.inventory.origin.virtual_size;
        let shown = |path: &Path| text::escape(path.as_os_str().as_encoded_bytes()).into_owned();
        Report {
            guestslim: env!("CARGO_PKG_VERSION"),
            source: shown(&place.source),
            output: shown(&place.output),
            format: options.format.name(),
            way: options.way().name(),
            guest: guest(&loaded.inventory.os),
            profile: options
                .profile
                .as_ref()
                .filter(|profile| !profile.name.is_empty())
                .map(|profile| escaped(&profile.name)),
            source_sha256: hashes.remove(0),
            source_chain: chain(&loaded.inventory.origin, hashes),
            confinement: loaded.inventory.origin.confinement.clone(),
            output_sha256: self.output.1,
            plan_sha256: plan_hash(loaded, plan),
            before: sizes(
                loaded
                    .inventory
                    .origin
                    .file_size
                    .max(place.fingerprint.size()),
                disk,
                self.used_before,
                plan.before,
            ),
            after: sizes(self.output.0, self.disk, self.used_after, plan.after),
            projected: plan.after.compressed.0,
            packages: PackageCounts::of(plan),
            removed_files: self.removed.0,
            removed_bytes: self.removed.1,
            update: self.update,
            steps: self.times,
            seconds: took.as_secs_f64(),
            checked: self.checked,
            warnings: self.warnings,
        }
    }
}

/// The files besides the source's own, each with its hash.
fn chain(origin: &Origin, hashes: Vec<String>) -> Vec<SourceFile> {
    let files = origin.chain.iter().zip(hashes);
    let files = files.map(|(file, sha256)| SourceFile {
        path: escaped(&file.path),
        format: file.format.clone(),
        sha256,
    });
    files.collect()
}

fn escaped(text: &str) -> String {
    text::escape(text.as_bytes()).into_owned()
}

/// What people call the system: its name and the machine that it is for.
fn guest(os: &Os) -> String {
    let name = if os.name.is_empty() { &os.id } else { &os.name };
    escaped(format!("{name} {}", os.arch).trim())
}

fn sizes(file: u64, disk: u64, used: Option<u64>, files: Sizes) -> ImageSizes {
    ImageSizes {
        file,
        disk,
        used,
        files: files.files,
        apparent: files.apparent.0,
        allocated: files.allocated.0,
    }
}
