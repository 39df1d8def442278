//! D-Bus services that are started when somebody asks for their name need the unit or the program that they name.
//!
//! The bus reads services and policies from folders that every package fills; it wants what is there.

use super::unit::{Realm, commands, settings};
use super::{Because, Facts, Found, Source, programs, read_text};
use crate::job::{Cancelled, Job};
use crate::model::{Evidence, FileKind, Node};

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

/// What the bus reads.
const FOLDERS: &[&[u8]] = &[b"/usr/share/dbus-1", b"/etc/dbus-1"];

const READERS: programs::Readers = &[
    (b"/usr/bin/dbus-daemon", FOLDERS),
    (b"/usr/bin/dbus-broker-launch", FOLDERS),
];

/// The finder's row function.
pub fn find(
    finder: u8,
    facts: &Facts<'_>,
    source: &mut dyn Source,
    found: &mut Found,
    job: &Job,
) -> Result<(), Cancelled> {
    let tree = &facts.inventory.tree;
    programs::add_readers(finder, tree, READERS, found);
    for (folders, realm) in SERVICES.iter().zip(Realm::all(tree)) {
        let files = folders
            .iter()
            .filter_map(|path| tree.resolve(path))
            .flat_map(|folder| tree.children(folder.file));
        for &file in files {
            job.check()?;
            if tree.kind(file) != FileKind::Regular {
                continue;
            }
            let because = Because {
                finder,
                from: Node::File(file),
                evidence: Evidence::Read,
            };
            for setting in settings(&read_text(tree, source, file)) {
                let value = setting.value.as_slice();
                if setting.key == b"SystemdService" {
                    // Disabled ones have no alias: then nobody starts them.
                    if let Some(end) = realm.unit(value) {
                        found.chain(because, &end, value);
                    }
                } else if setting.key == b"Exec" {
                    for command in commands(value) {
                        match programs::find(tree, &command.words[0]) {
                            Some(end) => found.chain(because, &end, &command.words[0]),
                            None => found.miss(because, &command.words[0]),
                        }
                    }
                }
            }
        }
    }
    Ok(())
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
}
