//! Each finder on the real files of a Debian guest: one need that only this finder knows.

use guestslim::finders::FINDERS;
use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::{Loaded, load};
use guestslim::model::text::escape;
use guestslim::model::{Inventory, Node};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Finder, who needs, what is needed: read off the small guest's files by eye.
const NEEDS: &[(&str, &str, &str)] = &[
    (
        "unit",
        "/usr/lib/systemd/system/ssh.service",
        "/usr/sbin/sshd",
    ),
    (
        "unit",
        "/usr/lib/systemd/system/apt-daily.timer",
        "/usr/lib/systemd/system/apt-daily.service",
    ),
    (
        "unit",
        "/usr/lib/systemd/system/multi-user.target",
        "/usr/lib/systemd/system/ssh.service",
    ),
    (
        "unit",
        "/usr/lib/systemd/system/sysinit.target",
        "/usr/lib/systemd/system/systemd-journald.service",
    ),
    (
        "unit",
        "/usr/lib/systemd/systemd",
        "/usr/lib/systemd/system-generators/systemd-fstab-generator",
    ),
    ("shell", "/usr/sbin/e2scrub_all", "/usr/bin/lsblk"),
    ("shell", "/usr/bin/gunzip", "/usr/bin/gzip"),
    (
        "shell",
        "/usr/share/initramfs-tools/hook-functions",
        "/usr/bin/ldd",
    ),
    (
        "cron",
        "/etc/cron.d/e2scrub_all",
        "/usr/lib/x86_64-linux-gnu/e2fsprogs/e2scrub_all_cron",
    ),
    ("login-shell", "/etc/passwd", "/usr/bin/bash"),
];

fn small() -> Loaded {
    let folder = std::env::var_os("GUESTSLIM_GUESTS").unwrap_or_else(|| "target/guests".into());
    let job = Job::quiet();
    let path = PathBuf::from(folder).join("small.qcow2");
    let mut guest = open(&path, &OpenOptions::default(), &job).expect("the small guest is built");
    load(guest.as_mut(), &job).expect("it loads")
}

fn name(inventory: &Inventory, node: Node) -> String {
    match node {
        Node::Package(id) => inventory.package_label(id),
        Node::File(file) => escape(&inventory.tree.path(file)).into_owned(),
    }
}

#[test]
fn every_finder_knows_what_a_real_debian_needs() {
    let loaded = small();
    let found: BTreeSet<(&str, String, String)> = loaded
        .graph
        .needs()
        .iter()
        .map(|need| {
            let id = FINDERS[need.finder as usize].id;
            let inventory = &loaded.inventory;
            (id, name(inventory, need.from), name(inventory, need.to))
        })
        .collect();
    let lacks: Vec<_> = NEEDS
        .iter()
        .filter(|(id, from, to)| !found.contains(&(id, (*from).to_owned(), (*to).to_owned())))
        .collect();
    assert!(lacks.is_empty(), "{lacks:#?}");
}
