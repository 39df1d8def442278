//! How much room what stays takes, and how large a file system for it is.

use super::geometry::up;
use crate::model::{Bytes, FileId, Inventory, Mount};
use fixedbitset::FixedBitSet;

/// The least room to grow that is left where nobody says how much.
const LEAST_SLACK: u64 = 256 << 20;
/// XFS is not made smaller than 300 MiB (mkfs.xfs(8)).
const LEAST_XFS: u64 = 320 << 20;

/// The room to grow that `content` bytes get: what was asked for, else a tenth and at least 256 MiB.
pub(in crate::export) fn slack_of(content: u64, wanted: Option<Bytes>) -> u64 {
    wanted.map_or_else(|| (content / 10).max(LEAST_SLACK), |bytes| bytes.0)
}

/// Bytes and inodes of what stays on one file system.
pub(super) fn kept_on(inventory: &Inventory, gone: &FixedBitSet, mount: &Mount) -> (u64, u64) {
    let tree = &inventory.tree;
    let place = |mount: &Mount| tree.lookup(mount.at.as_slice());
    let Some(top) = place(mount) else {
        return (0, 0);
    };
    let elsewhere: Vec<FileId> = inventory
        .mounts
        .iter()
        .filter(|other| other.is_read && other.at != mount.at)
        .filter_map(place)
        .filter(|&other| tree.is_within(other, top))
        .collect();
    tree.subtree(top)
        .map(FileId)
        .filter(|file| !gone.contains(file.index()) && tree.is_first_name(*file))
        .filter(|&file| !elsewhere.iter().any(|&other| tree.is_within(file, other)))
        .fold((0, 0), |(bytes, inodes), file| {
            (bytes.saturating_add(tree.allocated(file)), inodes + 1)
        })
}

/// The size of a file system that has room for `content` bytes and the slack: its journal and tables come on top, and
/// what ext keeps for root.
pub(super) fn file_system_size(kind: &str, content: u64, slack: Option<Bytes>) -> u64 {
    let content = content.saturating_add(content / 50);
    let filled = content.saturating_add(slack_of(content, slack));
    let size = if kind == "xfs" {
        let log = 80 << 20;
        (filled.saturating_add(log) / 100 * 104).max(LEAST_XFS)
    } else {
        // mke2fs(8)'s own choice is never more.
        let journal = (filled / 32).clamp(16 << 20, 256 << 20);
        filled.saturating_add(journal) / 100 * 110
    };
    up(size)
}

#[cfg(test)]
mod tests {
    use super::super::geometry::ALIGNMENT;
    use super::*;

    #[test]
    fn a_file_system_has_room_for_what_stays_and_the_slack() {
        for content in [0, 300 << 20, 5 << 30, 40u64 << 30] {
            for kind in ["ext4", "xfs"] {
                let usual = file_system_size(kind, content, None);
                assert!(usual >= content / 100 * 112 + LEAST_SLACK / 2);
                assert_eq!(usual % ALIGNMENT, 0);
                let tight = file_system_size(kind, content, Some(Bytes(0)));
                assert!(tight >= content && tight <= usual);
                let wide = file_system_size(kind, content, Some(Bytes(10 << 30)));
                assert!(wide >= content + (10 << 30));
            }
        }
    }
}
