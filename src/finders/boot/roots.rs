//! Everything that must stay so that the guest boots to a login prompt, with why, in a fixed order.

use super::{Look, fstab, login, network};
use crate::model::{BootChain, BootRoot, FileId, FileTree, Node};
use crate::pkgdb::Role;
use std::collections::HashSet;

/// Collects the boot set; of several reasons for the same thing the first one counts.
pub fn collect(guest: &mut Look<'_>, chain: &BootChain) -> Vec<BootRoot> {
    let mut roots = kernel(guest, chain);
    roots.extend(loader(guest, chain));
    roots.extend(init(guest, chain));
    roots.extend(file_systems(guest, chain));
    roots.extend(console(guest));
    let services = login::name_services(guest);
    roots.extend(all(services, "/etc/nsswitch.conf names it"));
    roots.extend(all(
        network::stack(guest),
        "the network is configured with it",
    ));
    roots.extend(all(
        guest.packages(Role::PackageManager),
        "it is the guest's package manager",
    ));
    let mut seen = HashSet::new();
    roots.retain(|root| seen.insert(root.node));
    roots
}

fn all(nodes: impl IntoIterator<Item = Node>, why: &str) -> Vec<BootRoot> {
    let root = |node| BootRoot {
        node,
        why: why.to_owned(),
    };
    nodes.into_iter().map(root).collect()
}

fn kernel(guest: &Look<'_>, chain: &BootChain) -> Vec<BootRoot> {
    let file = |file: FileId| [Node::File(file)];
    let mut roots = Vec::new();
    if let Some(kernel) = chain.kernel {
        let owner = guest.inventory.owner(kernel).map(Node::Package);
        roots.extend(all(owner, "it holds the kernel that boots by default"));
        roots.extend(all(file(kernel), "the default boot entry loads it"));
    }
    if let Some(initramfs) = chain.initramfs {
        roots.extend(all(file(initramfs), "the default boot entry loads it"));
    }
    let version = crate::model::text::unescape(&chain.kernel_version);
    if version.is_empty() {
        return roots;
    }
    let modules = guest.resolve(&[&b"/lib/modules/"[..], &version].concat());
    if let Some(modules) = modules {
        roots.extend(all(
            file(modules.file),
            "it holds the default kernel's modules",
        ));
    }
    for name in ["config-", "System.map-"] {
        let path = [b"/boot/", name.as_bytes(), &version].concat();
        if let Some(end) = guest.resolve(&path) {
            roots.extend(all(file(end.file), "it describes the default kernel"));
        }
    }
    roots
}

/// Boot loader packages by what their files in `/boot` show to be in use.
fn loader(guest: &Look<'_>, chain: &BootChain) -> Vec<BootRoot> {
    let has = |path: &str| guest.resolve(path.as_bytes()).is_some();
    let roles: &[Role] = match chain.loader.as_str() {
        "grub" => {
            let is_bios = has("/boot/grub/i386-pc") || has("/boot/grub2/i386-pc");
            let is_efi = has("/boot/grub/x86_64-efi") || has("/boot/grub/arm64-efi");
            match (is_bios, is_efi) {
                (true, false) => &[Role::Grub, Role::GrubBios],
                (false, true) => &[Role::Grub, Role::GrubEfi],
                _ => &[Role::Grub, Role::GrubBios, Role::GrubEfi],
            }
        }
        "systemd-boot" => &[Role::SystemdBoot],
        "extlinux" => &[Role::Extlinux],
        _ => &[],
    };
    let packages = roles.iter().flat_map(|&role| guest.packages(role));
    all(packages, "it is the boot loader in use")
}

/// Init itself and what it cannot start without.
fn init(guest: &Look<'_>, chain: &BootChain) -> Vec<BootRoot> {
    let path = chain
        .command_line
        .split_whitespace()
        .find_map(|word| word.strip_prefix("init="))
        .unwrap_or("/sbin/init");
    let mut roots = all(
        guest.program(path.as_bytes()),
        "the kernel starts it as init",
    );
    let is_systemd = guest.resolve(b"/sbin/init").is_some_and(|end| {
        let tree = guest.tree();
        tree.name(end.file) == b"systemd"
    });
    let role = if is_systemd {
        Role::Systemd
    } else {
        Role::OtherInit
    };
    let packages = guest.packages(role);
    roots.extend(all(packages, "init cannot bring the system up without it"));
    if is_systemd && !chain.target.is_empty() {
        let unit = [
            "/etc/systemd/system/default.target",
            "/lib/systemd/system/default.target",
        ]
        .iter()
        .find_map(|path| guest.resolve(path.as_bytes()));
        let files = unit
            .into_iter()
            .flat_map(|end| end.links.into_iter().chain([end.file]));
        roots.extend(all(files.map(Node::File), "it is the default target"));
    }
    roots
}

fn file_systems(guest: &Look<'_>, chain: &BootChain) -> Vec<BootRoot> {
    let mut roots: Vec<BootRoot> = fstab::tools(guest, &chain.fstab)
        .into_iter()
        .map(|(node, why)| BootRoot { node, why })
        .collect();
    for path in ["/bin/mount", "/bin/umount", "/sbin/fsck"] {
        roots.extend(all(
            guest.program(path.as_bytes()),
            "file systems are mounted and checked with it",
        ));
    }
    for (file, role) in [
        ("/etc/crypttab", Role::Encryption),
        ("/etc/mdadm/mdadm.conf", Role::Raid),
    ] {
        if guest.resolve(file.as_bytes()).is_some() {
            roots.extend(all(
                guest.packages(role),
                "the guest's disks are set up with it",
            ));
        }
    }
    let is_lvm = |entry: &[String; 3]| {
        entry[0].starts_with("/dev/mapper/") || entry[0].starts_with("/dev/vg")
    };
    if chain.fstab.iter().any(is_lvm) || chain.command_line.contains("/dev/mapper/") {
        roots.extend(all(
            guest.packages(Role::Volumes),
            "the guest's disks are set up with it",
        ));
    }
    roots
}

/// A login prompt on the console: getty, login, shells, PAM.
pub fn console(guest: &mut Look<'_>) -> Vec<BootRoot> {
    let mut roots = Vec::new();
    for path in ["/sbin/agetty", "/bin/login", "/sbin/sulogin", "/bin/sh"] {
        roots.extend(all(
            guest.program(path.as_bytes()),
            "the console's login needs it",
        ));
    }
    let packages = guest.packages(Role::Login);
    roots.extend(all(packages, "the console's login needs it"));
    let shells = login::shells(guest);
    roots.extend(all(shells, "an account logs in with it"));
    let modules = login::pam(guest, &["login", "other", "systemd-user", "su", "passwd"]);
    roots.extend(all(modules, "the console's login loads it through PAM"));
    roots
}

/// The name of the unit that systemd starts.
pub fn default_target(tree: &FileTree) -> String {
    [
        "/etc/systemd/system/default.target",
        "/usr/lib/systemd/system/default.target",
        "/lib/systemd/system/default.target",
    ]
    .iter()
    .find_map(|path| tree.resolve(path.as_bytes()))
    .map_or(String::new(), |end| {
        crate::model::text::escape(tree.name(end.file)).into_owned()
    })
}
