//! A profile's wishes for the exported image: checks that must pass, format, compression, way.

use crate::model::Bytes;
use serde::{Deserialize, Serialize};

/// A command that must still work in the exported guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// A line for the guest's shell.
    pub command: String,
    /// The exit code that is right.
    #[serde(default)]
    pub exit: u8,
    /// The expected standard output, when it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Expect>,
}

/// An expectation about an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// This text is in it.
    Contains(String),
    /// It is this text; blanks and newlines at both ends do not count.
    Exact(String),
}

/// The exported image's settings, where the command line does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// The image's format.
    pub format: ImageFormat,
    /// How its clusters are compressed; only qcow2 can.
    pub compression: Compression,
    /// How it is made.
    #[serde(skip_serializing_if = "is_usual")]
    pub way: Way,
    /// Room to grow in MB, where the disk becomes smaller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<u32>,
}

impl Output {
    /// The room to grow in bytes, where it is said.
    pub fn slack_bytes(&self) -> Option<Bytes> {
        self.slack.map(Bytes::from_mb)
    }
}

/// How the image is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The source's disk without what goes.
    #[default]
    InPlace,
    /// The same, made smaller afterwards.
    Shrink,
    /// A new disk with what stays.
    Repack,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_usual(way: &Way) -> bool {
    *way == Way::default()
}

/// The formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormat {
    /// QEMU's own, compressed.
    #[default]
    Qcow2,
    /// The plain disk, with holes.
    Raw,
    /// `VMware`'s.
    Vmdk,
    /// `VirtualBox`'s.
    Vdi,
    /// Hyper-V's.
    Vhdx,
    /// All files as a tar archive, without a disk.
    Tar,
    /// All files as a container image.
    Oci,
}

/// How a qcow2 image is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Small and quick; needs QEMU 5.1 or newer.
    #[default]
    Zstd,
    /// For older QEMU.
    Zlib,
    /// Not at all.
    None,
}
