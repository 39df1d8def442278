//! Files that systemd itself reads or runs when they exist, without a unit: generators, rules for accounts and files.

use crate::finders::programs::Readers;

/// Programs that read what packages put into folders: the program, and the folders, which may be missing.
pub const READERS: Readers<'_> = &[
    (
        b"/usr/lib/systemd/systemd",
        &[
            b"/usr/lib/systemd/system-generators",
            b"/usr/lib/systemd/system-environment-generators",
            b"/usr/lib/systemd/user-generators",
            b"/usr/lib/systemd/user-environment-generators",
            b"/usr/lib/systemd/system-shutdown",
            b"/usr/lib/environment.d",
        ],
    ),
    // Each login starts the user's own manager, whose units nobody names.
    (
        b"/usr/lib/systemd/systemd-logind",
        &[
            b"/usr/lib/systemd/system/user.slice",
            b"/usr/lib/systemd/system/user-.slice.d",
            b"/usr/lib/systemd/system/user-runtime-dir@.service",
            b"/usr/lib/systemd/system/user@.service",
            b"/usr/lib/systemd/system/user@.service.d",
        ],
    ),
    (
        b"/usr/lib/systemd/system/user@.service",
        &[b"/usr/lib/systemd/user"],
    ),
    (
        b"/usr/lib/systemd/systemd-sleep",
        &[b"/usr/lib/systemd/system-sleep"],
    ),
    (b"/usr/bin/systemd-tmpfiles", &[b"/usr/lib/tmpfiles.d"]),
    (b"/usr/bin/systemd-sysusers", &[b"/usr/lib/sysusers.d"]),
    (b"/usr/lib/systemd/systemd-sysctl", &[b"/usr/lib/sysctl.d"]),
    (
        b"/usr/lib/systemd/systemd-modules-load",
        &[b"/usr/lib/modules-load.d"],
    ),
    (b"/usr/lib/systemd/systemd-binfmt", &[b"/usr/lib/binfmt.d"]),
];
