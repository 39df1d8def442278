//! D-Bus services that are started on demand need the unit or the program that they name; policies need the accounts that they
//! name.
//!
//! The bus reads services and policies from folders that every package fills, so it only *wants* the files there.

use super::unit::{Accounts, Realm, commands, settings};
use super::{Scan, programs};
use crate::job::Cancelled;
use crate::model::Evidence;
use std::collections::BTreeSet;

/// Folders of the system's services and of the users', in the order of the units' realms.
const SERVICES: [&[&[u8]]; 2] = [
    &[
        b"/usr/local/share/dbus-1/system-services",
        b"/usr/share/dbus-1/system-services",
    ],
    &[
        b"/usr/local/share/dbus-1/services",
        b"/usr/share/dbus-1/services",
    ],
];

/// Folders of policies.
const POLICIES: [&[u8]; 4] = [
    b"/usr/share/dbus-1/system.d",
    b"/usr/share/dbus-1/session.d",
    b"/etc/dbus-1/system.d",
    b"/etc/dbus-1/session.d",
];

/// What the bus reads.
const FOLDERS: &[&[u8]] = &[b"/usr/share/dbus-1", b"/etc/dbus-1"];

const READERS: programs::Readers = &[
    (b"/usr/bin/dbus-daemon", FOLDERS),
    (b"/usr/bin/dbus-broker-launch", FOLDERS),
];

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    scan.readers(READERS);
    for (folders, realm) in SERVICES.iter().zip(Realm::all(scan.tree())) {
        for file in scan.in_folders(folders, b"") {
            let because = scan.because(file, Evidence::Read);
            for setting in settings(&scan.text(file)?) {
                let value = setting.value.as_slice();
                if setting.key == b"SystemdService" {
                    // Disabled ones have no alias: then nobody starts them.
                    if let Some(end) = realm.unit(value) {
                        scan.found.chain(because, &end, value);
                    }
                } else if setting.key == b"Exec" {
                    for command in commands(value) {
                        scan.program(because, &command.words[0]);
                    }
                }
            }
        }
    }
    let accounts = Accounts::new(scan.tree(), scan.source);
    for file in scan.in_folders(&POLICIES, b".conf") {
        let because = scan.because(file, Evidence::Read);
        for name in users(&scan.text(file)?) {
            match accounts.made_by(name) {
                Some(table) => scan.found.need(because, table, name),
                None => scan.found.miss(because, &[b"the account ", name].concat()),
            }
        }
    }
    Ok(())
}

/// The users of `<policy user="NAME">`, comments left out.
fn users(text: &[u8]) -> BTreeSet<&[u8]> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'<') {
        rest = &rest[at + 1..];
        let end: &[u8] = if rest.starts_with(b"!--") {
            b"-->"
        } else {
            b">"
        };
        let len = rest.windows(end.len()).position(|window| window == end);
        let (tag, after) = rest.split_at(len.unwrap_or(rest.len()));
        rest = after;
        let mut parts = tag.splitn(2, |&byte| byte == b'=');
        let head = parts.next().unwrap_or_default().trim_ascii_end();
        let value = parts.next().unwrap_or_default().trim_ascii_start();
        if head.starts_with(b"policy")
            && head.ends_with(b"user")
            && let Some(quote) = value.first()
        {
            found.extend(value[1..].split(|byte| byte == quote).next());
        }
    }
    found.retain(|name| !name.is_empty() && !name.iter().all(u8::is_ascii_digit));
    found
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;

    #[test]
    fn services_need_their_unit_or_their_program() {
        let mut guest = Fixture::new(&[
            (
                "/usr/share/dbus-1/system-services/a.service",
                "[D-BUS Service]\nName=a\nExec=/bin/false\nSystemdService=dbus-a.service\n",
            ),
            (
                "/usr/share/dbus-1/services/b.service",
                "[D-BUS Service]\nExec=/usr/bin/gone --x\nSystemdService=dbus-a.service\n",
            ),
            (
                "/etc/systemd/system/dbus-a.service -> /usr/lib/systemd/system/a.service",
                "",
            ),
            ("/usr/lib/systemd/system/a.service", ""),
            ("/bin/false", ""),
            ("/usr/bin/dbus-daemon", ""),
        ]);
        let needs = guest.run("dbus");
        assert_eq!(
            needs,
            [
                "/usr/bin/dbus-daemon -> /usr/share/dbus-1/services/b.service",
                "/usr/bin/dbus-daemon -> /usr/share/dbus-1/system-services/a.service",
                "/usr/share/dbus-1/services/b.service -> ! /usr/bin/gone",
                "/usr/share/dbus-1/system-services/a.service -> /bin/false",
                "/usr/share/dbus-1/system-services/a.service -> /etc/systemd/system/dbus-a.service",
                "/usr/share/dbus-1/system-services/a.service -> /usr/lib/systemd/system/a.service",
            ]
        );
    }
    #[test]
    fn policies_need_the_accounts_that_they_are_about() {
        let policy = "<!-- <policy user=\"no\"> -->\n<policy context=\"default\"/><policy user='polkitd'>\n\
            <policy group=\"adm\"></policy><policy user = \"made\"/><policy user=\"lost\"/><policy user=\"0\"/>";
        let needs = Fixture::new(&[
            ("/usr/share/dbus-1/system.d/x.conf", policy),
            (
                "/etc/passwd",
                "root:x:0:0::/:/bin/sh\npolkitd:x:1:1::/:/bin/false\n",
            ),
            ("/usr/lib/sysusers.d/x.conf", "u made - -\n"),
        ])
        .run("dbus");
        let policy = "/usr/share/dbus-1/system.d/x.conf";
        assert_eq!(
            needs,
            [
                format!("{policy} -> ! the account lost"),
                format!("{policy} -> /etc/passwd"),
                format!("{policy} -> /usr/lib/sysusers.d/x.conf"),
            ]
        );
    }
}
