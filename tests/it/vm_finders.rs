//! Finders on the real files of Debian guests: needs that were read off the files by eye.

use crate::built;
use guestslim::model::Node;
use guestslim::plan::hardware::{self, HypervisorId};
use guestslim::plan::{Intent, Level, Selector, Wish};
use guestslim::session::{Edit, Loaded, Session};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Finder, who needs, what is needed in the small guest.
const SMALL: &[(&str, &str, &str)] = &[
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
    (
        "unit",
        "/usr/lib/systemd/systemd-logind",
        "/usr/lib/systemd/system/user@.service",
    ),
    (
        "unit",
        "/usr/lib/systemd/system/user@.service",
        "/usr/lib/systemd/user/default.target",
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

const SITE: &str = "/usr/lib/python3/dist-packages";

/// The same in the demonstration guest.
const DEMO: &[(&str, &str, &str)] = &[
    (
        "python-library",
        "/opt/science/bin/python3",
        "/opt/science/pyvenv.cfg",
    ),
    (
        "python-distribution",
        "/usr/lib/python3/dist-packages/scipy/__init__.py",
        "/usr/lib/python3/dist-packages/scipy/odr/__init__.py",
    ),
    (
        "python-import",
        "/usr/lib/python3/dist-packages/scipy/linalg/__init__.py",
        "/usr/lib/python3/dist-packages/scipy/linalg/_basic.py",
    ),
    (
        "python-import",
        "/usr/lib/python3/dist-packages/scipy/special/_ellip_harm_2.cpython-311-x86_64-linux-gnu.so",
        "/usr/lib/python3/dist-packages/scipy/integrate/__init__.py",
    ),
    (
        "python-data",
        "/usr/lib/python3/dist-packages/numpy/core/__init__.py",
        "/usr/lib/python3/dist-packages/numpy/core/lib/npy-pkg-config/mlib.ini",
    ),
    (
        "r-home",
        "/usr/lib/R/lib/libR.so",
        "/usr/lib/R/library/stats",
    ),
    ("r-home", "/usr/lib/R/bin/R", "/usr/bin/sed"),
    (
        "r-package",
        "/usr/lib/R/library/stats4/DESCRIPTION",
        "/usr/lib/R/library/stats/DESCRIPTION",
    ),
    (
        "perl-module",
        "/usr/sbin/dpkg-fsys-usrunmess",
        "/usr/share/perl/5.36.0/File/Find.pm",
    ),
    (
        "perl-module",
        "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Storable.pm",
        "/usr/lib/x86_64-linux-gnu/perl/5.36.0/auto/Storable/Storable.so",
    ),
];

/// Needs of one kernel module for another, by their names.
const MODULES: &[(&str, &str)] = &[
    ("virtio_net", "net_failover"),
    ("nfsd", "lockd"),
    ("cifs", "sha512_generic"),
];

#[test]
fn modules_of_a_real_kernel_are_needed_or_go_with_their_hypervisor() {
    let loaded = built::guest("small");
    let inventory = &loaded.inventory;
    let module = |node: Node| match node {
        Node::File(file) => String::from_utf8(hardware::module_name(inventory.tree.name(file))),
        Node::Package(_) => Ok(String::new()),
    };
    let found: BTreeSet<(String, String)> = loaded
        .graph
        .needs()
        .iter()
        .filter(|need| need.finder.row().id == "module")
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
        if need.finder.row().id == "module" {
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

fn module(text: &str) -> Selector {
    let (language, name) = text.split_once(':').expect("a language");
    Selector::Module {
        language: language.to_owned(),
        name: name.to_owned(),
    }
}

fn lacks(loaded: &Loaded, needs: &'static [(&str, &str, &str)]) -> Vec<&'static str> {
    let file = |path: &str| Node::File(built::file(&loaded.inventory.tree, path));
    let is_known = |(id, from, to): &(&str, &str, &str)| {
        let (from, to) = (file(from), file(to));
        let mut all = loaded.graph.needs().iter();
        all.any(|need| need.from == from && need.to == to && need.finder.row().id == *id)
    };
    let unknown = needs.iter().filter(|need| !is_known(need));
    unknown.map(|(_, from, _)| *from).collect()
}

#[test]
fn finders_know_what_a_small_debian_needs() {
    assert_eq!(lacks(&built::guest("small"), SMALL), Vec::<&str>::new());
}

#[test]
fn finders_know_what_a_scientists_debian_needs_and_modules_are_kept_by_their_names() {
    let loaded = built::guest("demo");
    assert_eq!(lacks(&loaded, DEMO), Vec::<&str>::new());
    let mut session = Session::new(Arc::new(loaded), Intent::default());
    for text in [
        "python:json",
        "python@/opt/science:pandas",
        "r:stats",
        "perl:POSIX",
    ] {
        session.apply(Edit::Mark(module(text), Wish::Keep(Level::NeededOnly)));
        let mark = session.intent().marks.len() - 1;
        assert!(session.mark_matches(mark) > 0, "{text}");
    }
    // The scientist's own scripts import scipy; without them only the mark decides.
    session.apply(Edit::Mark(
        Selector::Path("/home/sci".to_owned()),
        Wish::Drop,
    ));
    session.apply(Edit::Mark(
        module("python:scipy.linalg"),
        Wish::Keep(Level::NeededOnly),
    ));
    let keeps = |path: &str| {
        session.plan().keeps_file(built::file(
            &session.inventory().tree,
            &format!("{SITE}/{path}"),
        ))
    };
    assert!(keeps("scipy/linalg/_basic.py") && keeps("numpy/core/__init__.py"));
    assert!(!keeps("scipy/odr/tests/test_odr.py") && !keeps("scipy/linalg/tests/test_basic.py"));
}
