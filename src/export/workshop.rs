//! The folder beside the output where everything unfinished lives.
//!
//! It is hidden, private and on the output's file system, so that the last act is a rename. Its owner holds a lock as
//! long as it lives; a folder whose owner was killed is removed by the next export into that place.

use super::error::ExportError;
use rustix::fs::{FlockOperation, flock};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How the names of work folders begin; process and start time follow.
const PREFIX: &str = ".guestslim-";
/// The file in a work folder that its owner keeps locked.
const LOCK: &str = "lock";

/// A work folder; gone when dropped.
#[derive(Debug)]
pub(super) struct Workshop {
    folder: TempDir,
    _lock: File,
}

impl Workshop {
    /// Makes one, after removing those whose owners were killed.
    pub fn open(place: &Path) -> Result<Self, ExportError> {
        sweep(place);
        let owner = std::process::id();
        let prefix = format!("{PREFIX}{owner}-{}-", started(owner).unwrap_or_default());
        let folder = tempfile::Builder::new()
            .prefix(&prefix)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(place)
            .map_err(ExportError::host("create a folder in", place))?;
        let path = folder.path().join(LOCK);
        let lock = File::create_new(&path).map_err(ExportError::host("create", &path))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|errno| ExportError::host("lock", &path)(errno.into()))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Removes work folders whose owners are gone; what cannot be removed stays for the next time.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else {
        return;
    };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && is_left_over(&entry.file_name(), &entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a folder is a work folder that nobody works in.
fn is_left_over(name: &OsStr, folder: &Path) -> bool {
    let Some((owner, start)) = name.to_str().and_then(owner_of) else {
        return false;
    };
    if started(owner) == Some(start) {
        return false;
    }
    match File::open(folder.join(LOCK)) {
        Ok(lock) => flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// The process and start time that a work folder's name tells.
fn owner_of(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix(PREFIX)?.splitn(3, '-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// When a process started, in ticks since boot: the 22nd field of proc(5)'s `stat`.
fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?
        .1
        .split_ascii_whitespace()
        .nth(19)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn only_folders_whose_owner_is_gone_are_swept() {
        let folder = tempfile::tempdir().expect("the host has a temporary folder");
        let mine = Workshop::open(folder.path()).expect("writable");
        let dead = folder.path().join(format!("{PREFIX}4194305-7-abc"));
        let foreign = folder.path().join(".guestslim-notes");
        fs::create_dir(&dead).expect("writable");
        fs::write(dead.join("overlay.qcow2"), b"x").expect("writable");
        fs::create_dir(&foreign).expect("writable");
        let other = Workshop::open(folder.path()).expect("writable");
        assert!(!dead.exists() && foreign.exists() && mine.file(LOCK).exists());
        assert_eq!(
            fs::metadata(mine.folder.path()).expect("there").mode() & 0o777,
            0o700
        );
        drop((mine, other));
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }
}
