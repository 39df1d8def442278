//! An image as QEMU gets it: every node named by its driver, every file opened beforehand.
//!
//! The description is QEMU's own `json:` notation of block nodes (`BlockdevOptions` in qapi/block-core.json). No node is
//! probed, no name that stands in a header is followed: a node has the file below it that this module gives it, or none.

use super::chain::Layer;
use super::magic::Format;
use super::{Image, host};
use crate::guest::GuestError;
use crate::guest::blocks::Blocks;
use crate::guest::nbd::NbdDisk;
use crate::job::Job;
use crate::model::text::escape;
use crate::program::{Handed, Program, Started};
use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// A disk for a program of QEMU: an image, or a throw-away overlay over one.
#[derive(Debug, Clone)]
pub struct Graph {
    /// From the lowest image to the uppermost.
    layers: Vec<Layer>,
    /// A qcow2 file over them that can be written. Its own header names no backing file.
    overlay: Option<Arc<File>>,
}

impl Graph {
    /// The disk of an image.
    pub fn of(image: &Image) -> Self {
        Self {
            layers: image.layers.iter().rev().cloned().collect(),
            overlay: None,
        }
    }

    /// The disk of an overlay over an image, for writing.
    ///
    /// # Errors
    /// When the overlay cannot be opened.
    pub fn overlay(path: &Path, image: &Image) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(path)?;
        Ok(Self {
            overlay: Some(Arc::new(file)),
            ..Self::of(image)
        })
    }

    /// The disk of an overlay that has no name: it takes what is written, and is gone when nobody has it open any more,
    /// whatever happens to this process.
    ///
    /// # Errors
    /// When the image cannot be served, or the overlay cannot be made.
    pub fn throw_away(image: &Image, job: &Job) -> Result<Self, GuestError> {
        let failed = |source| host("make an overlay over", image.path(), source);
        let size = NbdDisk::open(image, job)?.size().to_string();
        let file = tempfile::tempfile().map_err(failed)?;
        let mut handed = Handed::default();
        let name = handed.add(&file).map_err(failed)?;
        let words = ["create", "-q", "-f", "qcow2", &name, &size];
        let made = Program::new("qemu-img", words).with_files(handed);
        let made = made.start().and_then(Started::output).map_err(failed)?;
        if !made.status.success() {
            let said = escape(made.stderr.trim_ascii()).into_owned();
            return Err(failed(io::Error::other(said)));
        }
        Ok(Self {
            overlay: Some(Arc::new(file)),
            ..Self::of(image)
        })
    }

    /// The disk of a qcow2 image that may itself be written: an overlay or a copy of the user's own.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn writable(image: &Image) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(image.path())?;
        let below = image.layers.iter().skip(1).rev();
        Ok(Self {
            layers: below.cloned().collect(),
            overlay: Some(Arc::new(file)),
        })
    }

    /// The file name for QEMU, which starts with `json:`; the files are added to `handed`.
    ///
    /// # Errors
    /// When this process has too many files open.
    pub fn file_name(&self, handed: &mut Handed) -> io::Result<String> {
        let mut node = Value::Null;
        for layer in &self.layers {
            node = Self::layer(layer, node, handed)?;
        }
        if let Some(overlay) = &self.overlay {
            let mut top = node_of(Format::Qcow2, &file(overlay, handed)?, node);
            top["discard"] = "unmap".into();
            top["file"]["discard"] = "unmap".into();
            node = top;
        }
        Ok(format!("json:{node}"))
    }

    fn layer(layer: &Layer, below: Value, handed: &mut Handed) -> io::Result<Value> {
        let own = match &layer.split {
            None => file(&layer.own.file, handed)?,
            Some(split) => {
                let text = split.descriptor(|extent| handed.add(extent))?;
                let mut descriptor = File::from(memfd_create("vmdk", MemfdFlags::CLOEXEC)?);
                descriptor.write_all(text.as_bytes())?;
                file(&descriptor, handed)?
            }
        };
        Ok(node_of(layer.format, &own, below))
    }
}

fn file(file: &File, handed: &mut Handed) -> io::Result<Value> {
    Ok(json!({ "driver": "file", "filename": handed.add(file)? }))
}

fn node_of(format: Format, file: &Value, below: Value) -> Value {
    let mut node = json!({ "driver": format.name(), "file": file });
    // The other formats have no backing files and refuse the word.
    if matches!(format, Format::Qcow2 | Format::Vmdk) {
        node["backing"] = below;
    }
    node
}
