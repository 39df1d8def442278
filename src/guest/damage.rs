//! Damage to a file system as a whole: what is said about it, and the command that tells more.

use super::GuestError;
use super::layout::Volume;
use crate::model::inventory::MOST_DAMAGE;
use crate::model::text::escape;
use crate::model::{FileSystem, Warning};

/// Why a file system cannot be read, or may hold a root although none was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    /// What is wrong, after the file system's name.
    pub what: String,
    /// Its first byte on the disk, where that is known.
    pub start: Option<u64>,
}

impl Damage {
    /// Damage in what was read.
    pub fn found(what: &str, start: Option<u64>) -> Self {
        Self {
            what: format!("is damaged: {what}"),
            start,
        }
    }
}

impl Volume {
    /// The damage as a sentence.
    pub fn complaint(&self) -> Option<String> {
        let Damage { what, .. } = self.damage.as_ref()?;
        let FileSystem { device, kind, .. } = &self.file_system;
        let space = if kind.is_empty() { "" } else { " " };
        Some(format!("the {kind}{space}file system on {device} {what}"))
    }

    /// The command that tells more about the damage, on a raw copy of the image.
    fn checker(&self) -> String {
        let start = self.damage.as_ref().and_then(|damage| damage.start);
        let command = match (self.file_system.kind.as_str(), start) {
            ("xfs", _) => "`xfs_repair -n` on the partition".to_owned(),
            ("btrfs", _) => "`btrfs check --readonly` on the partition".to_owned(),
            (_, None | Some(0)) => "`e2fsck -n -f COPY`".to_owned(),
            (_, Some(start)) => format!("`e2fsck -n -f 'COPY?offset={start}'`"),
        };
        format!("{command} tells more, where COPY is the image as raw (`qemu-img convert -O raw`)")
    }
}

/// Warnings about damage as sentences, for who does not list all warnings.
pub(super) fn sentences(warnings: &[Warning]) -> Vec<String> {
    let sentence = |warning: &Warning| match &warning.path[..] {
        b"" => warning.message.clone(),
        path => format!("{}: {}", escape(path), warning.message),
    };
    let first = warnings.iter().take(MOST_DAMAGE).map(sentence);
    let more = warnings.len().saturating_sub(MOST_DAMAGE);
    let rest = (more > 0).then(|| format!("{more} more places are damaged"));
    first.chain(rest).collect()
}

/// Whether a file system of these is damaged as a whole.
pub(super) fn is_any(volumes: &[Volume]) -> bool {
    volumes.iter().any(|volume| volume.damage.is_some())
}

/// The error where no root is found and something that may be one is damaged.
pub(super) fn no_root(volumes: &[Volume]) -> GuestError {
    let all: Vec<String> = volumes.iter().filter_map(Volume::complaint).collect();
    let first = volumes.iter().find(|volume| volume.damage.is_some());
    GuestError::Damaged {
        what: format!(
            "no Linux system can be read from this disk: {}",
            all.join("; ")
        ),
        hint: first.map(Volume::checker).unwrap_or_default(),
    }
}

/// The error where no root is found and the partition table is damaged.
pub(super) fn no_table(faults: &[String]) -> GuestError {
    GuestError::Damaged {
        what: format!(
            "no Linux system is found on this disk, and its partition table is damaged: {}",
            faults.join("; ")
        ),
        hint: "`sgdisk --verify` or `sfdisk --verify` tells more, on the image as raw (`qemu-img convert -O raw`)"
            .to_owned(),
    }
}
