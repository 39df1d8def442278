//! The network stack in use: the one that has an enabled unit or a configuration.

use super::Look;
use crate::model::Node;
use crate::pkgdb::Role;

/// One way to bring the network up.
struct Stack {
    /// Its packages; those that are installed stay.
    role: Role,
    /// Units that are enabled where it is in use.
    units: &'static [&'static str],
    /// Files or folders (with something in them) that configure it.
    configuration: &'static [&'static str],
}

const STACKS: &[Stack] = &[
    Stack {
        role: Role::Ifupdown,
        units: &["networking.service"],
        configuration: &["/etc/network/interfaces"],
    },
    Stack {
        role: Role::Networkd,
        units: &["systemd-networkd.service"],
        configuration: &[],
    },
    Stack {
        role: Role::Resolved,
        units: &["systemd-resolved.service"],
        configuration: &[],
    },
    Stack {
        role: Role::NetworkManager,
        units: &["NetworkManager.service"],
        configuration: &[],
    },
    Stack {
        role: Role::Netplan,
        units: &[],
        configuration: &["/etc/netplan"],
    },
    Stack {
        role: Role::Connman,
        units: &["connman.service"],
        configuration: &[],
    },
];

/// Folders in which links enable units.
const TARGETS: &[&str] = &[
    "multi-user.target.wants",
    "network-online.target.wants",
    "sysinit.target.wants",
    "sockets.target.wants",
    "default.target.wants",
    "graphical.target.wants",
];

/// The packages of every stack in use.
pub fn stack(guest: &Look<'_>) -> Vec<Node> {
    STACKS
        .iter()
        .filter(|stack| is_used(guest, stack))
        .flat_map(|stack| guest.packages(stack.role))
        .collect()
}

fn is_used(guest: &Look<'_>, stack: &Stack) -> bool {
    stack.units.iter().any(|unit| is_enabled(guest, unit))
        || stack
            .configuration
            .iter()
            .any(|path| is_configured(guest, path))
}

fn is_configured(guest: &Look<'_>, path: &str) -> bool {
    guest.resolve(path.as_bytes()).is_some_and(|end| {
        let tree = guest.tree();
        !tree.is_directory(end.file) || !tree.children(end.file).is_empty()
    })
}

/// Whether a link of a target wants this unit.
pub fn is_enabled(guest: &Look<'_>, unit: &str) -> bool {
    TARGETS.iter().any(|target| {
        [
            "/etc/systemd/system",
            "/usr/lib/systemd/system",
            "/lib/systemd/system",
        ]
        .iter()
        .any(|folder| {
            let link = format!("{folder}/{target}/{unit}");
            guest.tree().resolve_parent(link.as_bytes()).is_some()
        })
    })
}
