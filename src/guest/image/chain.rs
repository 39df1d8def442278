//! The files that an image is made of: itself, the files below it and their extents, each opened here, once.
//!
//! What a header names is read by this module alone. QEMU is never asked to follow a name: it gets the files that were
//! opened here (see [`super::graph`]), so that a header which two readers read differently can at worst show wrong
//! bytes of the image, never a file of the host.

use super::magic::{self, Format};
use super::place::Places;
use super::{host, qcow2, unusable, vmdk};
use crate::guest::GuestError;
use crate::model::text::escape;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// A file of an image, open for reading.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Where it was found.
    pub path: PathBuf,
    /// The file.
    pub file: Arc<File>,
}

/// One image of a chain.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// The image's own file.
    pub own: Piece,
    /// How it is read.
    pub format: Format,
    /// Its extents and what joins them, for a VMDK that keeps its contents in files of their own.
    pub split: Option<vmdk::Split>,
}

/// Opens an image and all that is below it; the image itself first.
pub(super) fn open(
    own: (File, &Metadata),
    path: &Path,
    format: Format,
    places: &Places,
) -> Result<Vec<Layer>, GuestError> {
    let (mut layer, mut below) = layer(own, path, format, places)?;
    let mut layers = Vec::new();
    while let Some(name) = below {
        if layers.len() == LONGEST {
            return Err(unusable(path, "its chain of backing files has no end"));
        }
        let (lower, next) = step_down(&layer.own.path, &name, places)?;
        layers.push(std::mem::replace(&mut layer, lower));
        below = next;
    }
    layers.push(layer);
    Ok(layers)
}

/// One image and what it names below itself.
fn layer(
    (file, facts): (File, &Metadata),
    path: &Path,
    format: Format,
    places: &Places,
) -> Result<(Layer, Option<Below>), GuestError> {
    let read = |source| host("read", path, source);
    let mut split = None;
    let below = match format {
        Format::Qcow2 => {
            let header = qcow2::Header::read(&file).map_err(read)?;
            let header = header.map_err(|why| unusable(path, why))?;
            let end = header.end(&file, facts.len()).map_err(read)?;
            if end >= facts.len().saturating_add(header.cluster_size()) {
                let len = facts.len();
                let why = format!(
                    "it is truncated or damaged: it ends at byte {len}, and its tables lead to byte {end}"
                );
                return Err(unusable(path, why));
            }
            header.below
        }
        Format::Vmdk => {
            let found = vmdk::read(path, &file, places)?;
            split = found.split;
            found.below
        }
        Format::Raw | Format::Vdi | Format::Vhdx | Format::Vpc => None,
    };
    let own = Piece {
        path: path.to_owned(),
        file: Arc::new(file),
    };
    Ok((Layer { own, format, split }, below))
}

/// The next image of the chain, if it may be opened.
fn step_down(
    upper: &Path,
    below: &Below,
    places: &Places,
) -> Result<(Layer, Option<Below>), GuestError> {
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
    let (file, facts) = places.open(&path).map_err(|error| match error {
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
    layer((file, &facts), &path, format, places).map_err(|error| match error {
        // The image that names the file is what the user gave.
        GuestError::Image { path: bad, why } if bad == path => {
            refuse(&format!("cannot be used: {why}"))
        }
        other => other,
    })
}

/// Whether QEMU would take the name for an address (`nbd:...`, `json:...`): a colon before the first slash.
pub(super) fn has_protocol(name: &[u8]) -> bool {
    name.iter().find(|byte| matches!(byte, b':' | b'/')) == Some(&b':')
}
