//! Each finder on the real files of a Debian guest: one need that only this finder knows.

use guestslim::finders::FINDERS;
use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::{Loaded, load};
use guestslim::model::text::escape;
use guestslim::model::{Inventory, Node};
use guestslim::plan::hardware::{self, HypervisorId};
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
        "/usr/lib/systemd/system/systemd-networkd.service",
        "/etc/passwd",
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
    (
        "udev",
        "/usr/lib/udev/rules.d/60-persistent-storage.rules",
        "/usr/lib/udev/ata_id",
    ),
    (
        "udev",
        "/usr/lib/udev/rules.d/69-lvm.rules",
        "/usr/bin/systemd-run",
    ),
    (
        "dbus",
        "/usr/share/dbus-1/system-services/org.freedesktop.network1.service",
        "/usr/lib/systemd/system/systemd-networkd.service",
    ),
    (
        "dlopen",
        "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so",
        "/usr/lib/x86_64-linux-gnu/libcryptsetup.so.12",
    ),
];

/// Needs of one kernel module for another, by their names.
const MODULES: &[(&str, &str)] = &[
    ("virtio_net", "net_failover"),
    ("nfsd", "lockd"),
    ("cifs", "sha512_generic"),
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
fn modules_of_a_real_kernel_are_needed_or_go_with_their_hypervisor() {
    let loaded = small();
    let inventory = &loaded.inventory;
    let module = |node: Node| match node {
        Node::File(file) => String::from_utf8(hardware::module_name(inventory.tree.name(file))),
        Node::Package(_) => Ok(String::new()),
    };
    let found: BTreeSet<(String, String)> = loaded
        .graph
        .needs()
        .iter()
        .filter(|need| FINDERS[need.finder as usize].id == "module")
        .filter_map(|need| Some((module(need.from).ok()?, module(need.to).ok()?)))
        .collect();
    for (from, to) in MODULES {
        assert!(
            found.contains(&((*from).to_owned(), (*to).to_owned())),
            "{from} {to}"
        );
    }
    let idle = |ids: &[&str]| -> BTreeSet<String> {
        let hosts: Option<Vec<_>> = ids.iter().map(|id| HypervisorId::find(id)).collect();
        let hosts = hosts.expect("the table has them");
        let files = hardware::idle(inventory, &loaded.graph, &hosts, &[]);
        files
            .iter()
            .filter_map(|&file| module(Node::File(file)).ok())
            .collect()
    };
    let (kvm, vmware, both) = (idle(&["kvm"]), idle(&["vmware"]), idle(&["kvm", "vmware"]));
    for (name, on_kvm, on_vmware) in [
        ("virtio_net", false, false),
        ("virtio_scsi", false, true),
        ("vmw_pvscsi", true, false),
        ("e1000e", false, false),
        ("hv_storvsc", true, true),
        ("hid_playstation", true, true),
        ("ext4", false, false),
        ("sd_mod", false, false),
        ("net_failover", false, false),
    ] {
        assert_eq!(kvm.contains(name), on_kvm, "{name} under KVM");
        assert_eq!(vmware.contains(name), on_vmware, "{name} under VMware");
    }
    let shared: BTreeSet<String> = kvm.intersection(&vmware).cloned().collect();
    assert_eq!(both, shared);
    for need in loaded
        .graph
        .needs()
        .iter()
        .filter(|need| need.evidence.is_firm())
    {
        if FINDERS[need.finder as usize].id == "module" {
            let (from, to) = (
                module(need.from).expect("text"),
                module(need.to).expect("text"),
            );
            assert!(
                kvm.contains(&from) || !kvm.contains(&to),
                "{from} uses {to}"
            );
        }
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
