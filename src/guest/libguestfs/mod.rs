//! Any disk that Linux can mount, through libguestfs: a small virtual machine of its own, the appliance, reads it.
//!
//! Slower than reading the disk directly, but it knows LVM, LUKS-free stacks, xfs, btrfs and unclean journals, and it
//! is the only way in which a guest is ever written (`export` does that, on an overlay). The appliance has no network.
//! The C library is called through the `guestfs` crate, and through `ffi` where that needs text.

mod accel;
mod answer;
mod archive;
mod devices;
mod ffi;
mod files;
mod guest;
mod launch;
mod mounts;
mod remove;
mod walk;
mod watch;

pub use accel::Accel;
pub use guest::LibguestfsGuest;
pub use launch::device;
pub use remove::{SYSROOT, quoted};

use super::GuestError;
use super::image::Graph;
use super::nbd::Server;
use crate::job::Job;
use crate::model::text::escape;
use crate::program::Layers;
use answer::Failure;
use guestfs::Handle;
use std::path::Path;
use std::time::Duration;

/// Whether a drive may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The file stays as it is: the library puts an overlay of its own over it.
    ReadOnly,
    /// The file is written; what the guest discards becomes a hole.
    Write,
}

/// A disk of the appliance.
#[derive(Debug, Clone, Copy)]
pub enum Drive<'a> {
    /// An image or an overlay, which a confined server reads: the appliance's QEMU sees bytes and opens no file of it.
    Served {
        /// For errors.
        path: &'a Path,
        /// The disk.
        graph: &'a Graph,
        /// Whether it may be written.
        access: Access,
    },
    /// A file of our own, plain bytes, to be written.
    Raw(&'a Path),
}

/// A running appliance. Dropping it kills it; after writing call [`Appliance::shutdown`], which tells what failed.
pub struct Appliance {
    handle: Handle,
    accel: Accel,
    notes: Vec<String>,
    /// What serves its drives. Behind the handle, so that the appliance ends first.
    servers: Vec<Server>,
}

/// One piece that [`Appliance::read`] and [`Appliance::write`] move at a time; the library's own limit is 4 MiB.
const PIECE: usize = 2 << 20;

impl Appliance {
    /// What the user should know about how it was started: one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What confines the servers of its drives.
    pub fn layers(&self) -> Layers {
        let first = self.servers.first();
        first.map(Server::layers).unwrap_or_default()
    }

    /// How its processor is made: never [`Accel::Auto`].
    pub fn accel(&self) -> Accel {
        self.accel
    }

    /// Runs `call`; when `job` is cancelled or `limit` is over, the appliance is killed and this fails.
    pub fn watched<T>(
        &self,
        operation: &str,
        job: &Job,
        limit: Option<Duration>,
        call: impl FnOnce(&Self) -> Result<T, GuestError>,
    ) -> Result<T, GuestError> {
        match watch::watched(job, limit, || call(self)) {
            (_, watch::Ending::Cancelled) => Err(GuestError::Cancelled(crate::job::Cancelled)),
            (Ok(value), _) => Ok(value),
            (Err(_), watch::Ending::TimeOver) => Err(GuestError::Appliance {
                operation: operation.to_owned(),
                why: "it took too long and was stopped".to_owned(),
            }),
            (Err(error), watch::Ending::Itself) => Err(error),
        }
    }

    /// Unmounts everything.
    pub fn unmount_all(&self) -> Result<(), GuestError> {
        self.call("unmount the file systems", Handle::umount_all)
    }

    /// Unmounts everything and stops the appliance; an error means that what was written may not have arrived.
    pub fn shutdown(self) -> Result<(), GuestError> {
        self.unmount_all()?;
        self.call("stop the appliance", Handle::shutdown)
    }

    /// Writes back all that is cached.
    pub fn sync(&self) -> Result<(), GuestError> {
        self.call("write back the caches", Handle::sync)
    }

    /// Gives the free blocks of a mounted file system back to the host. Unmount and mount again after deleting, or
    /// blocks that the journal still holds are missed.
    pub fn trim(&self, mount_point: &str) -> Result<(), GuestError> {
        self.call("trim free space", |handle| {
            let all = guestfs::FstrimOptArgs {
                offset: None,
                length: None,
                minimumfreeextent: None,
            };
            handle.fstrim(mount_point, all)
        })
    }

    /// Writes zeros over all free blocks of an unmounted ext2/3/4 file system that hold anything else.
    pub fn zero_free(&self, device: &str) -> Result<(), GuestError> {
        self.call("clear free blocks", |handle| handle.zerofree(device))
    }

    /// Checks an unmounted ext2/3/4 file system thoroughly and repairs what can be repaired without asking.
    pub fn check_ext(&self, device: &str) -> Result<(), GuestError> {
        self.call("check the file system", |handle| {
            let preen = guestfs::E2fsckOptArgs {
                correct: Some(true),
                forceall: None,
            };
            handle.e2fsck(device, preen)
        })
    }

    /// Copies a host's file into the guest.
    pub fn upload(&self, host: &Path, guest: &[u8]) -> Result<(), GuestError> {
        let done = ffi::on_two(
            &self.handle,
            ffi::OnTwo::Upload,
            ffi::host_path(host),
            guest,
        );
        done.map_err(|failure| inside("write", guest, &failure))
    }

