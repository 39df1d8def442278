//! Where the output goes and what lies beside it: what is refused, and the renames that make all of it appear.

use super::error::ExportError;
use crate::guest::image::Image;
use crate::model::Bytes;
use rustix::fs::{CWD, RenameFlags, renameat_with, statvfs};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes that a file's name may have on the file systems of Linux.
const LONGEST_NAME: usize = 255;

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
    /// What lies beside the output: its path with each of these endings.
    endings: &'static [&'static str],
    force: bool,
}

/// How a file got its name, for taking it back.
enum Named {
    /// Nothing had that name.
    New,
    /// What had it lies where the finished file was.
    Exchanged,
    /// What had it is gone: a file system that cannot exchange.
    Replaced,
}

impl Place {
    /// Looks at all paths and refuses what must not be done; nothing is created.
    pub fn choose(
        source: &Path,
        output: &Path,
        endings: &'static [&'static str],
        force: bool,
    ) -> Result<Self, ExportError> {
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
        let longest = endings.iter().map(|ending| ending.len()).max();
        if name.len() + longest.unwrap_or(0) > LONGEST_NAME {
            return Err(refuse("its name is too long"));
        }
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
            endings,
            force,
        };
        place.check_name(&place.output, output)?;
        for ending in endings {
            place.check_name(&beside(&place.output, ending), &beside(output, ending))?;
        }
        Ok(place)
    }

    /// Refuses an output that the source builds on; `shown` is how the person wrote it.
    pub fn check_below(&self, image: &Image, shown: &Path) -> Result<(), ExportError> {
        let there = Fingerprint::of(&self.output).ok();
        let is_output = |file: &Path| {
            let file = Fingerprint::of(file).ok();
            file.zip(there)
                .is_some_and(|(file, there)| file.is_same_file(&there))
        };
        if image.below().into_iter().any(is_output) {
            return Err(ExportError::Output {
                path: shown.to_owned(),
                why: "the source builds on it",
            });
        }
        Ok(())
    }

    /// Refuses a name that must not be given; `shown` is how the person wrote it.
    fn check_name(&self, path: &Path, shown: &Path) -> Result<(), ExportError> {
        let refuse = |why| ExportError::Output {
            path: shown.to_owned(),
            why,
        };
        match Fingerprint::of(path) {
            Ok(there) if there.is_same_file(&self.fingerprint) => {
                Err(ExportError::IsSource(shown.to_owned()))
            }
            Ok(_) if path.is_dir() => Err(refuse("it is a folder")),
            Ok(_) if !path.is_file() => Err(refuse("it is no ordinary file")),
            _ if !self.force && fs::symlink_metadata(path).is_ok() => {
                Err(ExportError::Exists(shown.to_owned()))
            }
            _ => Ok(()),
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

    /// Gives the finished files their names for good: what lies beside the output first, in the order of the endings, so
    /// that there is never an output without it. When one cannot have its name, none has.
    pub fn publish(&self, output: &Path, beside_it: &[PathBuf]) -> Result<(), ExportError> {
        let names = self
            .endings
            .iter()
            .map(|ending| beside(&self.output, ending));
        let mut pairs: Vec<(&Path, PathBuf)> =
            beside_it.iter().map(PathBuf::as_path).zip(names).collect();
        pairs.push((output, self.output.clone()));
        for (finished, _) in &pairs {
            File::open(finished)
                .and_then(|file| file.sync_all())
                .map_err(ExportError::host("write", finished))?;
        }
        let mut done = Vec::new();
        for (finished, path) in &pairs {
            match self.give_name(finished, path) {
                Ok(how) => done.push((*finished, path, how)),
                Err(error) => {
                    done.iter().rev().for_each(take_back);
                    return Err(error);
                }
            }
        }
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(ExportError::host("write", &self.folder))
    }

    fn give_name(&self, finished: &Path, path: &Path) -> Result<Named, ExportError> {
        let there = fs::symlink_metadata(path).ok().filter(|_| self.force);
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(ExportError::Exists(path.to_owned()));
        }
        let replaces = there.is_some();
        let (flags, how) = if replaces {
            (RenameFlags::EXCHANGE, Named::Exchanged)
        } else {
            (RenameFlags::NOREPLACE, Named::New)
        };
        let done = match renameat_with(CWD, finished, CWD, path, flags) {
            Err(rustix::io::Errno::INVAL) if replaces => {
                fs::rename(finished, path).map(|()| Named::Replaced)
            }
            // A file system without this flag: a hard link refuses what is there just as well.
            Err(rustix::io::Errno::INVAL) => fs::hard_link(finished, path).map(|()| Named::New),
            other => other.map(|()| how).map_err(io::Error::from),
        };
        done.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => ExportError::Exists(path.to_owned()),
            _ => ExportError::host("create", path)(error),
        })
    }
}

/// Whether two paths lead to one file, or would when it is there.
pub fn is_one_file(one: &Path, other: &Path) -> bool {
    match (Fingerprint::of(one), Fingerprint::of(other)) {
        (Ok(one), Ok(other)) => one.is_same_file(&other),
        _ => place_of(one).is_some_and(|place| place_of(other) == Some(place)),
    }
}

/// A path with the links of its folder followed.
fn place_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
    Some(folder.join(path.file_name()?))
}

/// The path with an ending more.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Undoes what [`Place::give_name`] did; where that is impossible, what it replaced is gone already.
fn take_back((finished, path, how): &(&Path, &PathBuf, Named)) {
    let _ = match how {
        Named::New | Named::Replaced => fs::remove_file(path),
        Named::Exchanged => {
            renameat_with(CWD, *finished, CWD, path.as_path(), RenameFlags::EXCHANGE)
                .map_err(io::Error::from)
        }
    };
}

#[cfg(test)]
mod tests;
