//! From what the kernel names (device, inode) to the paths that the guest had before it was booted.

use crate::model::{FileId, FileTree, Mount};
use std::collections::{BTreeSet, HashMap};

/// The files, links and nodes of `tree` that are among `seen`, with all their names; folders always stay and are left out.
/// What the run itself created has no place in the tree and is left out too.
pub fn touched(
    tree: &FileTree,
    mounts: &[Mount],
    mountinfo: &[u8],
    seen: &BTreeSet<(u32, u64)>,
) -> Vec<FileId> {
    let devices = devices(mountinfo);
    let mut device_of = vec![None; tree.len()];
    let mut places: Vec<&Mount> = mounts.iter().filter(|mount| mount.is_read).collect();
    places.sort_by_key(|mount| mount.at.len());
    for mount in places {
        if let (Some(top), Some(&device)) = (tree.lookup(&mount.at), devices.get(&mount.at)) {
            let range = tree.subtree(top);
            device_of[range.start as usize..range.end as usize].fill(Some(device));
        }
    }
    tree.ids()
        .filter(|&file| !tree.is_directory(file))
        .filter(|&file| {
            let pair = device_of[file.index()].zip(tree.inode_number(file));
            pair.is_some_and(|pair| seen.contains(&pair))
        })
        .collect()
}

/// What each mount point's last mount has as device number, as the kernel holds it (major << 20 | minor), from
/// `/proc/PID/mountinfo` (proc(5)).
fn devices(mountinfo: &[u8]) -> HashMap<Vec<u8>, u32> {
    mountinfo
        .split(|&byte| byte == b'\n')
        .filter_map(mount_line)
        .collect()
}

fn mount_line(line: &[u8]) -> Option<(Vec<u8>, u32)> {
    let mut fields = line.split(|&byte| byte == b' ').skip(2);
    let device = std::str::from_utf8(fields.next()?).ok()?;
    let (major, minor) = device.split_once(':')?;
    let (major, minor) = (major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?);
    let at = unescape_octal(fields.nth(1)?);
    // An automount point is covered by what it mounts.
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    (kind != b"autofs" && major < 1 << 12 && minor < 1 << 20).then_some((at, major << 20 | minor))
}

/// Blanks, tabs, newlines and backslashes are written as three octal digits.
fn unescape_octal(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let digits = text.get(at + 1..at + 4).filter(|_| byte == b'\\');
        let code = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(code) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            out.push(code);
            at += 4;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, FileKind, TreeBuilder};
    use proptest::prelude::*;

    const MOUNTINFO: &[u8] = b"\
26 31 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw
31 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
40 31 0:35 / /data\\040one rw - autofs systemd-1 rw
41 31 254:2 / /data\\040one rw,relatime shared:9 - xfs /dev/vda2 rw
";

    fn tree() -> FileTree {
        let mut builder = TreeBuilder::default();
        let mut add = |path: &[u8], kind, number, inode| {
            let entry = Entry {
                number,
                inode,
                ..Entry::new(kind)
            };
            builder.add_path(path, entry).unwrap();
        };
        add(b"/bin", FileKind::Symlink, 11, None);
        add(b"/usr", FileKind::Directory, 12, None);
        add(b"/usr/one", FileKind::Regular, 13, Some((0, 13)));
        add(b"/usr/two", FileKind::Regular, 13, Some((0, 13)));
        add(b"/data one", FileKind::Directory, 2, None);
        add(b"/data one/file", FileKind::Regular, 13, None);
        builder.finish().0
    }

    fn mounts() -> Vec<Mount> {
        let mount = |at: &[u8]| Mount {
            at: at.to_vec(),
            is_read: true,
            ..Mount::default()
        };
        vec![mount(b"/"), mount(b"/data one")]
    }

    fn paths(seen: &[(u32, u64)]) -> Vec<String> {
        let (tree, seen) = (tree(), seen.iter().copied().collect());
        let files = touched(&tree, &mounts(), MOUNTINFO, &seen);
        files
            .into_iter()
            .map(|file| String::from_utf8(tree.path(file)).unwrap())
            .collect()
    }

    #[test]
    fn an_inode_is_found_by_all_its_names_on_its_own_file_system_only() {
        assert_eq!(paths(&[(254 << 20 | 1, 13)]), ["/usr/one", "/usr/two"]);
        assert_eq!(paths(&[(254 << 20 | 2, 13)]), ["/data one/file"]);
        assert_eq!(paths(&[(22, 13), (35, 13)]), [""; 0]);
    }

    #[test]
    fn links_count_and_folders_do_not() {
        assert_eq!(paths(&[(254 << 20 | 1, 11), (254 << 20 | 1, 12)]), ["/bin"]);
    }

    proptest! {
        #[test]
        fn any_mountinfo_is_survived(text in proptest::collection::vec(any::<u8>(), 0..500)) {
            devices(&text);
        }
    }
}
