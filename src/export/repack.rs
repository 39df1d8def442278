//! Fills a new disk inside the appliance: the source's overlay is `/dev/sda`, the new disk `/dev/sdb`.
//!
//! `cp -a` copies a tree inside one appliance. Of the tools tried, it alone keeps sockets and holes besides owners, modes,
//! times, links, capabilities, labels and ACLs, and it is faster than two `tar`s. It loses inode flags, which are set
//! afterwards. Only files are copied, so no removed byte can be on the new disk.

use super::disk::geometry::{DiskLayout, Fill, Part};
use super::disk::table::{self, Patch};
use super::disk::{ext, xfs};
use super::error::ExportError;
use super::options::Way;
use super::surgery::Surgery;
use crate::guest::GuestError;
use crate::guest::libguestfs::{self, Appliance, SYSROOT, quoted};

/// The new disk's place among the appliance's drives.
const NEW: u8 = 1;
/// Where a new file system is mounted, outside of the guest's own tree.
const TARGET: &str = "/tmp/guestslim-new";

/// Sets on the copy of each file and folder below `$1`, which is below `$2`, the flags that the original has. The lines of
/// one `lsattr` about many names can be told apart where no name holds a newline; the others are asked for one by one.
const COPY_FLAGS: &[u8] = br#"export LC_ALL=C
cd "$1" || exit 1
copy() {
    local flags=${1//[!aAcCdDijmPsStTux]/}
    [ -z "$flags" ] || chattr "+$flags" -- "$copies/$2" 2>/dev/null
}
copies=$2
odd=$'*\n*'
find . -xdev \( -type f -o -type d \) ! -path "$odd" -print0 | xargs -0 -r lsattr -d 2>/dev/null |
    grep -a -v '^[-eEIVNh]* ' | while IFS= read -r line; do copy "${line%% *}" "${line#* }"; done
find . -xdev \( -type f -o -type d \) -path "$odd" -print0 | while IFS= read -r -d '' path; do
    line=$(lsattr -d "$path" 2>/dev/null | head -n 1)
    copy "${line%% *}" "$path"
done
true"#;

/// A file system that was made.
#[derive(Debug)]
pub(super) struct Made {
    /// The appliance's path of its device.
    pub device: String,
    /// `ext4`, `xfs` ...
    pub kind: String,
    /// Its number.
    pub number: u32,
}

impl Surgery<'_> {
    /// Writes boot code and partition table.
    pub fn partition(&mut self, disk: &DiskLayout) -> Result<(), ExportError> {
        let len = usize::try_from(table::head_len(disk)).expect("the head is small");
        let head = self.within("read the partition table", |appliance| {
            appliance.read_device("/dev/sda", 0, len)
        })?;
        let patches = table::rewritten(head, disk).map_err(refused)?;
        self.write_table("/dev/sdb", &patches)
    }

    /// Writes a partition table, and lets the appliance know.
    pub fn write_table(&self, disk: &str, patches: &[Patch]) -> Result<(), ExportError> {
        self.within("write the partition table", |appliance| {
            for (at, bytes) in patches {
                appliance.write_device(disk, *at, bytes)?;
            }
            appliance.reread_table(disk)
        })
    }

    /// Fills one partition.
    pub fn fill(&mut self, part: &Part) -> Result<(), ExportError> {
        let number = part.number;
        let (old, new) = (format!("/dev/sda{number}"), format!("/dev/sdb{number}"));
        match &part.fill {
            Fill::Blocks => self.within("copy a partition", |appliance| {
                appliance.copy_device(&old, &new)
            }),
            Fill::Swap => self.within("make a swap area", |appliance| {
                appliance.make_swap_like(&old, &new)
            }),
            Fill::Files { at, kind, inodes } => {
                let device = format!("{}{number}", libguestfs::device(NEW));
                let make = self.maker(&old, &device, kind, at, part.size, *inodes)?;
                self.run("make a file system", &make)?;
                self.copy_tree(at, &device, kind)?;
                self.made.push(Made {
                    device,
                    kind: kind.clone(),
                    number,
                });
                Ok(())
            }
        }
    }

    /// The line that makes a file system like the old one.
    fn maker(
        &self,
        old: &str,
        device: &str,
        kind: &str,
        at: &[u8],
        size: u64,
        inodes: u64,
    ) -> Result<Vec<u8>, ExportError> {
        if kind != "xfs" {
            let raw = self.within("read the superblock", |appliance| {
                appliance.read_device(old, ext::SUPERBLOCK_AT, ext::SUPERBLOCK)
            })?;
            return ext::make(&raw, device, size, inodes).map_err(refused);
        }
        let folder = quoted(&[SYSROOT, at].concat());
        let info = self.run(
            "look at the file system",
            &[b"xfs_info ", &folder[..]].concat(),
        )?;
        let (uuid, label) = self.within("look at the file system", |appliance| {
            appliance.identifiers(old)
        })?;
        let label = (!label.is_empty()).then(|| quoted(label.as_bytes()));
        let info = String::from_utf8_lossy(&info);
        xfs::make(&info, device, &uuid, &label.unwrap_or_default()).map_err(refused)
    }

    /// Copies all that is on the file system that the guest has at `at`.
    fn copy_tree(&mut self, at: &[u8], device: &str, kind: &str) -> Result<(), ExportError> {
        let from = quoted(&[SYSROOT, at, b"/."].concat());
        let mount = format!(
            "mkdir -p {TARGET} && mount {} {device} {TARGET}{}",
            mount_options(kind),
            settle(kind, device)
        );
        self.run("mount the new file system", mount.as_bytes())?;
        // mke2fs makes a folder that the old file system may have lost.
        let lost = [
            b"test -e ",
            &from[..],
            format!("/lost+found || rmdir {TARGET}/lost+found 2>/dev/null; true").as_bytes(),
        ]
        .concat();
        self.run("prepare the new file system", &lost)?;
        // Without the second word, an attribute that cannot be kept is no error.
        let copy = [
            b"taskset -c 0 cp -a --preserve=xattr -x -- ",
            &from[..],
            b" ",
        ]
        .concat();
        let copy = [&copy[..], TARGET.as_bytes(), b"/"].concat();
        self.run("copy the files", &copy)?;
        self.set_flags(&from)?;
        let used = self.run(
            "unmount the new file system",
            format!("sync -f {TARGET} && stat -f -c '%b %f %S' {TARGET} && umount {TARGET}")
                .as_bytes(),
        )?;
        if kind != "xfs" {
            // Or it would tell for ever where it was mounted just now.
            let place = [b"tune2fs -M ", &quoted(at)[..], b" ", device.as_bytes()].concat();
            self.run("finish the new file system", &place)?;
        }
        self.new_used = match (self.new_used, used_bytes(&used)) {
            (Some(sum), Some(more)) => Some(sum + more),
            _ => None,
        };
        Ok(())
    }

    /// Gives the copies the flags that `chattr` can set.
    fn set_flags(&self, from: &[u8]) -> Result<(), ExportError> {
        let folders = [from, b" ", TARGET.as_bytes()].concat();
        let line = [b"bash -c ", &quoted(COPY_FLAGS)[..], b" flags ", &folders].concat();
        self.run("set the files' flags", &line).map(drop)
    }

    /// A command in the appliance; its answer.
    pub fn run(&self, operation: &str, line: &[u8]) -> Result<Vec<u8>, ExportError> {
        self.within(operation, |appliance: &Appliance| {
            appliance.shell(line).map_err(|error| match error {
                GuestError::Inside { why, .. } => GuestError::Appliance {
                    operation: operation.to_owned(),
                    why,
                },
                other => other,
            })
        })
    }
}

