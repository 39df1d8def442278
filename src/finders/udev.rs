//! udev's rules need the programs that they start, and want the units that they start.
//!
//! Only `RUN`, `PROGRAM`, `IMPORT{program}` and `SYSTEMD_WANTS` lead to files: udev(7). `RUN{builtin}` names functions of udev
//! itself.

use super::unit::{Realm, commands};
use super::{Scan, programs};
use crate::job::Cancelled;
use crate::model::{Evidence, FileTree, Resolved};

const FOLDERS: [&[u8]; 3] = [
    b"/etc/udev/rules.d",
    b"/usr/local/lib/udev/rules.d",
    b"/usr/lib/udev/rules.d",
];

/// Where udev looks for programs without a path.
const PROGRAMS: [&[u8]; 2] = [b"/usr/lib/udev", b"/lib/udev"];

/// What udev reads of folders, whoever put it there.
const READERS: programs::Readers = &[(
    b"/usr/bin/udevadm",
    &[
        b"/usr/lib/udev/rules.d",
        b"/usr/lib/udev/hwdb.bin",
        b"/usr/lib/systemd/network",
    ],
)];

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    scan.readers(READERS);
    let realms = Realm::all(tree);
    for file in scan.in_folders(&FOLDERS, b".rules") {
        let (read, wanted) = (
            scan.because(file, Evidence::Read),
            scan.because(file, Evidence::Wanted),
        );
        for assignment in assignments(&scan.text(file)?) {
            if assignment.starts_program() {
                for command in commands(assignment.value) {
                    if let Some(end) = program(tree, &command.words[0]) {
                        scan.found.chain(read, &end, &command.words[0]);
                    }
                }
            } else if assignment.starts_unit() {
                let unit = |realm: &Realm<'_>| realm.unit(assignment.value);
                if let Some(end) = realms.iter().find_map(unit) {
                    scan.found.chain(wanted, &end, assignment.value);
                }
            }
        }
    }
    Ok(())
}

fn program(tree: &FileTree, word: &[u8]) -> Option<Resolved> {
    if word.contains(&b'/') {
        return programs::find(tree, word);
    }
    PROGRAMS
        .iter()
        .find_map(|folder| tree.resolve(&[folder, word].join(&b'/')))
        .filter(|end| !tree.is_directory(end.file))
}

/// `KEY{attribute}="value"`, whatever stands between.
#[derive(Debug, PartialEq, Eq)]
struct Assignment<'a> {
    key: &'a [u8],
    attribute: &'a [u8],
    value: &'a [u8],
}

impl Assignment<'_> {
    fn starts_program(&self) -> bool {
        match self.key {
            b"RUN" => self.attribute.is_empty() || self.attribute == b"program",
            b"PROGRAM" => true,
            b"IMPORT" => self.attribute == b"program",
            _ => false,
        }
    }

    fn starts_unit(&self) -> bool {
        self.key == b"ENV" && matches!(self.attribute, b"SYSTEMD_WANTS" | b"SYSTEMD_USER_WANTS")
    }
}

/// All assignments and comparisons of a file of rules, comment lines left out.
fn assignments(text: &[u8]) -> Vec<Assignment<'_>> {
    let mut found = Vec::new();
    for line in text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.first() == Some(&b'#') {
            continue;
        }
        let mut rest = line;
        while let Some((assignment, after)) = next(rest) {
            found.push(assignment);
            rest = after;
        }
    }
    found
}

fn next(line: &[u8]) -> Option<(Assignment<'_>, &[u8])> {
    let open = line.iter().position(|&byte| byte == b'"')?;
    let (head, rest) = (&line[..open], &line[open + 1..]);
    let close = rest.iter().position(|&byte| byte == b'"')?;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_{}/-.*$".contains(byte);
    let start = head.iter().position(is_part).unwrap_or(head.len());
    let head = &head[start..];
    let end = head
        .iter()
        .position(|byte| !is_part(byte))
        .unwrap_or(head.len());
    let mut parts = head[..end].splitn(2, |&byte| byte == b'{');
    let key = parts.next().unwrap_or_default();
    let attribute = parts.next().unwrap_or_default();
    let assignment = Assignment {
        key,
        attribute: attribute.strip_suffix(b"}").unwrap_or(attribute),
        value: &rest[..close],
    };
    Some((assignment, &rest[close + 1..]))
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;

    #[test]
    fn programs_and_units_of_rules_are_found() {
        let rules = "# RUN+=\"/bin/no\"\nKERNEL==\"sd*[!0-9]|sr*\", IMPORT{program}=\"ata_id --export $devnode\", \\\n \
            RUN+=\"/bin/yes -x\", RUN{builtin}+=\"kmod\"\nPROGRAM==\"/bin/sh -c 'x y'\", RUN+=\"$env{CMD}\"\n\
            ENV{SYSTEMD_WANTS}+=\"a@$name.service\", ENV{X}=\"/bin/no\", RUN+=\"never ends\n";
        let mut guest = Fixture::new(&[
            ("/usr/lib/udev/rules.d/60-x.rules", rules),
            ("/usr/lib/udev/rules.d/README", "RUN+=\"/bin/no\""),
            ("/usr/lib/udev/ata_id", ""),
            ("/usr/lib/udev/kmod", ""),
            ("/usr/lib/systemd/system/a@.service", ""),
            ("/usr/bin/udevadm", ""),
            ("/bin/yes", ""),
            ("/bin/no", ""),
            ("/bin/sh", ""),
        ]);
        assert_eq!(
            guest.run("udev"),
            [
                "/usr/bin/udevadm -> /usr/lib/udev/rules.d/60-x.rules",
                "/usr/bin/udevadm -> /usr/lib/udev/rules.d/README",
                "/usr/lib/udev/rules.d/60-x.rules -> /bin/sh",
                "/usr/lib/udev/rules.d/60-x.rules -> /bin/yes",
                "/usr/lib/udev/rules.d/60-x.rules -> /usr/lib/systemd/system/a@.service",
                "/usr/lib/udev/rules.d/60-x.rules -> /usr/lib/udev/ata_id",
            ]
        );
    }
}
