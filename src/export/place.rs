//! Where the output goes: what is refused, the work folder beside it, and the rename that makes it appear.
//!
//! The work folder is hidden, private and on the output's file system, so that the last act is one rename. Its owner
//! holds a lock as long as it lives; a folder whose owner was killed is removed by the next export into that place.

use super::error::ExportError;
use crate::model::Bytes;
use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with, statvfs};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How the names of work folders begin; process and start time follow.
const PREFIX: &str = ".guestslim-";
/// The file in a work folder that its owner keeps locked.
const LOCK: &str = "lock";

/// What tells that nobody wrote to a file meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Fingerprint {
    /// Takes it of what `path` leads to.
    pub fn of(path: &Path) -> Result<Self, ExportError> {
        let facts = fs::metadata(path).map_err(ExportError::host("read", path))?;
        Ok(Self {
            device: facts.dev(),
            inode: facts.ino(),
            size: facts.size(),
            modified: (facts.mtime(), facts.mtime_nsec()),
        })
    }

    /// The file's length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// A source and an output that may be worked on.
#[derive(Debug)]
pub(super) struct Place {
    /// The source, absolute, all links followed.
    pub source: PathBuf,
    /// The source as it was at first.
    pub fingerprint: Fingerprint,
    /// The output's folder, absolute, all links followed.
    pub folder: PathBuf,
    /// The output.
    pub output: PathBuf,
    force: bool,
}

impl Place {
    /// Looks at both paths and refuses what must not be done; nothing is created.
    pub fn choose(source: &Path, output: &Path, force: bool) -> Result<Self, ExportError> {
        let real = fs::canonicalize(source).map_err(ExportError::host("open", source))?;
        if real.is_dir() {
            return Err(ExportError::IsFolder(source.to_owned()));
        }
        let fingerprint = Fingerprint::of(&real)?;
        let refuse = |why| ExportError::Output {
            path: output.to_owned(),
            why,
        };
        let name = output
            .file_name()
            .ok_or_else(|| refuse("it names no file"))?;
        let parent = output
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let folder = fs::canonicalize(parent).map_err(ExportError::host("open", parent))?;
        let place = Self {
            source: real,
            fingerprint,
            output: folder.join(name),
            folder,
            force,
        };
        match Fingerprint::of(&place.output) {
            Ok(there) if there.is_same_file(&fingerprint) => {
                Err(ExportError::IsSource(output.to_owned()))
            }
            Ok(_) if place.output.is_dir() => Err(refuse("it is a folder")),
            Ok(_) if !place.output.is_file() => Err(refuse("it is no ordinary file")),
            _ if !force && fs::symlink_metadata(&place.output).is_ok() => {
                Err(ExportError::Exists(output.to_owned()))
            }
            _ => Ok(place),
        }
    }

    /// Refuses when the output's file system has less than `needed` free.
    pub fn check_room(&self, needed: Bytes) -> Result<(), ExportError> {
        let free = self.free()?;
        if free < needed {
            return Err(ExportError::NoRoom {
                path: self.folder.clone(),
                needed,
                free,
            });
        }
        Ok(())
    }

    /// What an ordinary user may still fill.
    pub fn free(&self) -> Result<Bytes, ExportError> {
        let facts = statvfs(&self.folder)
            .map_err(|errno| ExportError::host("look at", &self.folder)(errno.into()))?;
        Ok(Bytes(facts.f_bavail.saturating_mul(facts.f_frsize)))
    }

    /// Fails when the source is no longer what it was.
    pub fn check_source(&self) -> Result<(), ExportError> {
        if Fingerprint::of(&self.source)? == self.fingerprint {
            Ok(())
        } else {
            Err(ExportError::SourceChanged(self.source.clone()))
        }
    }

