//! Ways in and services that a person names in a mark.

use super::{Look, login, network, roots};
use crate::model::Node;
use crate::pkgdb::Role;
use std::collections::BTreeSet;

/// One feature.
pub struct Feature {
    /// Its name in marks and profiles.
    pub id: &'static str,
    /// What it is, for the help.
    pub doc: &'static str,
    pub(super) find: fn(&mut Look<'_>) -> Vec<Node>,
}

/// All features. Where a guest lacks one, it consists of nothing.
pub static FEATURES: &[Feature] = &[
    Feature {
        id: "console",
        doc: "a login prompt on the virtual console; always part of the boot set",
        find: |guest| {
            let roots = roots::console(guest);
            once(roots.into_iter().map(|root| root.node).collect())
        },
    },
    Feature {
        id: "ssh",
        doc: "logins through an ssh server, with its PAM stack and file transfer",
        find: ssh,
    },
    Feature {
        id: "network",
        doc: "the network stack that is configured or enabled",
        find: |guest| network::stack(guest),
    },
    Feature {
        id: "cloud-init",
        doc: "set-up by the cloud on the first boot",
        find: |guest| guest.packages(Role::CloudInit),
    },
    Feature {
        id: "sudo",
        doc: "commands as another user",
        find: |guest| {
            let mut nodes = guest.packages(Role::Sudo);
            if !nodes.is_empty() {
                nodes.extend(login::pam(guest, &["sudo"]));
            }
            once(nodes)
        },
    },
    Feature {
        id: "cron",
        doc: "commands at set times from crontabs",
        find: |guest| guest.packages(Role::Cron),
    },
    Feature {
        id: "time",
        doc: "the clock set over the network",
        find: |guest| guest.packages(Role::Clock),
    },
    Feature {
        id: "guest-agent",
        doc: "what hypervisors talk to inside the guest",
        find: |guest| guest.packages(Role::GuestAgent),
    },
];

fn ssh(guest: &mut Look<'_>) -> Vec<Node> {
    let mut nodes = guest.program(b"/usr/sbin/sshd");
    nodes.extend(guest.program(b"/usr/sbin/dropbear"));
    if nodes.is_empty() {
        return nodes;
    }
    nodes.extend(guest.packages(Role::SecureShell));
    nodes.extend(login::pam(guest, &["sshd", "other"]));
    nodes.extend(login::shells(guest));
    nodes.extend(network::stack(guest));
    once(nodes)
}

fn once(nodes: Vec<Node>) -> Vec<Node> {
    let mut seen = BTreeSet::new();
    nodes
        .into_iter()
        .filter(|&node| seen.insert(node))
        .collect()
}
