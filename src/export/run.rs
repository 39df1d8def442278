//! Carries the steps out, in order, and reports.

use super::error::ExportError;
use super::image;
use super::options::{ExportOptions, OutputFormat};
use super::place::{Place, Workshop};
use super::report::{ImageSizes, PackageCounts, Report, StepTime, file_hash, plan_hash};
use super::step::{Removal, Step, StepKind};
use super::steps::steps;
use super::surgery::Surgery;
use crate::job::{Cancel, Job};
use crate::load::Loaded;
use crate::model::{Bytes, text};
use crate::plan::Plan;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What an overlay takes besides the blocks that removing touches.
const OVERLAY_BYTES: u64 = 64 << 20;
/// What removing one file writes, at most, on average.
const TOUCHED_BYTES: u64 = 1 << 10;
/// With less than this left, QEMU would soon stop the appliance for good; it is ended first.
const LAST_BYTES: Bytes = Bytes(4 << 20);
/// How often the guard looks.
const LOOK: Duration = Duration::from_millis(100);

/// Refuses an output that must not be written, before anything is opened; nothing is created.
///
/// # Errors
/// As [`export`]'s about the two paths.
pub fn check(source: &Path, options: &ExportOptions) -> Result<(), ExportError> {
    Place::choose(source, &options.output, options.force).map(drop)
}

/// Writes the minimal image of `source` as `plan` says.
///
/// # Errors
/// Whatever goes wrong, the source is untouched, there is no output, and nothing is left behind.
pub fn export(
    source: &Path,
    loaded: &Loaded,
    plan: &Plan,
    options: &ExportOptions,
    job: &Job,
) -> Result<Report, ExportError> {
    let begun = Instant::now();
    job.check()?;
    let place = Place::choose(source, &options.output, options.force)?;
    let steps = steps(loaded, plan, options)?;
    place.check_room(needed(loaded, plan, options))?;
    let workshop = Workshop::open(&place.folder)?;
    let cancel = Cancel::default();
    let inner = Job::quiet().with_cancel(cancel.clone());
    let guard = Guard {
        place: &place,
        outer: job,
        cancel,
        done: AtomicBool::new(false),
        is_full: AtomicBool::new(false),
    };
    let (run, hash) = thread::scope(|scope| {
        scope.spawn(|| guard.watch());
        let hash = scope.spawn(|| file_hash(&place.source, &inner));
        let mut run = Run::new(&place, &workshop, loaded, options, job, &inner);
        let done = steps.iter().try_for_each(|step| run.step(step));
        if done.is_err() {
            guard.cancel.cancel();
        }
        let hash = hash.join().expect("hashing does not panic");
        guard.done.store(true, Ordering::SeqCst);
        (done.map(|()| run.record), hash)
    });
    let record = run.map_err(|error| guard.explain(error))?;
    let source_sha256 = hash.map_err(ExportError::host("read", &place.source))??;
    Ok(record.report(
        &place,
        loaded,
        plan,
        options,
        source_sha256,
        begun.elapsed(),
    ))
}

/// The room that overlay and output take together, at most.
fn needed(loaded: &Loaded, plan: &Plan, options: &ExportOptions) -> Bytes {
    let origin = &loaded.inventory.origin;
    let touched = (plan.kept.len() - plan.kept.count_ones(..)) as u64 * TOUCHED_BYTES;
    let output = match options.format {
        OutputFormat::Qcow2 | OutputFormat::Vmdk => plan.after.compressed,
        OutputFormat::Raw | OutputFormat::Vdi => plan.after.allocated,
    };
    Bytes(OVERLAY_BYTES + touched) + Bytes(output.0.min(origin.virtual_size))
}

/// Watches over the appliance: a full disk would stop it for good, and a cancel must reach it.
struct Guard<'a> {
    place: &'a Place,
    outer: &'a Job,
    cancel: Cancel,
    done: AtomicBool,
    is_full: AtomicBool,
}

impl Guard<'_> {
    fn watch(&self) {
        while !self.done.load(Ordering::SeqCst) {
            if self.outer.check().is_err() {
                self.cancel.cancel();
            } else if self.place.free().is_ok_and(|free| free < LAST_BYTES) {
                self.is_full.store(true, Ordering::SeqCst);
                self.cancel.cancel();
            }
            thread::sleep(LOOK);
        }
    }

    /// A cancel that nobody asked for comes from a full disk.
    fn explain(&self, error: ExportError) -> ExportError {
        if error.is_cancelled() && self.is_full.load(Ordering::SeqCst) && self.outer.check().is_ok()
        {
            let folder = self.place.folder.clone();
            return ExportError::Full(folder);
        }
        error
    }
}

/// What has happened so far.
#[derive(Debug, Default)]
struct Record {
    times: Vec<StepTime>,
    warnings: Vec<String>,
    checked: Vec<String>,
    removed: (u64, u64),
    used_before: Option<u64>,
    used_after: Option<u64>,
    output: (u64, String),
}

/// An export under way.
struct Run<'a> {
    place: &'a Place,
    loaded: &'a Loaded,
    options: &'a ExportOptions,
    job: &'a Job,
    inner: &'a Job,
    overlay: PathBuf,
    product: PathBuf,
    surgery: Option<Surgery<'a>>,
    record: Record,
}