    /// Gives the finished file the output's name, whole and for good.
    pub fn publish(&self, finished: &Path) -> Result<(), ExportError> {
        let file = File::open(finished).map_err(ExportError::host("open", finished))?;
        file.sync_all()
            .map_err(ExportError::host("write", finished))?;
        let flags = if self.force {
            RenameFlags::empty()
        } else {
            RenameFlags::NOREPLACE
        };
        let renamed = match renameat_with(CWD, finished, CWD, &self.output, flags) {
            // A file system without this flag: a hard link refuses what is there just as well.
            Err(rustix::io::Errno::INVAL) if !self.force => fs::hard_link(finished, &self.output),
            other => other.map_err(io::Error::from),
        };
        renamed.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => ExportError::Exists(self.output.clone()),
            _ => ExportError::host("create", &self.output)(error),
        })?;
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(ExportError::host("write", &self.folder))
    }
}

/// The folder beside the output where everything unfinished lives; gone when dropped.
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

    fn image(folder: &Path) -> PathBuf {
        let path = folder.join("source.img");
        fs::write(&path, b"disk").expect("a temporary folder takes files");
        path
    }

    #[test]
    fn what_would_hurt_is_refused_before_anything_is_created() {
        let folder = tempfile::tempdir().expect("the host has a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let source = image(folder.path());
        fs::write(at("there"), b"x").expect("writable");
        fs::hard_link(&source, at("hard")).expect("same file system");
        std::os::unix::fs::symlink(&source, at("soft")).expect("writable");
        std::os::unix::fs::symlink(at("nowhere"), at("dangling")).expect("writable");
        fs::create_dir(at("folder")).expect("writable");
        let refusal = |output: &Path, force| {
            let error = Place::choose(&source, output, force)
                .expect_err("refused")
                .to_string();
            error.replace(&folder.path().display().to_string(), "")
        };
        assert_eq!(refusal(&at("there"), false), "/there exists already");
        assert_eq!(refusal(&at("dangling"), false), "/dangling exists already");
        for (output, force) in [
            ("source.img", false),
            ("hard", true),
            ("soft", true),
            ("folder/../source.img", true),
        ] {
            assert!(
                refusal(&at(output), force).ends_with("is the source image itself"),
                "{output}"
            );
        }
        assert_eq!(
            refusal(&at("folder"), true),
            "/folder cannot be the output: it is a folder"
        );
        assert_eq!(
            refusal(Path::new("/dev/null"), true),
            "/dev/null cannot be the output: it is no ordinary file"
        );
        assert!(refusal(&at("missing/out"), false).starts_with("cannot open /missing"));
        assert!(Place::choose(&source, &at("there"), true).is_ok());
        assert!(Place::choose(&source, &at("new"), false).is_ok());
        assert!(matches!(
            Place::choose(folder.path(), &at("new"), false),
            Err(ExportError::IsFolder(_))
        ));
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 6);
    }

    #[test]
    fn a_source_that_was_written_to_is_noticed() {
        let folder = tempfile::tempdir().expect("the host has a temporary folder");
        let source = image(folder.path());
        let place = Place::choose(&source, &folder.path().join("out"), false).expect("fine");
        assert!(place.check_source().is_ok());
        fs::write(&source, b"longer than before").expect("writable");
        assert!(matches!(
            place.check_source(),
            Err(ExportError::SourceChanged(_))
        ));
    }

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

    #[test]
    fn an_output_appears_without_replacing_what_came_meanwhile() {
        let folder = tempfile::tempdir().expect("the host has a temporary folder");
        let source = image(folder.path());
        let output = folder.path().join("out");
        let place = Place::choose(&source, &output, false).expect("fine");
        let finished = folder.path().join("finished");
        fs::write(&finished, b"new").expect("writable");
        fs::write(&output, b"came meanwhile").expect("writable");
        assert!(matches!(
            place.publish(&finished),
            Err(ExportError::Exists(_))
        ));
        assert_eq!(fs::read(&output).expect("there"), b"came meanwhile");
        let place = Place::choose(&source, &output, true).expect("fine");
        place.publish(&finished).expect("replaced");
        assert_eq!(fs::read(&output).expect("there"), b"new");
    }
}
