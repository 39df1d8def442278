//! The steps that make the output of what is on the overlay, look at it and give it its name.

use super::{Run, SCRATCH, Task};
use crate::export::archive;
use crate::export::error::ExportError;
use crate::export::image::{self, Medium};
use crate::export::options::OutputFormat;
use crate::export::report::{FullReport, Verified, file_hash};
use crate::export::update;
use crate::guest::image::Image;
use crate::job::Job;
use std::fs;
use std::path::Path;
use std::thread;

impl Run<'_> {
    /// Makes the output of the archive.
    pub(super) fn wrap(&self, heading: &str) -> Result<(), ExportError> {
        let Task {
            loaded,
            options,
            job,
            inner,
            ..
        } = self.task;
        let scratch = self.workshop.file(SCRATCH);
        let total = fs::metadata(&scratch).map_or(0, |facts| facts.len());
        let progress = |done| job.bytes(heading, done, Some(total));
        archive::write(&scratch, &self.product, loaded, options, inner, progress)
    }

    pub(super) fn convert(&self, heading: &str, format: OutputFormat) -> Result<(), ExportError> {
        let total = self.record.disk;
        let graph;
        let from = if let Some(path) = self.new_disk.as_deref() {
            Medium::Raw(path)
        } else {
            graph = self.graph()?;
            Medium::Graph(&graph)
        };
        let progress = |percent: f64| {
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "a share of a size, for a gauge"
            )]
            self.task.job.bytes(
                heading,
                (total as f64 * percent / 100.0) as u64,
                Some(total),
            );
        };
        image::convert(
            from,
            &self.product,
            format,
            self.task.options.compression,
            self.task.inner,
            progress,
        )?;
        // Room for whoever is short of it; the workshop would remove it anyway.
        let _ = fs::remove_file(self.new_disk.as_deref().unwrap_or(&self.overlay));
        Ok(())
    }

    pub(super) fn inspect(&mut self) -> Result<(), ExportError> {
        let path = &self.product;
        let (hash, checked) = thread::scope(|scope| {
            let hash = scope.spawn(|| file_hash(path, self.task.inner));
            let checked = check_product(path, self.task.options.format, self.task.inner);
            (hash.join().expect("hashing does not panic"), checked)
        });
        let checked = checked?;
        let hash = hash.map_err(ExportError::host("read", path))??;
        let size = fs::metadata(path)
            .map_err(ExportError::host("read", path))?
            .len();
        self.record.output = (size, hash);
        self.record.checked.push(checked);
        Ok(())
    }

    pub(super) fn compare(&mut self, heading: &str, previous: &Path) -> Result<(), ExportError> {
        let Task { options, job, .. } = self.task;
        let previous = Image::probe(previous, None)?;
        let new = Image::probe(&self.product, Some(options.format.name()))?;
        self.record.update = Some(update::cost(&previous, &new, heading, job)?);
        Ok(())
    }

    pub(super) fn publish(&mut self) -> Result<(), ExportError> {
        let Task {
            loaded,
            plan,
            options,
            ..
        } = self.task;
        let hash = self.source_hash.recv().expect("hashing does not panic");
        let hashes = hash.map_err(ExportError::host("read", &self.place.source))??;
        self.place.check_source()?;
        let record = std::mem::take(&mut self.record);
        let took = self.task.begun.elapsed();
        let report = record.report(self.place, loaded, plan, options, hashes, took);
        let verified = Verified::not_checked("nothing has verified it yet");
        let full = FullReport::new(&report, &verified, loaded, plan, options)?;
        let beside = full.write_into(self.workshop)?;
        self.place.publish(&self.product, &beside)?;
        self.report = Some(report);
        Ok(())
    }
}

/// Checks a finished output by its format; what was found in order.
fn check_product(path: &Path, format: OutputFormat, job: &Job) -> Result<String, ExportError> {
    if !format.is_archive() {
        image::check(path, format, job)?;
        return Ok(format!("structure of the {} image", format.name()));
    }
    let listing = archive::list(path, format, job, &mut |_, _| Ok(()))?;
    Ok(format!(
        "structure and digests of the {} file, {} entries",
        format.name(),
        listing.entries
    ))
}
