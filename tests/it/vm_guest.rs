//! Real guests through the appliance and through the direct reader.

use crate::built::{self, small};
use crate::vm_machine::guest;
use guestslim::guest::libguestfs::{Accel, Access, Appliance, Drive};
use guestslim::guest::{Backend, OpenOptions, open};
use guestslim::job::Job;
use guestslim::model::{FileTree, Mount, Warning};
use std::path::{Path, PathBuf};
use std::process::Command;

fn overlay(folder: &Path, guest: &Path) -> PathBuf {
    let path = folder.join("overlay.qcow2");
    let below = std::fs::canonicalize(guest).expect("the guest is built");
    let made = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"])
        .args([&below, &path])
        .status()
        .expect("qemu-img is installed");
    assert!(made.success());
    path
}

/// An image whose guest is mounted for writing.
pub fn writable(path: &Path) -> (Appliance, Vec<Mount>) {
    let drive = Drive::Served {
        path,
        graph: &built::writable(path),
        access: Access::Write,
    };
    let job = Job::quiet();
    let appliance = Appliance::launch(&[drive], Accel::Tcg, &job).expect("it starts");
    let mounts = appliance.mount_guest(Access::Write, &job);
    (appliance, mounts.expect("it mounts"))
}

#[test]
fn the_appliance_writes_links_and_removes_by_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = overlay(folder.path(), &small());
    let job = Job::quiet();
    let (appliance, mounts) = writable(&path);
    assert_eq!(mounts[0].at, b"/");
    let kernel = lines(&appliance.walk(&job).expect("it walks"));
    assert_same(&listing(Backend::Ext4).0, &kernel);

    let odd = b"/root/\xff it's\n*".to_vec();
    appliance.write(&odd, b"hello").expect("it writes");
    assert_eq!(appliance.read(&odd, 1, 3).expect("it reads"), b"ell");
    appliance
        .symlink(b"\xff it's\n*", b"/root/link")
        .expect("it links");
    assert!(appliance.exists(b"/root/link").expect("it looks"));
    appliance
        .remove_all(
            &[odd.clone(), b"/root/link".to_vec(), b"/root/never".to_vec()],
            &job,
        )
        .expect("it removes");
    assert!(!appliance.exists(&odd).expect("it looks"));
    appliance
        .make_folders(b"/root/a/b")
        .expect("it makes folders");
    appliance
        .remove_folders(
            &[b"/root/a/b".to_vec(), b"/root/a".to_vec(), b"/etc".to_vec()],
            &job,
        )
        .expect("it removes empty folders");
    assert!(!appliance.exists(b"/root/a").expect("it looks"));
    assert!(appliance.exists(b"/etc/passwd").expect("it looks"));

    appliance.unmount_all().expect("it unmounts");
    appliance
        .mount_guest(Access::Write, &job)
        .expect("it mounts again");
    appliance.trim("/").expect("it trims");
    appliance.unmount_all().expect("it unmounts");
    appliance
        .check_ext(&mounts[0].file_system.device)
        .expect("the file system is sound");
    appliance.shutdown().expect("it stops");
}

#[test]
fn a_guest_that_was_switched_off_is_read_through_the_appliance() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = overlay(folder.path(), guest("boot.qcow2").path());
    let job = Job::quiet();
    let (appliance, _) = writable(&path);
    appliance.write(b"/root/late", b"hello").expect("it writes");
    // A mount point on a link must not lead to the appliance's own folders.
    let fstab = appliance
        .small_file(b"/etc", b"fstab")
        .expect("it has mounts");
    let fstab = String::from_utf8(fstab).expect("text");
    let moved = fstab.replace(" /boot ", " /x ");
    assert_ne!(moved, fstab);
    appliance
        .write(b"/etc/fstab", moved.as_bytes())
        .expect("it writes");
    appliance.symlink(b"/usr", b"/x").expect("it links");
    appliance.sync().expect("it writes back");
    let limit = Some(std::time::Duration::from_millis(1));
    let killed = appliance.watched("wait", &job, limit, |appliance| {
        appliance.shell(b"sleep 60")
    });
    assert!(killed.is_err());
    drop(appliance);
    let before = std::fs::read(&path).expect("the overlay reads");

    let options = OpenOptions {
        accel: Accel::Tcg,
        ..built::over_guests()
    };
    let mut guest = open(&path, &options, &job).expect("it opens");
    let (tree, _) = guest.walk(&job).expect("it walks");
    assert_eq!(guest.disk().origin.backend, "libguestfs");
    let late = tree.resolve(b"/root/late").expect("it is there").file;
    let text = guest.read(&tree, late, 1, 4096).expect("it reads");
    assert_eq!(text, b"ello");
    // Only the reader of blocks tells them: so that is what read the rest.
    let attributes = guest.attributes(&tree, late).expect("they read");
    assert_eq!(attributes, Some(guestslim::guest::Attributes::new()));
    let mounts = guest.disk().mounts.iter();
    let mounts: Vec<_> = mounts.map(|mount| (&mount.at[..], mount.is_read)).collect();
    assert_eq!(mounts[..2], [(&b"/"[..], true), (b"/x", false)]);
    assert!(std::fs::read(&path).expect("the overlay reads") == before);
}

/// One line a file, with all that the readers must agree on.
fn lines((tree, warnings): &(FileTree, Vec<Warning>)) -> Vec<String> {
    assert!(
        warnings.iter().all(|warning| warning.path.is_empty()),
        "{warnings:?}"
    );
    let line = |file| {
        format!(
            "{} {:?} {:o} {:?} {} {} {} {:?} {:?}",
            guestslim::model::text::escape(&tree.path(file)),
            tree.kind(file),
            tree.mode(file),
            tree.owner(file),
            tree.size(file),
            tree.allocated(file),
            tree.modified(file),
            tree.target(file),
            tree.names(file),
        )
    };
    tree.ids().map(line).collect()
}

fn listing(backend: Backend) -> (Vec<String>, Vec<Mount>) {
    let options = OpenOptions {
        backend,
        accel: Accel::Tcg,
        ..OpenOptions::default()
    };
    let job = Job::quiet();
    let mut guest = open(&small(), &options, &job).expect("it opens");
    let found = guest.walk(&job).expect("it walks");
    (lines(&found), guest.disk().mounts.clone())
}

fn assert_same(ours: &[String], theirs: &[String]) {
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn blocks_from_the_appliance_show_the_same_tree() {
    let (direct, direct_mounts) = listing(Backend::Ext4);
    let (appliance, appliance_mounts) = listing(Backend::Libguestfs);
    assert_same(&direct, &appliance);
    let places = |mounts: &[Mount]| -> Vec<_> {
        mounts
            .iter()
            .map(|mount| {
                (
                    mount.at.clone(),
                    mount.file_system.device.clone(),
                    mount.file_system.kind.clone(),
                    mount.file_system.uuid.clone(),
                    mount.is_read,
                )
            })
            .collect()
    };
    assert_eq!(places(&direct_mounts), places(&appliance_mounts));
}
