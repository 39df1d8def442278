//! Which of a disk's file systems is the guest's root, and where its fstab puts the others. Both image backends decide
//! here, so they show the same tree. No file system is read in this file.

use super::GuestError;
use super::damage::{self, Damage};
use super::fstab::{self, Line};
use crate::model::text::escape;
use crate::model::{FileSystem, Mount};

/// One file system of the disk, as far as a backend has looked into it.
#[derive(Debug, Clone, Default)]
pub(super) struct Volume {
    /// What and where it is.
    pub file_system: FileSystem,
    /// The partition's own identifier, as `PARTUUID=` names it; empty when unknown.
    pub part_uuid: String,
    /// Whether this backend can read its files.
    pub is_read: bool,
    /// Whether it looks like an operating system's root: see [`ROOT_SIGNS`].
    pub is_root: bool,
    /// Its `/etc/fstab`, if it has one.
    pub fstab: Option<Vec<u8>>,
    /// Why it cannot be read, or may be a root although it does not look like one.
    pub damage: Option<Damage>,
}

/// Any of these makes a file system a root.
pub(super) const ROOT_SIGNS: [&[u8]; 3] =
    [b"/etc/os-release", b"/usr/lib/os-release", b"/etc/fstab"];

/// An fstab longer than this is no fstab.
pub(super) const LONGEST_FSTAB: usize = 1 << 20;

/// A volume (by its place in the list) and where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    /// The place in the list of volumes.
    pub volume: usize,
    /// The mount point; `none` for swap.
    pub at: Vec<u8>,
}

/// Finds the root and puts every other file system that its fstab names in its place: the root first, parents before
/// what is mounted below them.
pub(super) fn place(volumes: &[Volume]) -> Result<Vec<Placed>, GuestError> {
    let root = root(volumes)?;
    let mut placed = vec![Placed {
        volume: root,
        at: b"/".to_vec(),
    }];
    for line in fstab::parse(volumes[root].fstab.as_deref().unwrap_or_default()) {
        let at = if line.is_swap() {
            b"none".to_vec()
        } else {
            line.at.clone()
        };
        if !is_mount_point(&at) || at == b"/" {
            continue;
        }
        if let Some(volume) = find(volumes, &line)
            && placed
                .iter()
                .all(|other| other.volume != volume && (other.at != at || line.is_swap()))
        {
            placed.push(Placed { volume, at });
        }
    }
    placed[1..].sort_by(|a, b| a.at.cmp(&b.at));
    Ok(placed)
}

/// The mounts as the inventory shows them.
pub(super) fn mounts(volumes: &[Volume], placed: &[Placed]) -> Vec<Mount> {
    placed
        .iter()
        .map(|placed| Mount {
            at: placed.at.clone(),
            file_system: volumes[placed.volume].file_system.clone(),
            is_read: volumes[placed.volume].is_read,
        })
        .collect()
}

fn is_mount_point(at: &[u8]) -> bool {
    at == b"none"
        || at.first() == Some(&b'/')
            && !at.contains(&0)
            && at
                .split(|&byte| byte == b'/')
                .all(|part| part != b".." && part != b".")
}

fn root(volumes: &[Volume]) -> Result<usize, GuestError> {
    let mut roots: Vec<usize> = (0..volumes.len())
        .filter(|&at| volumes[at].is_root)
        .collect();
    if roots.len() > 1 {
        // A snapshot of a root names another file system as its root: it is no system of its own.
        let own: Vec<usize> = roots
            .iter()
            .copied()
            .filter(|&at| names_itself(volumes, at))
            .collect();
        if own.len() == 1 {
            roots = own;
        }
    }
    match roots[..] {
        [root] => Ok(root),
        [] if damage::is_any(volumes) => Err(damage::no_root(volumes)),
        [] => Err(GuestError::System(
            "no Linux system on this disk: ".to_owned() + &list(volumes.iter()),
        )),
        _ => Err(GuestError::System(format!(
            "several systems on this disk, and it takes one: {}",
            list(roots.iter().map(|&at| &volumes[at]))
        ))),
    }
}

fn names_itself(volumes: &[Volume], at: usize) -> bool {
    let lines = fstab::parse(volumes[at].fstab.as_deref().unwrap_or_default());
    lines
        .iter()
        .filter(|line| line.at == b"/")
        .any(|line| find(volumes, line) == Some(at))
}

