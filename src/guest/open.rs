//! Chooses how a guest is read.

use super::directory::Directory;
use super::image::Image;
use super::libguestfs::{Accel, LibguestfsGuest};
use super::{Guest, GuestError};
use crate::job::Job;
use std::path::Path;

/// How a guest is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// A folder as it is; an image directly where that works, else through libguestfs.
    #[default]
    Auto,
    /// A folder of the host.
    Directory,
    /// Any image, through libguestfs.
    Libguestfs,
}

/// What the user may force.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpenOptions {
    /// The image's format; otherwise its first bytes tell.
    pub format: Option<String>,
    /// How it is read.
    pub backend: Backend,
    /// How the appliance's processor is made, where one is started.
    pub accel: Accel,
}

/// Opens a guest for reading: a folder, or a disk image.
pub fn open(image: &Path, options: &OpenOptions, job: &Job) -> Result<Box<dyn Guest>, GuestError> {
    job.check()?;
    let is_folder = image.is_dir();
    match options.backend {
        Backend::Directory => Ok(Box::new(Directory::open(image)?)),
        Backend::Auto if is_folder => Ok(Box::new(Directory::open(image)?)),
        Backend::Auto | Backend::Libguestfs => {
            let image = Image::probe(image, options.format.as_deref())?;
            Ok(Box::new(LibguestfsGuest::open(&image, options.accel, job)?))
        }
    }
}
