//! A guest that is loaded and can be started.

use super::VmError;
use super::direct::Direct;
use crate::guest::image::Image;
use crate::guest::{self, OpenOptions};
use crate::job::Job;
use crate::load::{self, Loaded};
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
        if path.is_dir() {
            return Err(VmError::Unsupported {
                what: format!("{} is a folder and cannot be booted", path.display()),
                hint: "give the disk image itself".to_owned(),
            });
        }
        let image = options.image(path)?;
        let mut guest = guest::open(path, options, job)?;
        let loaded = load::load(guest.as_mut(), job)?;
        let inventory = &loaded.inventory;
        let direct = Direct::read(
            guest.as_mut(),
            &image,
            &inventory.tree,
            &inventory.boot,
            job,
        );
        let direct = match direct {
            Ok(direct) => Ok(direct),
            Err(VmError::NotDirect(why)) => Err(why),
            Err(error) => return Err(error),
        };
        Ok(Self {
            image,
            loaded: Arc::new(loaded),
            direct,
        })
    }
}