fn list<'a>(volumes: impl Iterator<Item = &'a Volume>) -> String {
    let all: Vec<String> = volumes
        .map(|volume| {
            let system = &volume.file_system;
            let label = match &*system.label {
                "" => String::new(),
                label => format!(" \"{label}\""),
            };
            let kind = match &*system.kind {
                "" => "unknown",
                kind => kind,
            };
            format!("{} ({kind}{label})", system.device)
        })
        .collect();
    if all.is_empty() {
        "it holds no file system".to_owned()
    } else {
        format!("it holds {}", all.join(", "))
    }
}

/// The volume that an fstab line means.
fn find(volumes: &[Volume], line: &Line) -> Option<usize> {
    let matching: Vec<usize> = (0..volumes.len())
        .filter(|&at| is_meant(&volumes[at], &line.source))
        .collect();
    let wanted = line.option(b"subvol").map(|name| {
        let name = name.strip_prefix(b"/").unwrap_or(name);
        escape(name).into_owned()
    });
    matching
        .iter()
        .copied()
        .find(|&at| subvolume(&volumes[at]) == wanted.as_deref())
        .or_else(|| matching.first().copied().filter(|_| wanted.is_none()))
}

/// The name of a btrfs subvolume, as libguestfs writes it: `btrfsvol:/dev/sda2/@home`.
fn subvolume(volume: &Volume) -> Option<&str> {
    let rest = volume.file_system.device.strip_prefix("btrfsvol:/dev/")?;
    rest.split_once('/').map(|(_, name)| name)
}

fn is_meant(volume: &Volume, source: &[u8]) -> bool {
    let system = &volume.file_system;
    let Ok(source) = std::str::from_utf8(source) else {
        return false;
    };
    let same = |known: &str, wanted: &str| !known.is_empty() && known.eq_ignore_ascii_case(wanted);
    if let Some((tag, value)) = source.split_once('=') {
        return match tag {
            "UUID" => same(&system.uuid, value),
            "LABEL" => !value.is_empty() && system.label == escape(value.as_bytes()),
            "PARTUUID" => same(&volume.part_uuid, value),
            _ => false,
        };
    }
    let Some(device) = source.strip_prefix("/dev/") else {
        return false;
    };
    match device.split_once('/') {
        Some(("disk", by)) => is_link(volume, by),
        Some((_, _)) => logical_volume(source) == logical_volume(&system.device),
        None => {
            partition_number(device).is_some()
                && partition_number(device)
                    == system
                        .device
                        .strip_prefix("/dev/")
                        .and_then(partition_number)
        }
    }
}

fn is_link(volume: &Volume, by: &str) -> bool {
    match by.split_once('/') {
        Some(("by-uuid", value)) => volume.file_system.uuid.eq_ignore_ascii_case(value),
        Some(("by-label", value)) => volume.file_system.label == value,
        Some(("by-partuuid", value)) => volume.part_uuid.eq_ignore_ascii_case(value),
        _ => false,
    }
}

/// `/dev/vg/lv` and `/dev/mapper/vg-lv` name the same volume; a dash inside a name is doubled in the latter.
fn logical_volume(device: &str) -> Option<(String, String)> {
    let rest = device.strip_prefix("/dev/")?;
    let (folder, name) = rest.split_once('/')?;
    if folder != "mapper" {
        return Some((folder.to_owned(), name.to_owned()));
    }
    let name = name.replace("--", "\0");
    let (group, volume) = name.split_once('-')?;
    Some((group.replace('\0', "-"), volume.replace('\0', "-")))
}

