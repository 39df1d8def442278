//! A disk image on the host: what format it has, and whether it may be opened at all.
//!
//! Everything here reads the headers itself, before any program of QEMU sees a file: QEMU's own probing would let a
//! raw disk's first sector decide which other files of the host are opened. The files are opened here, too, each once;
//! QEMU gets them as descriptors, in a graph of nodes that leaves nothing for it to look up ([`Graph`]).

mod chain;
mod graph;
mod magic;
mod place;
mod qcow2;
#[cfg(test)]
mod tests;
mod vmdk;

pub use graph::Graph;

use super::GuestError;
use crate::model::inventory::{ImageFile, Origin};
use chain::Layer;
use magic::Format;
use place::{Places, open_regular};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// An image that passed all checks that need no QEMU, with all of its files open.
#[derive(Debug, Clone)]
pub struct Image {
    shown: String,
    path: PathBuf,
    /// Bytes that all of its files take on the host.
    taken: u64,
    /// The image itself, then the images below it. Never empty.
    layers: Vec<Layer>,
}

impl Image {
    /// Opens an image whose files all lie in its own folder. `format` overrides what its first bytes say.
    pub fn probe(path: &Path, format: Option<&str>) -> Result<Self, GuestError> {
        Self::open(path, format, &[])
    }

    /// Opens an image and the files that it builds on. Those lie in its own folder (or below it) or in the places that
    /// `allowed` names: files, or folders with all that is in them.
    pub fn open(
        path: &Path,
        format: Option<&str>,
        allowed: &[PathBuf],
    ) -> Result<Self, GuestError> {
        let absolute = std::path::absolute(path).map_err(|source| host("find", path, source))?;
        let forced = format.map(|name| Format::named(name).ok_or_else(|| unknown_format(name)));
        let (file, facts) = open_regular(&absolute)?;
        let format = match forced {
            Some(format) => format?,
            None => magic::probe(&file).map_err(|source| host("read", path, source))?,
        };
        let places = Places::of(&absolute, allowed);
        let layers = chain::open((file, &facts), &absolute, format, &places)?;
        let mut image = Self {
            layers,
            shown: path.display().to_string(),
            path: absolute,
            taken: 0,
        };
        let facts = image.files().filter_map(|file| file.metadata().ok());
        image.taken = facts.map(|facts| facts.blocks().saturating_mul(512)).sum();
        Ok(image)
    }

    /// The file, absolute; symlinks as given, since relative backing files start from its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All other files that it takes contents from: extents and backing files, the nearest first.
    pub fn below(&self) -> Vec<&Path> {
        self.pieces().skip(1).map(|(path, _)| path).collect()
    }

    /// Every file of the image, open.
    fn files(&self) -> impl Iterator<Item = &File> {
        self.layers.iter().flat_map(|layer| {
            let extents = layer.split.iter().flat_map(vmdk::Split::pieces);
            std::iter::once(&layer.own)
                .chain(extents)
                .map(|piece| &*piece.file)
        })
    }

    /// Every file of the image with its format, the image's own first, and after an image its extents.
    fn pieces(&self) -> impl Iterator<Item = (&Path, &'static str)> {
        self.layers.iter().flat_map(|layer| {
            let extents = layer.split.iter().flat_map(vmdk::Split::pieces);
            let extents = extents.map(|piece| (&*piece.path, "extent"));
            std::iter::once((&*layer.own.path, layer.format.name())).chain(extents)
        })
    }

    /// Whether it stands alone, without any other file.
    pub fn is_whole(&self) -> bool {
        self.pieces().nth(1).is_none()
    }

    /// The format's name, as QEMU takes it.
    pub fn format(&self) -> &'static str {
        self.layers[0].format.name()
    }

    /// Where the facts come from, read by `backend` from a virtual disk of `virtual_size` bytes.
    pub fn origin(&self, backend: &str, virtual_size: u64) -> Origin {
        Origin {
            image: self.shown.clone(),
            format: self.format().to_owned(),
            virtual_size,
            file_size: self.taken,
            backend: backend.to_owned(),
            chain: (self.pieces().skip(1))
                .map(|(path, format)| ImageFile {
                    path: path.display().to_string(),
                    format: format.to_owned(),
                })
                .collect(),
            ..Origin::default()
        }
    }
}

fn unknown_format(name: &str) -> GuestError {
    GuestError::Unsupported {
        what: format!(
            "no image format \"{}\"",
            crate::model::text::escape(name.as_bytes())
        ),
        hint: format!("the formats are {}", magic::NAMES),
    }
}

fn host(operation: &'static str, path: &Path, source: std::io::Error) -> GuestError {
    GuestError::Host {
        operation,
        path: path.to_owned(),
        source,
    }
}

fn unusable(path: &Path, why: impl Into<String>) -> GuestError {
    GuestError::Image {
        path: path.to_owned(),
        why: why.into(),
    }
}
