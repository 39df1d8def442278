//! Image formats by their first bytes.

use crate::guest::partition;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A format that QEMU reads and that this program lets it read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Qcow2,
    Raw,
    Vdi,
    Vhdx,
    Vmdk,
    Vpc,
}

/// For a hint.
pub(super) const NAMES: &str = "qcow2, raw, vdi, vhdx, vmdk, vpc";

const ALL: [Format; 6] = [
    Format::Qcow2,
    Format::Raw,
    Format::Vdi,
    Format::Vhdx,
    Format::Vmdk,
    Format::Vpc,
];

impl Format {
    /// QEMU's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
            Self::Vdi => "vdi",
            Self::Vhdx => "vhdx",
            Self::Vmdk => "vmdk",
            Self::Vpc => "vpc",
        }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What the first bytes say; raw when they say nothing.
pub(super) fn probe(file: &File) -> io::Result<Format> {
    let head = head(file, 512)?;
    Ok(if head.starts_with(b"QFI\xfb") {
        Format::Qcow2
    } else if head.starts_with(b"KDMV")
        || head.starts_with(b"COWD")
        || head.starts_with(b"# Disk DescriptorFile")
    {
        Format::Vmdk
    } else if head.starts_with(b"vhdxfile") {
        Format::Vhdx
    } else if head.starts_with(b"conectix") {
        Format::Vpc
    } else if head.get(64..68) == Some(&[0x7f, 0x10, 0xda, 0xbe]) {
        Format::Vdi
    } else {
        Format::Raw
    })
}

/// Up to `len` first bytes.
pub(super) fn head(file: &File, len: usize) -> io::Result<Vec<u8>> {
    bytes(file, 0, len)
}

/// Up to `len` bytes from `offset` on.
pub(super) fn bytes(file: &File, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer)
}

/// Whether a raw file looks like a disk: a partition table, or an ext, xfs or btrfs file system. Any text file can be
/// *called* raw; this is what keeps a hostile image from showing one as its own content.
pub(super) fn is_disk(file: &File) -> io::Result<bool> {
    let head = head(file, 128 << 10)?;
    let has = |at: usize, magic: &[u8]| head.get(at..at + magic.len()) == Some(magic);
    let has_table = !partition::read(&mut &head[..])?.kind.is_empty();
    Ok(has_table || has(1080, &[0x53, 0xef]) || has(0, b"XFSB") || has(0x10040, b"_BHRfS_M"))
}
