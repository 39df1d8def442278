//! What a person chooses about an export.

use crate::guest::OpenOptions;
use crate::profile::Profile;
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
}

impl OutputFormat {
    /// All formats, the default first.
    pub const ALL: [Self; 4] = [Self::Qcow2, Self::Raw, Self::Vmdk, Self::Vdi];

    /// The name for it in profiles, on the command line and to QEMU.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
            Self::Vmdk => "vmdk",
            Self::Vdi => "vdi",
        }
    }

    /// The format of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
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
    /// How it is packed; only qcow2 has the choice.
    pub compression: Compression,
    /// Whether something that is there already may be replaced.
    pub force: bool,
    /// How the source is opened.
    pub open: OpenOptions,
    /// What the plan was made from, for the report.
    pub profile: Option<Profile>,
}
