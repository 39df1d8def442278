//! The steps that change the output's disk, on the host or in the appliance.

use super::{COPY, Run, SCRATCH, Task};
use crate::export::archive;
use crate::export::disk::geometry::DiskLayout;
use crate::export::editor::Editor;
use crate::export::error::ExportError;
use crate::export::host::Host;
use crate::export::image;
use crate::export::options::Way;
use crate::export::step::Removal;
use crate::export::surgery::Surgery;
use crate::export::unlink::{Paths, Unlinked, unlink};
use crate::guest::image::Graph;
use crate::model::Bytes;
use std::fs;
use std::path::PathBuf;

impl<'a> Run<'a> {
    pub(super) fn create_overlay(&self) -> Result<(), ExportError> {
        let size = self.task.loaded.inventory.origin.virtual_size;
        image::create_overlay(&self.overlay, size, self.task.inner)
    }

    /// The overlay over the source, for a program that writes to it.
    pub(super) fn graph(&self) -> Result<Graph, ExportError> {
        Graph::overlay(&self.overlay, self.task.image)
            .map_err(ExportError::host("open", &self.overlay))
    }

    /// Removes what can be removed before there is an appliance.
    pub(super) fn unlink(&mut self, heading: &str, removal: &Removal) -> Result<(), ExportError> {
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

    pub(super) fn start(&mut self) -> Result<(), ExportError> {
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
        self.editor = Some(Editor::Appliance(surgery));
        Ok(())
    }

    /// The empty drive for an archive, where one is wanted.
    pub(super) fn scratch(&self) -> Result<Option<PathBuf>, ExportError> {
        if !self.task.options.format.is_archive() {
            return Ok(None);
        }
        let path = self.workshop.file(SCRATCH);
        archive::create_scratch(&path, self.task.plan)?;
        Ok(Some(path))
    }

    pub(super) fn archive(&mut self, heading: &str) -> Result<(), ExportError> {
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
        self.stop()?;
        archive::cut(&scratch, length)?;
        // Room for whoever is short of it; the workshop would remove it anyway.
        let _ = fs::remove_file(&self.overlay);
        Ok(())
    }

    pub(super) fn editor(&mut self) -> &mut Editor<'a> {
        (self.editor.as_mut()).expect("the steps start an editor before they use it")
    }

    pub(super) fn surgery(&mut self) -> &mut Surgery<'a> {
        self.editor().surgery()
    }

    /// Ends the appliance, in which all was done.
    pub(super) fn stop(&mut self) -> Result<(), ExportError> {
        match self.editor.take() {
            Some(Editor::Appliance(surgery)) => surgery.stop(),
            _ => Ok(()),
        }
    }

    /// Makes the disk's copy, on which the host works from then on.
    pub(super) fn copy(&mut self, heading: &str, removal: &Removal) -> Result<(), ExportError> {
        let Task {
            loaded,
            image,
            job,
            inner,
            ..
        } = self.task;
        let inventory = &loaded.inventory;
        self.record.removed = (removal.files.len() as u64, removal.freed.0);
        let read = inventory.mounts.iter().filter(|mount| mount.is_read);
        self.record.used_before = read.map(|mount| mount.file_system.used).sum();
        let path = self.workshop.file(COPY);
        // What an attempt before this one left.
        let _ = fs::remove_file(&path);
        let copied = Host::copy(image, removal, inventory, &path, (job, inner), heading)?;
        self.left = copied.left;
        self.editor = Some(Editor::Host(copied.host));
        self.new_disk = Some(path);
        Ok(())
    }

    pub(super) fn remove(&mut self, heading: &str, removal: &Removal) -> Result<(), ExportError> {
        self.record.removed = (removal.files.len() as u64, removal.freed.0);
        self.editor()
            .remove(heading, &removal.files, &removal.folders)
    }

    pub(super) fn trim(&mut self) -> Result<(), ExportError> {
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

    pub(super) fn shrink(
        &mut self,
        disk: &DiskLayout,
        slack: Option<Bytes>,
    ) -> Result<(), ExportError> {
        self.record.disk = self.editor().shrink(disk, slack)?.size;
        if self.record.disk == disk.size {
            let full = "the disk is as small as it can be with this room to grow".to_owned();
            self.record.warnings.push(full);
        }
        Ok(())
    }

    pub(super) fn check(&mut self) -> Result<(), ExportError> {
        let command_line = &self.task.loaded.inventory.boot.command_line;
        let checked = match self.editor() {
            Editor::Appliance(surgery) => surgery.check()?,
            Editor::Host(host) => {
                let checked = host.check()?;
                let (used, notes) = host.look(command_line)?;
                self.record.used_after = used;
                self.record.warnings.extend(notes);
                checked
            }
        };
        self.record.checked.extend(checked.sound);
        self.record.warnings.extend(checked.skipped);
        match self.editor.take() {
            Some(Editor::Appliance(surgery)) => self.stop_on(surgery),
            _ => Ok(()),
        }
    }

    /// Ends the appliance; what the new disk holds, and the end of a smaller one.
    pub(super) fn stop_on(&mut self, surgery: Surgery<'a>) -> Result<(), ExportError> {
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