/// How a new file system is mounted. Ext4 puts files where there is room when they are written, not when the kernel finds the
/// time for it; with one processor that writes, two runs then put nearly all in the same places.
fn mount_options(kind: &str) -> &'static str {
    match kind {
        "xfs" => "-o nouuid",
        "ext4" => "-o nodelalloc",
        _ => "",
    }
}

/// What follows on mounting: all of ext4's block bitmaps are read. The kernel's allocator passes over groups whose bitmap it
/// has not read (`ext4_mb_good_group_nolock` in Linux), so that where files are put would depend on what it has read by then.
/// A kernel that does not list its groups is no reason to fail.
fn settle(kind: &str, device: &str) -> String {
    if kind != "ext4" {
        return String::new();
    }
    format!(
        " && {{ cat \"/proc/fs/ext4/$(basename \"$(readlink -f {device})\")/mb_groups\" >/dev/null || true; }}"
    )
}

fn refused(why: String) -> ExportError {
    ExportError::Way {
        way: Way::Repack,
        why,
    }
}

/// What `stat -f` says of blocks, free blocks and their size.
fn used_bytes(said: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(said).ok()?;
    let mut numbers = text
        .split_ascii_whitespace()
        .map(|word| word.parse::<u64>().ok());
    let (all, free, size) = (numbers.next()??, numbers.next()??, numbers.next()??);
    all.checked_sub(free)?.checked_mul(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn flags_are_copied_whatever_the_names_are() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("it's"));
        let names = [
            "plain",
            "with\nnewline",
            "..odd/..name",
            "-e ----a---- x",
            "tail ",
            "none",
        ];
        for root in [&old, &new] {
            for name in names {
                let path = root.join(name);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                std::fs::write(path, b"").expect("writable");
            }
        }
        let flags = |path: &std::path::Path| {
            let said = std::process::Command::new("lsattr")
                .arg("-d")
                .arg("--")
                .arg(path)
                .output();
            let said = said.expect("e2fsprogs is installed").stdout;
            String::from_utf8_lossy(&said)
                .split(' ')
                .next()
                .map(str::to_owned)
        };
        for name in &names[..5] {
            // Flags that any user may set.
            let mut chattr = std::process::Command::new("chattr");
            chattr.arg("+dS").arg("--").arg(old.join(name));
            assert!(chattr.status().expect("e2fsprogs is installed").success());
        }
        let script = std::ffi::OsStr::from_bytes(COPY_FLAGS);
        let mut bash = std::process::Command::new("bash");
        bash.arg("-c").arg(script).arg("flags").args([&old, &new]);
        assert!(bash.status().expect("bash is here").success());
        for name in names {
            assert_eq!(flags(&new.join(name)), flags(&old.join(name)), "{name}");
        }
        assert_ne!(flags(&new.join("plain")), flags(&new.join("none")));
    }

    #[test]
    fn used_bytes_need_all_three_numbers() {
        assert_eq!(used_bytes(b"100 40 4096\n"), Some(60 * 4096));
        assert_eq!(used_bytes(b"40 100 4096\n"), None);
        assert_eq!(used_bytes(b""), None);
    }
}