    /// Copies a guest's file to the host.
    pub fn download(&self, guest: &[u8], host: &Path) -> Result<(), GuestError> {
        let done = ffi::on_two(
            &self.handle,
            ffi::OnTwo::Download,
            guest,
            ffi::host_path(host),
        );
        done.map_err(|failure| inside("read", guest, &failure))
    }

    /// Writes a whole file of up to 2 MiB; a new one gets mode 0644 and belongs to root, an existing one keeps both.
    pub fn write(&self, path: &[u8], content: &[u8]) -> Result<(), GuestError> {
        if content.len() > PIECE {
            return self.write_big(path, content);
        }
        ffi::write(&self.handle, path, content).map_err(|failure| inside("write", path, &failure))
    }

    fn write_big(&self, path: &[u8], content: &[u8]) -> Result<(), GuestError> {
        let host = |source| GuestError::Host {
            operation: "write",
            path: std::env::temp_dir(),
            source,
        };
        let mut file = tempfile::NamedTempFile::new().map_err(host)?;
        std::io::Write::write_all(&mut file, content).map_err(host)?;
        self.upload(file.path(), path)
    }

    /// Up to `len` bytes of a file from `offset` on; fewer at its end. The guest's symlinks are followed inside it. A piece
    /// may be short where the disk fails, too, so asking for more than there is costs one more question.
    pub fn read(&self, path: &[u8], offset: u64, len: usize) -> Result<Vec<u8>, GuestError> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let count = (len - bytes.len()).min(PIECE);
            let Ok(from) = i64::try_from(offset.saturating_add(bytes.len() as u64)) else {
                break;
            };
            let count = i32::try_from(count).expect("a piece is far below 2 GiB");
            let piece = ffi::pread(&self.handle, path, count, from)
                .map_err(|failure| inside("read", path, &failure))?;
            if piece.is_empty() {
                break;
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Makes a symlink at `link` that says `target`, replacing what is there.
    pub fn symlink(&self, target: &[u8], link: &[u8]) -> Result<(), GuestError> {
        ffi::on_two(&self.handle, ffi::OnTwo::Link, target, link)
            .map_err(|failure| inside("link", link, &failure))
    }

    /// Renames a file, replacing what is there.
    pub fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), GuestError> {
        ffi::on_two(&self.handle, ffi::OnTwo::Rename, from, to)
            .map_err(|failure| inside("rename", from, &failure))
    }

    /// Removes a file or link; no error when there is none.
    pub fn remove(&self, path: &[u8]) -> Result<(), GuestError> {
        self.on_path("remove", ffi::OnPath::Remove, path)
    }

    /// Removes an empty folder.
    pub fn remove_folder(&self, path: &[u8]) -> Result<(), GuestError> {
        self.on_path("remove", ffi::OnPath::RemoveFolder, path)
    }

    /// Removes a folder and all below it; no error when there is none.
    pub fn remove_tree(&self, path: &[u8]) -> Result<(), GuestError> {
        self.on_path("remove", ffi::OnPath::RemoveTree, path)
    }

    /// Makes a folder and its missing parents.
    pub fn make_folders(&self, path: &[u8]) -> Result<(), GuestError> {
        self.on_path("make", ffi::OnPath::MakeFolders, path)
    }

    /// Sets the permission bits of a file whose path is text.
    pub fn set_mode(&self, path: &str, mode: u16) -> Result<(), GuestError> {
        self.call("set permissions", |handle| {
            handle.chmod(i32::from(mode), path)
        })
    }

    /// Whether a path leads to a file, folder or link; the last part is not followed.
    pub fn exists(&self, path: &[u8]) -> Result<bool, GuestError> {
        let at = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        let (folder, name) = path.split_at((at + 1).min(path.len()));
        let found = ffi::lstat_list(&self.handle, folder, &[name])
            .map_err(|failure| inside("look at", path, &failure))?;
        Ok(found.first().is_some_and(Option::is_some))
    }

    fn on_path(
        &self,
        operation: &'static str,
        call: ffi::OnPath,
        path: &[u8],
    ) -> Result<(), GuestError> {
        ffi::on_path(&self.handle, call, path).map_err(|failure| inside(operation, path, &failure))
    }

    /// One call of the crate, its failure in words. The crate panics on an error text that is no UTF-8.
    fn call<T>(
        &self,
        operation: &str,
        call: impl FnOnce(&Handle) -> Result<T, guestfs::Error>,
    ) -> Result<T, GuestError> {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(&self.handle)));
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(guestfs::Error::API(_))) | Err(_) => {
                let failure = ffi::last_failure(&self.handle);
                Err(appliance_error(operation, &failure.text))
            }
            Ok(Err(other)) => Err(appliance_error(operation, format!("{other:?}").as_bytes())),
        }
    }
}

fn appliance_error(operation: &str, why: &[u8]) -> GuestError {
    GuestError::Appliance {
        operation: operation.to_owned(),
        why: one_line(why),
    }
}

fn inside(operation: &'static str, path: &[u8], failure: &Failure) -> GuestError {
    GuestError::Inside {
        operation,
        path: escape(path).into_owned(),
        why: one_line(&failure.text),
    }
}

/// The library's words as one safe line of bounded length.
fn one_line(text: &[u8]) -> String {
    const LONGEST: usize = 400;
    let line: Vec<u8> = text
        .iter()
        .map(|&byte| if byte == b'\n' { b' ' } else { byte })
        .take(LONGEST)
        .collect();
    escape(line.trim_ascii()).into_owned()
}