impl<'a> Run<'a> {
    fn new(
        place: &'a Place,
        workshop: &'a Workshop,
        loaded: &'a Loaded,
        options: &'a ExportOptions,
        job: &'a Job,
        inner: &'a Job,
    ) -> Self {
        Self {
            overlay: workshop.file("overlay.qcow2"),
            product: workshop.file("output"),
            place,
            loaded,
            options,
            job,
            inner,
            surgery: None,
            record: Record::default(),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), ExportError> {
        self.job.check()?;
        self.job.items(&step.heading, 0, None);
        let begun = Instant::now();
        self.carry_out(step)?;
        let seconds = begun.elapsed().as_secs_f64();
        self.record.times.push(StepTime {
            step: step.heading.clone(),
            seconds,
        });
        Ok(())
    }

    fn carry_out(&mut self, step: &Step) -> Result<(), ExportError> {
        match &step.kind {
            StepKind::Overlay => {
                let format = &self.loaded.inventory.origin.format;
                image::create_overlay(&self.place.source, format, &self.overlay, self.inner)
            }
            StepKind::Start => self.start(),
            StepKind::Remove(removal) => self.remove(&step.heading, removal),
            StepKind::Move(moves) => self.surgery().rename(moves),
            StepKind::Write(texts) => self.surgery().write(texts),
            StepKind::Link(links) => self.surgery().link(links),
            StepKind::Trim => self.trim(),
            StepKind::Check => self.check(),
            StepKind::Convert(format) => self.convert(&step.heading, *format),
            StepKind::Inspect => self.inspect(),
            StepKind::Publish(_) => {
                self.place.check_source()?;
                self.place.publish(&self.product)
            }
        }
    }

    fn start(&mut self) -> Result<(), ExportError> {
        let accel = self.options.open.accel;
        let surgery = Surgery::start(&self.overlay, accel, self.job, self.inner)?;
        self.record.warnings.extend_from_slice(surgery.notes());
        self.record.used_before = surgery.used();
        self.surgery = Some(surgery);
        Ok(())
    }

    fn surgery(&mut self) -> &mut Surgery<'a> {
        self.surgery
            .as_mut()
            .expect("the steps start the appliance before they use it")
    }

    fn remove(&mut self, heading: &str, removal: &Removal) -> Result<(), ExportError> {
        self.record.removed = (removal.files.len() as u64, removal.freed.0);
        self.surgery().remove(heading, removal)
    }

    fn trim(&mut self) -> Result<(), ExportError> {
        let failed = self.surgery().trim()?;
        self.record.warnings.extend(failed);
        self.record.used_after = self.surgery().used();
        let (before, after) = (self.record.used_before, self.record.used_after);
        if self.record.removed.1 > 1 << 20
            && before
                .zip(after)
                .is_some_and(|(before, after)| after >= before)
        {
            self.record
                .warnings
                .push("removing files freed no room in the guest".to_owned());
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), ExportError> {
        let checked = self.surgery().check()?;
        self.record.checked.extend(checked.sound);
        self.record.warnings.extend(checked.skipped);
        let surgery = self.surgery.take().expect("it was just used");
        surgery.stop()
    }

    fn convert(&self, heading: &str, format: OutputFormat) -> Result<(), ExportError> {
        let total = self.loaded.inventory.origin.virtual_size;
        let progress = |percent: f64| {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "a share of a size, for a gauge"
            )]
            self.job.bytes(
                heading,
                (total as f64 * percent / 100.0) as u64,
                Some(total),
            );
        };
        image::convert(
            &self.overlay,
            &self.product,
            format,
            self.options.compression,
            self.inner,
            progress,
        )?;
        // Room for whoever is short of it; the workshop would remove it anyway.
        let _ = fs::remove_file(&self.overlay);
        Ok(())
    }

    fn inspect(&mut self) -> Result<(), ExportError> {
        let path = &self.product;
        let (hash, checked) = thread::scope(|scope| {
            let hash = scope.spawn(|| file_hash(path, self.inner));
            let checked = image::check(path, self.options.format, self.inner);
            (hash.join().expect("hashing does not panic"), checked)
        });
        checked?;
        let hash = hash.map_err(ExportError::host("read", path))??;
        let size = fs::metadata(path)
            .map_err(ExportError::host("read", path))?
            .len();
        self.record.output = (size, hash);
        self.record.checked.push(format!(
            "structure of the {} image",
            self.options.format.name()
        ));
        Ok(())
    }
}

impl Record {
    fn report(
        self,
        place: &Place,
        loaded: &Loaded,
        plan: &Plan,
        options: &ExportOptions,
        source_sha256: String,
        took: Duration,
    ) -> Report {
        let disk = loaded.inventory.origin.virtual_size;
        let shown = |path: &Path| text::escape(path.as_os_str().as_encoded_bytes()).into_owned();
        Report {
            guestslim: env!("CARGO_PKG_VERSION"),
            source: shown(&place.source),
            output: shown(&place.output),
            format: options.format.name(),
            source_sha256,
            output_sha256: self.output.1,
            plan_sha256: plan_hash(loaded, plan),
            before: ImageSizes {
                file: place.fingerprint.size(),
                disk,
                used: self.used_before,
            },
            after: ImageSizes {
                file: self.output.0,
                disk,
                used: self.used_after,
            },
            projected: plan.after.compressed.0,
            packages: PackageCounts::of(plan),
            removed_files: self.removed.0,
            removed_bytes: self.removed.1,
            steps: self.times,
            seconds: took.as_secs_f64(),
            checked: self.checked,
            warnings: self.warnings,
        }
    }
}
