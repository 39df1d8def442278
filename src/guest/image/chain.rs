//! The files that an image is made of: itself and the backing files below it, each checked before QEMU opens any.

use super::magic::{self, Format};
use super::{host, open_regular, qcow2, unusable, vmdk};
use crate::guest::GuestError;
use crate::model::text::escape;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A longer chain is a loop or a bad joke.
const LONGEST: usize = 32;

/// A file below another, as the upper one names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Below {
    /// The name as written.
    pub name: Vec<u8>,
    /// The format as written, if it is.
    pub format: Option<Vec<u8>>,
}

/// Checks an image and all that is below it; the files below, the nearest first.
pub(super) fn check(path: &Path, format: Format) -> Result<Vec<PathBuf>, GuestError> {
    let (mut path, mut format) = (path.to_owned(), format);
    let mut files = Vec::new();
    for _ in 0..LONGEST {
        let Some(below) = check_one(&path, format)? else {
            return Ok(files);
        };
        (path, format) = step_down(&path, &below)?;
        files.push(path.clone());
    }
    Err(unusable(&path, "its chain of backing files has no end"))
}

/// Checks one file's own header and tells what is below it.
fn check_one(path: &Path, format: Format) -> Result<Option<Below>, GuestError> {
    let (file, facts) = open_regular(path)?;
    let read = |source| host("read", path, source);
    match format {
        Format::Qcow2 => {
            let header = qcow2::Header::read(&file).map_err(read)?;
            let header = header.map_err(|why| unusable(path, why))?;
            let end = header.end(&file).map_err(read)?;
            if end >= facts.len().saturating_add(header.cluster_size()) {
                return Err(unusable(
                    path,
                    format!(
                        "it is truncated: it ends at byte {}, its contents at {end}",
                        facts.len()
                    ),
                ));
            }
            Ok(header.below)
        }
        Format::Vmdk => vmdk::check(path, &file).map_err(|why| unusable(path, why)),
        Format::Raw | Format::Vdi | Format::Vhdx | Format::Vpc => Ok(None),
    }
}

/// The next file of the chain and its format, if it may be opened.
fn step_down(upper: &Path, below: &Below) -> Result<(PathBuf, Format), GuestError> {
    let refuse = |why: &str| {
        unusable(
            upper,
            format!("its backing file \"{}\" {why}", escape(&below.name)),
        )
    };
    if has_protocol(&below.name) {
        return Err(refuse("is no local file"));
    }
    let folder = upper.parent().unwrap_or(Path::new("/"));
    let path = folder.join(OsStr::from_bytes(&below.name));
    let (file, _) = open_regular(&path).map_err(|error| match error {
        GuestError::Host { source, .. } => refuse(&format!("cannot be opened: {source}")),
        GuestError::Image { why, .. } => refuse(&format!("cannot be used: {why}")),
        other => other,
    })?;
    let unread = |source| host("read", &path, source);
    let probed = magic::probe(&file).map_err(unread)?;
    let format = match &below.format {
        None if probed == Format::Raw => {
            return Err(refuse(
                "has no format written beside it; `qemu-img rebase -u` sets it",
            ));
        }
        None => probed,
        Some(name) => std::str::from_utf8(name)
            .ok()
            .and_then(Format::named)
            .ok_or_else(|| refuse(&format!("has an unknown format \"{}\"", escape(name))))?,
    };
    if format == Format::Raw && !magic::is_disk(&file).map_err(unread)? {
        return Err(refuse("is no disk image"));
    }
    Ok((path, format))
}

/// Whether QEMU would take the name for an address (`nbd:...`, `json:...`): a colon before the first slash.
pub(super) fn has_protocol(name: &[u8]) -> bool {
    name.iter().find(|byte| matches!(byte, b':' | b'/')) == Some(&b':')
}
