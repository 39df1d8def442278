//! What a person chooses about an export.

use crate::guest::OpenOptions;
use crate::profile::{self, ImageFormat, Profile};
use std::path::PathBuf;

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

/// What a person chooses about an export.
#[derive(Debug, Clone, Default)]
pub struct ExportOptions {
    /// Where the output goes.
    pub output: PathBuf,
    /// Its format.
    pub format: OutputFormat,
    /// How it is packed; only qcow2 and the layer of an OCI image have the choice.
    pub compression: Compression,
    /// Whether something that is there already may be replaced.
    pub force: bool,
    /// How the source is opened.
    pub open: OpenOptions,
    /// The previous release's output, where the cost of an update from it is to be known.
    pub previous: Option<PathBuf>,
    /// What the plan was made from, for the report.
    pub profile: Option<Profile>,
}
