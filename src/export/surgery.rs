//! The part of an export that happens inside the appliance, on the overlay.

use super::checker::{check_command, checker, on_device, verdict};
use super::error::ExportError;
use super::program::one_line;
use super::repack::Made;
use super::step::{NewLink, NewText};
use crate::guest::GuestError;
use crate::guest::image::Graph;
use crate::guest::libguestfs::{Accel, Access, Appliance, Drive};
use crate::job::Job;
use crate::model::Mount;
use crate::model::text::escape;
use crossbeam_channel::{RecvTimeoutError, bounded};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// How many files are removed between two reports of progress.
const BATCH: usize = 2000;

/// How often somebody looks how far an archive is.
const LOOK: Duration = Duration::from_millis(200);

/// A guest, mounted for writing in the appliance.
pub(super) struct Surgery<'a> {
    appliance: Appliance,
    /// The guest's file systems in their places.
    pub mounts: Vec<Mount>,
    /// File systems on the new disk, where there is one.
    pub made: Vec<Made>,
    /// Bytes in use on them, as long as they all told.
    pub new_used: Option<u64>,
    /// Who is told about progress.
    outer: &'a Job,
    /// Who is cancelled when the appliance must die.
    inner: &'a Job,
}

/// What the check of the file systems says.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// In order, one phrase each.
    pub sound: Vec<String>,
    /// Not checked, one phrase each.
    pub skipped: Vec<String>,
}

impl<'a> Surgery<'a> {
    /// Starts the appliance on the overlay, with an empty drive beside it where there is one to fill, and mounts the guest:
    /// what is `known` of it, or else what the appliance finds.
    pub fn start(
        (overlay, graph): (&Path, &Graph),
        scratch: Option<&Path>,
        known: Option<&[Mount]>,
        accel: Accel,
        outer: &'a Job,
        inner: &'a Job,
    ) -> Result<Self, ExportError> {
        let drive = Drive::Served {
            path: overlay,
            graph,
            access: Access::Write,
        };
        let mut drives = vec![drive];
        drives.extend(scratch.map(Drive::Raw));
        let appliance = Appliance::launch(&drives, accel, inner)?;
        let mounts =
            appliance.watched("mount the guest", inner, None, |appliance| match known {
                Some(known) => appliance.mount_known(known, Access::Write),
                None => appliance.mount_guest(Access::Write, inner),
            })?;
        Ok(Self {
            appliance,
            mounts,
            made: Vec::new(),
            new_used: Some(0),
            outer,
            inner,
        })
    }

    /// Fails when a file system that was read is not mounted here: its files would be lost, or stay against the plan.
    pub fn check_mounts(&self, read: &[Mount]) -> Result<(), ExportError> {
        let is_here = |wanted: &&Mount| {
            let here = self.mounts.iter().find(|mount| mount.at == wanted.at);
            here.is_some_and(|mount| mount.is_read)
        };
        match read
            .iter()
            .filter(|mount| mount.is_read)
            .find(|mount| !is_here(mount))
        {
            Some(mount) => Err(ExportError::NotMounted(escape(&mount.at).into_owned())),
            None => Ok(()),
        }
    }

    /// What a person should know about the appliance.
    pub fn notes(&self) -> &[String] {
        self.appliance.notes()
    }

    /// Bytes in use on all mounted file systems, when they all told.
    pub fn used(&self) -> Option<u64> {
        self.mounts
            .iter()
            .filter(|mount| mount.is_read)
            .map(|mount| mount.file_system.used)
            .sum()
    }

    /// Removes files, then folders.
    pub fn remove(
        &self,
        heading: &str,
        files: &[Vec<u8>],
        folders: &[Vec<u8>],
    ) -> Result<(), ExportError> {
        let total = Some(files.len() as u64);
        let mut done = 0;
        for batch in files.chunks(BATCH) {
            self.outer.items(heading, done, total);
            self.within("remove files", |appliance| {
                remove_batch(appliance, batch, self.inner)
            })?;
            done += batch.len() as u64;
        }
        self.outer.items(heading, done, total);
        self.within("remove folders", |appliance| {
            appliance.remove_folders(folders, self.inner)
        })
    }

    /// Gives files their own names back.
    pub fn rename(&self, moves: &[(Vec<u8>, Vec<u8>)]) -> Result<(), ExportError> {
        moves.iter().try_for_each(|(from, to)| {
            self.within("rename", |appliance| appliance.rename(from, to))
        })
    }

