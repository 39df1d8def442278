//! The source, opened and loaded once for all stages.

use crate::guest::{self, Guest, GuestError, OpenOptions};
use crate::job::Job;
use crate::load::{self, LoadError, Loaded};
use crate::model::FileTree;
use crate::profile::Check;
use crate::verify::Reader;
use crate::vm::{Outcome, Subject, VmError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A source. It stays open for the stages that read more of it than was loaded, until it is closed; then it is opened once more
/// when one asks.
pub struct Opened {
    path: PathBuf,
    options: OpenOptions,
    loaded: Arc<Loaded>,
    guest: Option<OpenGuest>,
    subject: Option<Subject>,
    /// What checks did here, once they ran.
    ran: Option<(Vec<Check>, Vec<Outcome>)>,
}

/// A guest that is open.
struct OpenGuest {
    guest: Box<dyn Guest>,
    /// The tree of its own walk; `None` where that is the loaded one.
    tree: Option<FileTree>,
}

impl Opened {
    /// Opens and loads a folder or an image.
    pub fn open(path: &Path, options: &OpenOptions, job: &Job) -> Result<Self, LoadError> {
        let mut guest = guest::open(path, options, job)?;
        let loaded = Arc::new(load::load(guest.as_mut(), job)?);
        Ok(Self {
            path: path.to_owned(),
            options: options.clone(),
            loaded,
            guest: Some(OpenGuest { guest, tree: None }),
            subject: None,
            ran: None,
        })
    }

    /// Opens and loads an image; a folder, of which nothing can be booted, is refused.
    pub fn open_image(path: &Path, options: &OpenOptions, job: &Job) -> Result<Self, VmError> {
        Subject::refuse_folder(path)?;
        Ok(Self::open(path, options, job)?)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it was opened.
    pub fn options(&self) -> &OpenOptions {
        &self.options
    }

    /// All that was loaded of it.
    pub fn loaded(&self) -> &Arc<Loaded> {
        &self.loaded
    }

    /// Closes the image for as long as nobody reads it: an open one is locked for others, and may take an appliance's memory.
    pub fn close(&mut self) {
        self.guest = None;
    }

    /// What boots.
    pub fn subject(&mut self, job: &Job) -> Result<&Subject, VmError> {
        self.prepare(job)?;
        Ok(self.subject.as_ref().expect("it was just prepared"))
    }

    /// What boots, and the guest to read.
    pub fn subject_and_reader(&mut self, job: &Job) -> Result<(&Subject, Reader<'_>), VmError> {
        self.prepare(job)?;
        let tree = &self.loaded.inventory.tree;
        let open = open(&mut self.guest, &self.path, &self.options, job)?;
        let subject = self.subject.as_ref().expect("it was just prepared");
        let reader = Reader {
            guest: open.guest.as_mut(),
            tree: open.tree.as_ref().unwrap_or(tree),
        };
        Ok((subject, reader))
    }

    /// Reads what boots, once.
    fn prepare(&mut self, job: &Job) -> Result<(), VmError> {
        if self.subject.is_some() {
            return Ok(());
        }
        Subject::refuse_folder(&self.path)?;
        let image = self.options.image(&self.path)?;
        let loaded = Arc::clone(&self.loaded);
        let open = open(&mut self.guest, &self.path, &self.options, job)?;
        let tree = open.tree.as_ref().unwrap_or(&self.loaded.inventory.tree);
        let subject = Subject::of(image, loaded, open.guest.as_mut(), tree, job)?;
        self.subject = Some(subject);
        Ok(())
    }

    /// What these checks did here in an earlier verification.
    pub(super) fn ran(&self, checks: &[Check]) -> Option<&[Outcome]> {
        let (known, outcomes) = self.ran.as_ref()?;
        (known == checks).then_some(outcomes)
    }

    pub(super) fn remember(&mut self, checks: &[Check], outcomes: Option<Vec<Outcome>>) {
        if let Some(outcomes) = outcomes {
            self.ran = Some((checks.to_vec(), outcomes));
        }
    }
}

/// The guest, opened once more where it was closed.
fn open<'a>(
    guest: &'a mut Option<OpenGuest>,
    path: &Path,
    options: &OpenOptions,
    job: &Job,
) -> Result<&'a mut OpenGuest, GuestError> {
    if guest.is_none() {
        let mut again = guest::open(path, options, job)?;
        let (tree, _) = again.walk(job)?;
        *guest = Some(OpenGuest {
            guest: again,
            tree: Some(tree),
        });
    }
    Ok(guest.as_mut().expect("it was just opened"))
}
