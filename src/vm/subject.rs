//! A guest that is loaded and can be started.

use super::VmError;
use super::direct::Direct;
use crate::guest::image::Image;
use crate::guest::{self, Guest, OpenOptions};
use crate::job::Job;
use crate::load::{self, Loaded};
use crate::model::{BootChain, FileTree};
use std::path::Path;
use std::sync::Arc;

/// An image, what was loaded of it, and what it takes to start it without its boot loader.
pub struct Subject {
    /// The image.
    pub image: Image,
    /// Its facts.
    pub loaded: Arc<Loaded>,
    /// Kernel, initramfs and command line, or why it cannot be started with them.
    pub direct: Result<Direct, String>,
}

impl Subject {
    /// Opens and loads an image. A folder is refused: it cannot be booted.
    pub fn open(path: &Path, options: &OpenOptions, job: &Job) -> Result<Self, VmError> {
        Ok(Self::open_and_keep(path, options, job)?.0)
    }

    /// The same, with the guest left open for whoever reads more of it: its files are those of the loaded tree.
    pub fn open_and_keep(
        path: &Path,
        options: &OpenOptions,
        job: &Job,
    ) -> Result<(Self, Box<dyn Guest>), VmError> {
        Self::refuse_folder(path)?;
        let image = options.image(path)?;
        let mut guest = guest::open(path, options, job)?;
        let loaded = Arc::new(load::load(guest.as_mut(), job)?);
        let tree = &loaded.inventory.tree;
        let subject = Self::of(image, Arc::clone(&loaded), guest.as_mut(), tree, job)?;
        Ok((subject, guest))
    }

    /// A guest that is loaded already and open; `tree` is of the walk since it was opened.
    pub fn of(
        image: Image,
        loaded: Arc<Loaded>,
        guest: &mut dyn Guest,
        tree: &FileTree,
        job: &Job,
    ) -> Result<Self, VmError> {
        let inventory = &loaded.inventory;
        let here = |file| tree.lookup(&inventory.tree.path(file));
        let boot = BootChain {
            kernel: inventory.boot.kernel.and_then(here),
            initramfs: inventory.boot.initramfs.and_then(here),
            command_line: inventory.boot.command_line.clone(),
            ..BootChain::default()
        };
        let direct = match Direct::read(guest, &image, tree, &boot, job) {
            Ok(direct) => Ok(direct),
            Err(VmError::NotDirect(why)) => Err(why),
            Err(error) => return Err(error),
        };
        Ok(Self {
            image,
            loaded,
            direct,
        })
    }

    /// Refuses a folder: it cannot be booted.
    pub fn refuse_folder(path: &Path) -> Result<(), VmError> {
        if !path.is_dir() {
            return Ok(());
        }
        Err(VmError::Unsupported {
            what: format!("{} is a folder and cannot be booted", path.display()),
            hint: "give the disk image itself".to_owned(),
        })
    }
}