    /// Writes whole files.
    pub fn write(&self, texts: &[NewText]) -> Result<(), ExportError> {
        texts.iter().try_for_each(|text| {
            self.within("write", |appliance| {
                if text.is_new {
                    appliance.make_folders(folder_of(&text.path))?;
                }
                appliance.write(&text.path, &text.content)
            })
        })
    }

    /// Points symlinks elsewhere.
    pub fn link(&self, links: &[NewLink]) -> Result<(), ExportError> {
        links.iter().try_for_each(|link| {
            self.within("link", |appliance| {
                // A link that leads to a folder would otherwise be followed.
                appliance.remove(&link.path)?;
                appliance.symlink(&link.target, &link.path)
            })
        })
    }

    /// Packs all files onto the empty drive, which is the host's file `scratch`; returns the archive's length.
    pub fn archive(
        &self,
        heading: &str,
        scratch: &Path,
        newest: i64,
        total: u64,
    ) -> Result<u64, ExportError> {
        let (done, wait) = bounded::<()>(0);
        let outer = self.outer;
        thread::scope(|scope| {
            scope.spawn(move || {
                // The file grows while the appliance writes, which says nothing itself.
                while wait.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                    let taken = fs::metadata(scratch).map_or(0, |facts| facts.blocks() * 512);
                    outer.bytes(heading, taken.min(total), Some(total));
                }
            });
            let length = self.within("pack", |appliance| appliance.archive(1, newest));
            drop(done);
            length
        })
    }

    /// Unmounts and checks every file system without changing it.
    pub fn check(&self) -> Result<Checked, ExportError> {
        self.within("unmount", Appliance::unmount_all)?;
        let mut checked = Checked::default();
        for made in &self.made {
            let name = format!("on partition {} ({})", made.number, made.kind);
            let command = checker(&made.kind).map(|checker| on_device(checker, &made.device));
            self.check_one(name, command, &mut checked)?;
        }
        if self.made.is_empty() {
            for mount in self.mounts.iter().filter(|mount| mount.is_read) {
                let system = &mount.file_system;
                let name = format!("{} ({})", system.device, system.kind);
                self.check_one(name, check_command(system), &mut checked)?;
            }
        }
        Ok(checked)
    }

    fn check_one(
        &self,
        name: String,
        command: Option<String>,
        checked: &mut Checked,
    ) -> Result<(), ExportError> {
        let Some(command) = command else {
            checked
                .skipped
                .push(format!("{name} was not checked: no checker for it"));
            return Ok(());
        };
        let said = match self.within("check", |appliance| appliance.shell(command.as_bytes())) {
            Err(ExportError::Guest(GuestError::Inside { why, .. })) => {
                checked
                    .skipped
                    .push(format!("{name} was not checked: {why}"));
                return Ok(());
            }
            other => other?,
        };
        let (words, code) = verdict(&said);
        match code {
            Some(0) => checked.sound.push(format!("file system {name}")),
            Some(127) | None => checked
                .skipped
                .push(format!("{name} was not checked: {}", one_line(words))),
            Some(_) => {
                return Err(ExportError::Check {
                    device: name,
                    why: one_line(words),
                });
            }
        }
        Ok(())
    }

    /// Stops the appliance; an error means that not all was written.
    pub fn stop(self) -> Result<(), ExportError> {
        Ok(self.appliance.shutdown()?)
    }

    /// One act in the appliance, which a cancel ends.
    pub fn within<T>(
        &self,
        operation: &str,
        call: impl FnOnce(&Appliance) -> Result<T, GuestError>,
    ) -> Result<T, ExportError> {
        self.inner.check()?;
        Ok(self.appliance.watched(operation, self.inner, None, call)?)
    }
}

/// Removes a batch; once more without flags where one of them forbids it.
fn remove_batch(appliance: &Appliance, batch: &[Vec<u8>], job: &Job) -> Result<(), GuestError> {
    match appliance.remove_all(batch, job) {
        Err(GuestError::Inside { .. }) => {
            appliance.unlock_all(batch, job)?;
            appliance.remove_all(batch, job)
        }
        other => other,
    }
}

fn folder_of(path: &[u8]) -> &[u8] {
    let at = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    &path[..at.max(1)]
}
