//! What a guest is and how it starts.

use super::need::Node;
use super::tree::FileId;
use std::collections::BTreeMap;

/// `/etc/os-release` and the machine's architecture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Os {
    /// `ID=`: `debian`.
    pub id: String,
    /// `VERSION_ID=`: `12`.
    pub version: String,
    /// `PRETTY_NAME=`.
    pub name: String,
    /// The package manager's architecture: `amd64`; empty when unknown.
    pub arch: String,
    /// `/etc/hostname`.
    pub hostname: String,
}

/// One file system of the image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileSystem {
    /// The partition or volume as the backend names it (`/dev/sda1`, `partition 1`).
    pub device: String,
    /// `ext4`, `xfs`, `vfat`, `swap` ...
    pub kind: String,
    /// UUID as the guest's fstab would write it; empty when there is none.
    pub uuid: String,
    /// Label; empty when there is none.
    pub label: String,
    /// Size in bytes.
    pub size: u64,
    /// Bytes in use, where known.
    pub used: Option<u64>,
}

/// A file system in its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mount {
    /// The mount point's path.
    pub at: Vec<u8>,
    /// What is mounted.
    pub file_system: FileSystem,
    /// Whether its files are in the tree; if not, they are kept whole and not shown.
    pub is_read: bool,
}

/// One partition of the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Partition {
    /// 1-based number.
    pub number: u32,
    /// First byte.
    pub start: u64,
    /// Size in bytes.
    pub size: u64,
    /// Type: MBR id (`83`) or GPT type GUID.
    pub kind: String,
    /// What was found on it: `ext4`, `swap` ...; empty for nothing that is known.
    pub holds: String,
    /// Its first 4 KiB: boot sector and superblock; empty where they were not read.
    pub head: Vec<u8>,
}

/// Something that must stay so that the guest boots, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootRoot {
    /// What stays.
    pub node: Node,
    /// Why, as a phrase that ends "because ...": `the default boot entry loads it`.
    pub why: String,
}

/// How the guest starts, as found in its own configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootChain {
    /// The boot loader: `grub`, `systemd-boot`, `extlinux`; empty when none was found.
    pub loader: String,
    /// The default entry's title.
    pub entry: String,
    /// The default kernel's version: the name of its folder in `/lib/modules`.
    pub kernel_version: String,
    /// The default kernel's file.
    pub kernel: Option<FileId>,
    /// The default entry's initramfs.
    pub initramfs: Option<FileId>,
    /// The default entry's kernel command line.
    pub command_line: String,
    /// `/etc/fstab`'s mount points and what they name, as written: source, mount point, type.
    pub fstab: Vec<[String; 3]>,
    /// The default target: `multi-user.target`.
    pub target: String,
    /// All that must stay, in a fixed order.
    pub roots: Vec<BootRoot>,
    /// What each way in or service that a mark can name (`ssh`, `network`) consists of here; empty where the guest
    /// lacks it.
    pub features: BTreeMap<String, Vec<Node>>,
}
