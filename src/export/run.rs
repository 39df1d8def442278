//! Carries the steps out, in order, and reports.

mod output;

use super::archive;
use super::disk::geometry::DiskLayout;
use super::error::ExportError;
use super::guard::Guard;
use super::image;
use super::options::{ExportOptions, Way};
use super::place::Place;
use super::record::Record;
use super::report::{ENDINGS, Report, SourceHashes, StepTime, source_hashes};
use super::room;
use super::step::{Removal, Step, StepKind};
use super::steps::steps;
use super::surgery::Surgery;
use super::unlink::{Paths, Unlinked, unlink};
use super::update;
use super::workshop::Workshop;
use crate::guest::OpenOptions;
use crate::guest::image::{Graph, Image};
use crate::job::{Cancel, Job};
use crate::load::Loaded;
use crate::model::Bytes;
use crate::plan::Plan;
use crossbeam_channel::{Receiver, bounded};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

/// The file in the work folder that is a drive for an archive.
const SCRATCH: &str = "archive";

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
    let steps = steps(loaded, plan, options)?;
    place.check_room(room::needed(loaded, plan, options))?;
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
        let mut run = Run::new(&task, &place, &workshop, hash);
        let done = steps.iter().try_for_each(|step| run.step(step));
        done.map(|()| (run.report, run.record.times))
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
    source_hash: Receiver<SourceHashes>,
    overlay: PathBuf,
    /// The new disk, where one is filled.
    new_disk: Option<PathBuf>,
    product: PathBuf,
    surgery: Option<Surgery<'a>>,
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
        source_hash: Receiver<SourceHashes>,
    ) -> Self {
        Self {
            overlay: workshop.file("overlay.qcow2"),
            product: workshop.file("output"),
            task: *task,
            new_disk: None,
            place,
            workshop,
            source_hash,
            surgery: None,
            left: Paths::default(),
            freed_early: 0,
            record: Record {
                disk: task.loaded.inventory.origin.virtual_size,
                ..Record::default()
            },
            report: None,
        }
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
            StepKind::Partition(disk) => self.surgery().partition(disk),
            StepKind::Fill(part) => self.surgery().fill(part),
            StepKind::Remove(removal) if self.surgery.is_none() => {
                self.unlink(&step.heading, removal)
            }
            StepKind::Remove(removal) => self.remove(&step.heading, removal),
            StepKind::RemoveRest => {
                let Paths { files, folders } = std::mem::take(&mut self.left);
                self.surgery().remove(&step.heading, &files, &folders)
            }
            StepKind::Move(moves) => self.surgery().rename(moves),
            StepKind::Write(texts) => self.surgery().write(texts),
            StepKind::Initramfs(new) => self.surgery().write(&[new.text()?]),
            StepKind::Link(links) => self.surgery().link(links),
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

    fn create_overlay(&self) -> Result<(), ExportError> {
        let size = self.task.loaded.inventory.origin.virtual_size;
        image::create_overlay(&self.overlay, size, self.task.inner)
    }

    /// The overlay over the source, for a program that writes to it.
    fn graph(&self) -> Result<Graph, ExportError> {
        Graph::overlay(&self.overlay, self.task.image)
            .map_err(ExportError::host("open", &self.overlay))
    }

    /// Removes what can be removed before there is an appliance.
    fn unlink(&mut self, heading: &str, removal: &Removal) -> Result<(), ExportError> {
        self.record.removed = (removal.files.len() as u64, removal.freed.0);
        let Task { job, inner, .. } = self.task;
        let total = Some(removal.files.len() as u64);
        let told = |done| job.items(heading, done, total);
        let graph = self.graph()?;
        match unlink((&self.overlay, &graph), removal, inner, told)? {
            Unlinked::Done { left, freed } => {
                self.left = left;
                self.freed_early = freed;
                Ok(())
            }
            Unlinked::Damaged => {
                self.left = Paths::of(removal);
                fs::remove_file(&self.overlay)
                    .map_err(ExportError::host("remove", &self.overlay))?;
                self.create_overlay()
            }
        }
    }

    fn start(&mut self) -> Result<(), ExportError> {
        let accel = self.task.options.open.accel;
        let (job, inner) = (self.task.job, self.task.inner);
        let beside = self.new_disk.clone().or(self.scratch()?);
        let inventory = &self.task.loaded.inventory;
        let known = inventory
            .origin
            .is_direct()
            .then_some(&inventory.mounts[..]);
        let graph = self.graph()?;
        let overlay = (&*self.overlay, &graph);
        let surgery = Surgery::start(overlay, beside.as_deref(), known, accel, job, inner)?;
        surgery.check_mounts(&inventory.mounts)?;
        self.record.warnings.extend_from_slice(surgery.notes());
        self.record.used_before = surgery.used().map(|used| used + self.freed_early);
        self.surgery = Some(surgery);
        Ok(())
    }

    /// The empty drive for an archive, where one is wanted.
    fn scratch(&self) -> Result<Option<PathBuf>, ExportError> {
        if !self.task.options.format.is_archive() {
            return Ok(None);
        }
        let path = self.workshop.file(SCRATCH);
        archive::create_scratch(&path, self.task.plan)?;
        Ok(Some(path))
    }

    fn archive(&mut self, heading: &str) -> Result<(), ExportError> {
        let Task {
            loaded,
            plan,
            options,
            ..
        } = self.task;
        let scratch = self.workshop.file(SCRATCH);
        let newest = archive::newest(loaded);
        let total = plan.after.apparent.0;
        let length = self.surgery().archive(heading, &scratch, newest, total)?;
        let losses = archive::losses(loaded, plan, options.format);
        self.record.warnings.extend(losses);
        let surgery = self.surgery.take().expect("it was just used");
        surgery.stop()?;
        archive::cut(&scratch, length)?;
        // Room for whoever is short of it; the workshop would remove it anyway.
        let _ = fs::remove_file(&self.overlay);
        Ok(())
    }

    fn surgery(&mut self) -> &mut Surgery<'a> {
        self.surgery
            .as_mut()
            .expect("the steps start the appliance before they use it")
    }

    fn remove(&mut self, heading: &str, removal: &Removal) -> Result<(), ExportError> {
        self.record.removed = (removal.files.len() as u64, removal.freed.0);
        self.surgery()
            .remove(heading, &removal.files, &removal.folders)
    }

    fn trim(&mut self) -> Result<(), ExportError> {
        let command_line = &self.task.loaded.inventory.boot.command_line;
        let failed = self.surgery().trim(command_line)?;
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

    fn shrink(&mut self, disk: &DiskLayout, slack: Option<Bytes>) -> Result<(), ExportError> {
        self.record.disk = self.surgery().shrink(disk, slack)?.size;
        if self.record.disk == disk.size {
            let full = "the disk is as small as it can be with this room to grow".to_owned();
            self.record.warnings.push(full);
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), ExportError> {
        let checked = self.surgery().check()?;
        self.record.checked.extend(checked.sound);
        self.record.warnings.extend(checked.skipped);
        let surgery = self.surgery.take().expect("it was just used");
        if self.new_disk.is_some() {
            self.record.used_after = surgery.new_used;
        }
        surgery.stop()?;
        if self.task.options.way() == Way::Shrink {
            image::cut(&self.overlay, self.record.disk, self.task.inner)?;
        }
        Ok(())
    }
}
