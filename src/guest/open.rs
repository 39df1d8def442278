//! Chooses how a guest is read.

use super::direct::{Direct, Opened, unsupported};
use super::directory::Directory;
use super::image::Image;
use super::libguestfs::{Accel, LibguestfsGuest};
use super::{Guest, GuestError};
use crate::job::Job;
use std::path::{Path, PathBuf};

/// How a guest is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// A folder as it is; an image directly where that works, else through libguestfs.
    #[default]
    Auto,
    /// A folder of the host.
    Directory,
    /// An image with ext2/3/4 file systems, directly: no appliance.
    Ext4,
    /// Any image, through libguestfs.
    Libguestfs,
}

impl Backend {
    /// The backend of this name, as [`crate::model::inventory::Origin::backend`] and the command line write it.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "auto" => Self::Auto,
            "directory" => Self::Directory,
            "ext4" => Self::Ext4,
            "libguestfs" => Self::Libguestfs,
            _ => return None,
        })
    }
}

/// What the user may force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenOptions {
    /// The image's format; otherwise its first bytes tell.
    pub format: Option<String>,
    /// Files, and folders with all in them, from which an image may take contents besides its own folder.
    pub allow_backing: Vec<PathBuf>,
    /// How it is read.
    pub backend: Backend,
    /// How the appliance's processor is made, where one is started.
    pub accel: Accel,
}

impl OpenOptions {
    /// Opens an image's files as these options say.
    ///
    /// # Errors
    /// When it is no image that can be used, or takes contents from where it must not.
    pub fn image(&self, path: &Path) -> Result<Image, GuestError> {
        Image::open(path, self.format.as_deref(), &self.allow_backing)
    }
}

/// Opens a guest for reading: a folder, or a disk image.
pub fn open(image: &Path, options: &OpenOptions, job: &Job) -> Result<Box<dyn Guest>, GuestError> {
    job.check()?;
    let is_folder = options.backend == Backend::Auto && image.is_dir();
    if is_folder || options.backend == Backend::Directory {
        return Ok(Box::new(Directory::open(image)?));
    }
    let image = options.image(image)?;
    if options.backend == Backend::Libguestfs {
        return Ok(Box::new(LibguestfsGuest::open(&image, options.accel, job)?));
    }
    match (Direct::open(&image, job)?, options.backend) {
        (Opened::Guest(guest) | Opened::Partly(Some(guest), _), Backend::Ext4) => {
            Ok(Box::new(guest))
        }
        (Opened::Partly(None, why), Backend::Ext4) => Err(unsupported(&why)),
        (Opened::Guest(guest), _) => Ok(Box::new(guest)),
        (Opened::Partly(guest, _), _) => {
            // The image is locked for others only while it is served.
            drop(guest);
            Ok(Box::new(LibguestfsGuest::open(&image, options.accel, job)?))
        }
    }
}
