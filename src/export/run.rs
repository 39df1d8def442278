//! Carries the steps out, in order, and reports.

mod output;
mod work;

use super::editor::Editor;
use super::error::ExportError;
use super::guard::Guard;
use super::host::{self};
use super::image;
use super::options::ExportOptions;
use super::place::Place;
use super::record::Record;
use super::report::{ENDINGS, Report, SourceHashes, StepTime, source_hashes};
use super::room;
use super::step::{Step, StepKind};
use super::steps::steps_by;
use super::unlink::Paths;
use super::update;
use super::workshop::Workshop;
use crate::guest::OpenOptions;
use crate::guest::image::Image;
use crate::job::{Cancel, Job};
use crate::load::Loaded;
use crate::plan::Plan;
use crossbeam_channel::{Receiver, bounded};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

/// The file in the work folder that is a drive for an archive.
const SCRATCH: &str = "archive";

/// The disk's copy in the work folder.
const COPY: &str = "copy.raw";

/// Refuses an output that must not be written, before anything is opened; nothing is created.
///
/// # Errors
/// As [`export`]'s about the two paths.
pub fn check(source: &Path, options: &ExportOptions) -> Result<(), ExportError> {
    let place = Place::choose(source, &options.output, ENDINGS, options.force)?;
    place.check_below(&options.open.image(source)?, &options.output)?;
    update::check(options)
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
    let place = Place::choose(source, &options.output, ENDINGS, options.force)?;
    let open = OpenOptions {
        format: Some(loaded.inventory.origin.format.clone()),
        ..options.open.clone()
    };
    let image = open.image(source)?;
    place.check_below(&image, &options.output)?;
    update::check(options)?;
    let by_host = host::refusal(&loaded.inventory, options).is_none()
        && place
            .check_room(room::needed(true, loaded, plan, options))
            .is_ok();
    place.check_room(room::needed(by_host, loaded, plan, options))?;
    let workshop = Workshop::open(&place.folder)?;
    let cancel = Cancel::default();
    let inner = Job::quiet().with_cancel(cancel.clone());
    let guard = Guard::new(&place, job, cancel);
    let task = Task {
        image: &image,
        loaded,
        plan,
        options,
        job,
        inner: &inner,
        begun,
    };
    let (hasher, hash) = bounded(1);
    let run = thread::scope(|scope| {
        let _ending = guard.until_dropped();
        scope.spawn(|| guard.watch());
        scope.spawn(|| hasher.send(source_hashes(&image, &inner)));
        let run = |by_host, note| Run::all(&task, &place, &workshop, &hash, by_host, note);
        match run(by_host, None) {
            Err(ExportError::NeedsAppliance(why)) => {
                let note = format!("the appliance made the output: {why}");
                run(false, Some(note))
            }
            done => done,
        }
    });
    let (report, last_steps) = run.map_err(|error| guard.explain(error))?;
    let mut report = report.expect("the last step makes the report");
    report.steps.extend(last_steps);
    report.seconds = begun.elapsed().as_secs_f64();
    Ok(report)
}

/// What was asked for.
#[derive(Clone, Copy)]
struct Task<'a> {
    image: &'a Image,
    loaded: &'a Loaded,
    plan: &'a Plan,
    options: &'a ExportOptions,
    /// Who is told about progress.
    job: &'a Job,
    /// Who is cancelled when the work must end.
    inner: &'a Job,
    begun: Instant,
}

/// An export under way.
struct Run<'a> {
    task: Task<'a>,
    place: &'a Place,
    workshop: &'a Workshop,
    source_hash: &'a Receiver<SourceHashes>,
    overlay: PathBuf,
    /// The new disk, where one is filled, or the disk's copy.
    new_disk: Option<PathBuf>,
    product: PathBuf,
    editor: Option<Editor<'a>>,
    /// What is still to be removed once there is an appliance.
    left: Paths,
    /// Bytes that were freed before there was one.
    freed_early: u64,
    record: Record,
    report: Option<Report>,
}

impl<'a> Run<'a> {
    fn new(
        task: &Task<'a>,
        place: &'a Place,
        workshop: &'a Workshop,
        source_hash: &'a Receiver<SourceHashes>,
    ) -> Self {
        Self {
            overlay: workshop.file("overlay.qcow2"),
            product: workshop.file("output"),
            task: *task,
            new_disk: None,
            place,
            workshop,
            source_hash,
            editor: None,
            left: Paths::default(),
            freed_early: 0,
            record: Record::of(&task.loaded.inventory.origin),
            report: None,
        }
    }

    /// Carries all steps out; the report, and the times of the last steps, which it cannot hold itself.
    fn all(
        task: &Task<'a>,
        place: &'a Place,
        workshop: &'a Workshop,
        hash: &'a Receiver<SourceHashes>,
        by_host: bool,
        note: Option<String>,
    ) -> Result<(Option<Report>, Vec<StepTime>), ExportError> {
        let steps = steps_by(by_host, task.loaded, task.plan, task.options)?;
        let mut run = Self::new(task, place, workshop, hash);
        run.record.warnings.extend(note);
        steps.iter().try_for_each(|step| run.step(step))?;
        Ok((run.report, run.record.times))
    }

    fn step(&mut self, step: &Step) -> Result<(), ExportError> {
        self.task.job.check()?;
        self.task.job.items(&step.heading, 0, None);
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
            StepKind::Overlay => self.create_overlay(),
            StepKind::NewDisk(disk) => {
                let path = self.workshop.file("disk.raw");
                image::create_disk(&path, disk.size)?;
                self.record.disk = disk.size;
                self.new_disk = Some(path);
                Ok(())
            }
            StepKind::Start => self.start(),
            StepKind::Copy(removal) => self.copy(&step.heading, removal),
            StepKind::Partition(disk) => self.surgery().partition(disk),
            StepKind::Fill(part) => self.surgery().fill(part),
            StepKind::Remove(removal) if self.editor.is_none() => {
                self.unlink(&step.heading, removal)
            }
            StepKind::Remove(removal) => self.remove(&step.heading, removal),
            StepKind::RemoveRest => {
                let Paths { files, folders } = std::mem::take(&mut self.left);
                self.editor().remove(&step.heading, &files, &folders)
            }
            StepKind::Move(moves) => self.editor().rename(moves),
            StepKind::Write(texts) => self.editor().write(texts),
            StepKind::Initramfs(new) => self.editor().write(&[new.text()?]),
            StepKind::Link(links) => self.editor().link(links),
            StepKind::Shrink(disk, slack) => self.shrink(disk, *slack),
            StepKind::ClearSwap => self.surgery().clear_swap(),
            StepKind::Trim => self.trim(),
            StepKind::Archive => self.archive(&step.heading),
            StepKind::Check => self.check(),
            StepKind::Convert(format) if format.is_archive() => self.wrap(&step.heading),
            StepKind::Convert(format) => self.convert(&step.heading, *format),
            StepKind::Inspect => self.inspect(),
            StepKind::Compare(previous) => self.compare(&step.heading, previous),
            StepKind::Publish(_) => self.publish(),
        }
    }
}
