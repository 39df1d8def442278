//! The options of an export.

use crate::guest::OpenOptions;
use crate::model::Bytes;
use crate::plan::Intent;
use crate::profile::{self, ImageFormat, Profile};
use std::path::PathBuf;
use std::sync::Arc;

/// The output's disk format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputFormat {
    /// QEMU's own, compressed.
    #[default]
    Qcow2,
    /// The bare disk, with holes.
    Raw,
    /// `VMware`'s, compressed (`streamOptimized`).
    Vmdk,
    /// `VirtualBox`'s.
    Vdi,
    /// Hyper-V's.
    Vhdx,
    /// No disk: all files as one tar archive.
    Tar,
    /// No disk: all files as one layer of a container image, an OCI image layout packed as tar.
    Oci,
}

impl OutputFormat {
    /// All formats, the default first.
    pub const ALL: [Self; 7] = [
        Self::Qcow2,
        Self::Raw,
        Self::Vmdk,
        Self::Vdi,
        Self::Vhdx,
        Self::Tar,
        Self::Oci,
    ];

    /// The name for it in profiles, on the command line and to QEMU.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
            Self::Vmdk => "vmdk",
            Self::Vdi => "vdi",
            Self::Vhdx => "vhdx",
            Self::Tar => "tar",
            Self::Oci => "oci",
        }
    }

    /// Whether it holds files and no disk: nothing boots from it.
    pub const fn is_archive(self) -> bool {
        matches!(self, Self::Tar | Self::Oci)
    }

    /// The format of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

impl From<ImageFormat> for OutputFormat {
    fn from(wish: ImageFormat) -> Self {
        match wish {
            ImageFormat::Qcow2 => Self::Qcow2,
            ImageFormat::Raw => Self::Raw,
            ImageFormat::Vmdk => Self::Vmdk,
            ImageFormat::Vdi => Self::Vdi,
            ImageFormat::Vhdx => Self::Vhdx,
            ImageFormat::Tar => Self::Tar,
            ImageFormat::Oci => Self::Oci,
        }
    }
}

impl From<profile::Compression> for Compression {
    fn from(wish: profile::Compression) -> Self {
        match wish {
            profile::Compression::Zstd => Self::Zstd,
            profile::Compression::Zlib => Self::Zlib,
            profile::Compression::None => Self::None,
        }
    }
}

/// How the output is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Small and fast; read by QEMU 5.1 and later.
    #[default]
    Zstd,
    /// Read by every QEMU, several times slower to write.
    Zlib,
    /// None: fastest to write and to read.
    None,
}

impl Compression {
    /// All ways, the default first.
    pub const ALL: [Self; 3] = [Self::Zstd, Self::Zlib, Self::None];

    /// The name for it in profiles and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Zlib => "zlib",
            Self::None => "none",
        }
    }

    /// The way of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }
}

/// How the output comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// The source's disk as it is, without what goes.
    #[default]
    InPlace,
    /// The same, and then file system, last partition and disk as small as what is left and some room to grow.
    Shrink,
    /// A new disk with new file systems, and only what stays copied onto it.
    Repack,
}

impl Way {
    /// All ways, the default first.
    pub const ALL: [Self; 3] = [Self::InPlace, Self::Shrink, Self::Repack];

    /// The name for it on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InPlace => "in-place",
            Self::Shrink => "shrink",
            Self::Repack => "repack",
        }
    }

    /// What it does, one phrase.
    pub const fn promise(self) -> &'static str {
        match self {
            Self::InPlace => "the disk keeps its size and layout; only what goes is removed",
            Self::Shrink => "the same, and then the last partition and the disk get smaller",
            Self::Repack => "a new, smaller disk, onto which only what stays is copied",
        }
    }

    /// The way of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// The way after this one, the first after the last.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|way| *way == self);
        Self::ALL[(at.unwrap_or_default() + 1) % Self::ALL.len()]
    }
}

impl From<profile::Way> for Way {
    fn from(way: profile::Way) -> Self {
        match way {
            profile::Way::InPlace => Self::InPlace,
            profile::Way::Shrink => Self::Shrink,
            profile::Way::Repack => Self::Repack,
        }
    }
}

/// What becomes of the default boot entry's initramfs on a disk; an archive keeps it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Initramfs {
    /// It stays as it is.
    #[default]
    Untouched,
    /// The guest's own tools make it anew; the bytes are known to who exports, and not in a dry run.
    Rebuilt(Option<Arc<[u8]>>),
}

impl Initramfs {
    /// As the intent has it, before any bytes are known.
    pub fn of(intent: &Intent) -> Self {
        if intent.rebuilds_initramfs {
            Self::Rebuilt(None)
        } else {
            Self::Untouched
        }
    }
}

/// What a person chooses about an export.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// Where the output goes.
    pub output: PathBuf,
    /// Its format.
    pub format: OutputFormat,
    /// How it is packed; only qcow2 and the layer of an OCI image have the choice.
    pub compression: Compression,
    /// How it comes to be.
    pub way: Way,
    /// Room to grow on a disk that becomes smaller; without it a tenth of what stays, and at least 256 MiB.
    pub slack: Option<Bytes>,
    /// What becomes of the initramfs.
    pub initramfs: Initramfs,
    /// Whether something that is there already may be replaced.
    pub force: bool,
    /// How the source is opened.
    pub open: OpenOptions,
    /// The previous release's output, where the cost of an update from it is to be known.
    pub previous: Option<PathBuf>,
    /// What the plan was made from, for the report.
    pub profile: Option<Profile>,
}

impl ExportOptions {
    /// Whether the output gets an initramfs that is made anew.
    pub fn rebuilds_initramfs(&self) -> bool {
        !self.format.is_archive() && self.initramfs != Initramfs::Untouched
    }

    /// How the disk comes to be; what has no disk is made of the source's.
    pub fn way(&self) -> Way {
        if self.format.is_archive() {
            Way::InPlace
        } else {
            self.way
        }
    }
}