/// The number in `sda2`, `vdb2`, `nvme0n1p2`: a guest with one disk may call it what it likes. 0 for a whole disk.
fn partition_number(device: &str) -> Option<u32> {
    let (letters, digits) =
        device.split_at(device.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    let is_plain_disk = ["sd", "vd", "hd", "xvd"].iter().any(|prefix| {
        letters
            .strip_prefix(prefix)
            .is_some_and(|disk| disk.len() == 1)
    });
    let is_numbered_disk =
        letters.ends_with('p') && (letters.starts_with("nvme") || letters.starts_with("mmcblk"));
    match (is_plain_disk || is_numbered_disk, digits.is_empty()) {
        (true, true) => Some(0),
        (true, false) => digits.parse().ok(),
        (false, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(device: &str, kind: &str, uuid: &str, fstab: Option<&str>) -> Volume {
        Volume {
            file_system: FileSystem {
                device: device.to_owned(),
                kind: kind.to_owned(),
                uuid: uuid.to_owned(),
                label: format!("{uuid} disk"),
                ..FileSystem::default()
            },
            part_uuid: format!("part-{uuid}"),
            is_read: kind != "swap" && kind != "vfat",
            is_root: fstab.is_some(),
            fstab: fstab.map(|text| text.as_bytes().to_vec()),
            damage: None,
        }
    }

    fn places(volumes: &[Volume]) -> Vec<(usize, String)> {
        let placed = place(volumes).expect("there is one root");
        placed
            .into_iter()
            .map(|placed| (placed.volume, String::from_utf8(placed.at).expect("text")))
            .collect()
    }

    #[test]
    fn an_fstab_puts_every_kind_of_source_in_its_place() {
        let fstab = "UUID=ROOT / ext4 defaults\nLABEL=b\\040disk /boot/ ext4 x\nPARTUUID=part-c /boot/efi vfat x\n\
            /dev/vda4 none swap sw\n/dev/mapper/vg-my--data /srv ext4 x\n/dev/disk/by-uuid/f /opt ext4 x\n\
            /srv/a /srv/b none bind\nUUID=gone /gone ext4 x\nUUID=b /again ext4 x\n/dev/vda1 ../up ext4 x\n";
        let volumes = [
            volume("/dev/sda1", "ext4", "root", Some(fstab)),
            volume("/dev/sda2", "ext4", "b", None),
            volume("/dev/sda3", "vfat", "c", None),
            volume("/dev/sda4", "swap", "d", None),
            volume("/dev/vg/my-data", "xfs", "e", None),
            volume("/dev/sda5", "ext4", "f", None),
        ];
        let expected = [
            (0, "/"),
            (1, "/boot"),
            (2, "/boot/efi"),
            (5, "/opt"),
            (4, "/srv"),
            (3, "none"),
        ];
        let expected = expected.map(|(volume, at)| (volume, at.to_owned()));
        assert_eq!(places(&volumes), expected);
        assert!(!mounts(&volumes, &place(&volumes).expect("a root"))[2].is_read);
    }

    #[test]
    fn btrfs_subvolumes_are_told_apart_and_a_snapshot_is_no_system() {
        let fstab = "UUID=x / btrfs subvol=@\nUUID=x /home btrfs defaults,subvol=/@home\n";
        let volumes = [
            volume("/dev/sda1", "btrfs", "x", None),
            volume("btrfsvol:/dev/sda1/@snapshot", "btrfs", "x", Some(fstab)),
            volume("btrfsvol:/dev/sda1/@home", "btrfs", "x", None),
            volume("btrfsvol:/dev/sda1/@", "btrfs", "x", Some(fstab)),
        ];
        assert_eq!(
            places(&volumes),
            [(3, "/".to_owned()), (2, "/home".to_owned())]
        );
    }

    #[test]
    fn no_root_and_several_are_told_with_what_is_there() {
        let none = place(&[volume("/dev/sda1", "ntfs", "a", None)]).expect_err("no root");
        assert_eq!(
            none.to_string(),
            "no Linux system on this disk: it holds /dev/sda1 (ntfs \"a disk\")"
        );
        let two = [
            volume("/dev/sda1", "ext4", "a", Some("UUID=a / ext4 x")),
            volume("/dev/sda2", "ext4", "b", Some("UUID=b / ext4 x")),
        ];
        let several = place(&two).expect_err("two roots").to_string();
        assert!(
            several.contains("/dev/sda1") && several.contains("/dev/sda2"),
            "{several}"
        );
        assert!(
            place(&[])
                .expect_err("nothing")
                .to_string()
                .contains("it holds no file system")
        );
    }

    #[test]
    fn disks_are_called_what_the_guest_likes() {
        for (device, number) in [
            ("sda2", Some(2)),
            ("vdb", Some(0)),
            ("nvme0n1p3", Some(3)),
            ("mmcblk0p1", Some(1)),
            ("cdrom", None),
            ("loop0", None),
        ] {
            assert_eq!(partition_number(device), number, "{device}");
        }
    }
}
