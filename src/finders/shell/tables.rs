//! Tables of commands and of who may run what: crontabs, accounts' shells, sudoers.

use super::Calls;
use crate::finders::boot::{login, settings};
use crate::finders::{Scan, files_at, programs};
use crate::job::Cancelled;
use crate::model::Evidence;

/// Folders and files whose contents cron runs or reads.
const CRON_FOLDERS: &[&[u8]] = &[
    b"/etc/cron.d",
    b"/etc/cron.hourly",
    b"/etc/cron.daily",
    b"/etc/cron.weekly",
    b"/etc/cron.monthly",
    b"/etc/crontab",
];

/// Programs that do.
const CRONS: programs::Readers<'_> = &[
    (b"/usr/sbin/cron", CRON_FOLDERS),
    (b"/usr/sbin/crond", CRON_FOLDERS),
    (b"/usr/sbin/anacron", CRON_FOLDERS),
    (
        b"/usr/lib/systemd/system-generators/systemd-crontab-generator",
        CRON_FOLDERS,
    ),
];

/// Crontabs: cron wants what lies in its folders, each table names the programs of its commands. What a person put into a
/// crontab of his own is more than a guess.
pub fn cron(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    scan.readers(CRONS);
    let calls = Calls::new(scan.facts.inventory);
    for (paths, fields) in [
        (&[&b"/etc/crontab"[..], b"/etc/cron.d"][..], 6),
        (&[b"/var/spool/cron"], 5),
    ] {
        for file in files_at(scan.tree(), paths) {
            for line in settings(&scan.text(file)?) {
                scan.check()?;
                let Some(command) = command(line, fields) else {
                    continue;
                };
                let before = scan.found.needs.len();
                calls.add(scan, file, command);
                if fields == 5 {
                    for need in &mut scan.found.needs[before..] {
                        need.evidence = Evidence::Convention;
                    }
                }
            }
        }
    }
    Ok(())
}

/// The command of a crontab's line: behind the times (five fields, or one that begins with `@`) and the user, up to a `%`.
fn command(line: &[u8], fields: usize) -> Option<&[u8]> {
    let fields = match line.first()? {
        b'@' => fields - 4,
        b'*' | b'0'..=b'9' => fields,
        _ => return None,
    };
    let mut rest = line;
    for _ in 0..fields {
        let end = rest.iter().position(u8::is_ascii_whitespace)?;
        rest = rest[end..].trim_ascii_start();
    }
    rest.split(|&byte| byte == b'%').next()
}

/// Accounts name their shells. People need theirs; the accounts of services want what is there.
pub fn login_shell(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let Some(table) = tree.resolve(b"/etc/passwd") else {
        return Ok(());
    };
    for (is_person, shell) in login::accounts(&scan.text(table.file)?) {
        scan.check()?;
        let evidence = if is_person {
            Evidence::Read
        } else {
            Evidence::Wanted
        };
        let because = scan.because(table.file, evidence);
        match programs::find(tree, shell) {
            Some(end) => scan.found.chain(because, &end, shell),
            None if is_person && shell.first() == Some(&b'/') => scan.found.miss(because, shell),
            None => {}
        }
    }
    Ok(())
}

/// Rules of sudo name programs by their paths.
pub fn sudoers(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    for file in files_at(tree, &[b"/etc/sudoers", b"/etc/sudoers.d"]) {
        let because = scan.because(file, Evidence::Guessed);
        for line in settings(&scan.text(file)?) {
            scan.check()?;
            let is_split = |byte: &u8| byte.is_ascii_whitespace() || b",=:!\"".contains(byte);
            for word in line.split(is_split).filter(|word| word.starts_with(b"/")) {
                if let Some(end) = super::program(tree, word) {
                    scan.found.chain(because, &end, word);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finders::fixture::Fixture;

    #[test]
    fn commands_stand_behind_the_times_and_the_user() {
        for (line, fields, expected) in [
            ("17 * * * * root cd / && run", 6, Some("cd / && run")),
            ("@daily root  run a%b", 6, Some("run a")),
            ("*/5 1 2 3 4\trun a", 5, Some("run a")),
            ("@reboot run", 5, Some("run")),
            ("PATH=/bin", 6, None),
            ("1 2", 5, None),
        ] {
            let found = command(line.as_bytes(), fields);
            assert_eq!(found, expected.map(str::as_bytes), "{line}");
        }
    }

    #[test]
    fn crontabs_shells_and_sudoers_name_programs() {
        let files = [
            ("/usr/sbin/cron", ""),
            ("/etc/crontab", "1 2 3 4 5 root test -x /x || tar\n"),
            ("/var/spool/cron/crontabs/sci", "@daily make\n"),
            ("/usr/bin/tar", ""),
            ("/usr/bin/make", ""),
            ("/usr/bin/zsh", ""),
            (
                "/etc/passwd",
                "sci:x:1000:1000::/:/usr/bin/zsh\nold:x:1001:1::/:/bin/gone\ngit:x:9:9::/:/bin/gone\n",
            ),
            (
                "/etc/sudoers.d/x",
                "# /usr/bin/zsh\n%adm ALL=(root) NOPASSWD: /usr/bin/make, /gone\n",
            ),
        ];
        let mut guest = Fixture::new(&files);
        assert_eq!(
            guest.run("cron"),
            [
                "/etc/crontab -> /usr/bin/tar",
                "/usr/sbin/cron -> /etc/crontab",
                "/var/spool/cron/crontabs/sci -> /usr/bin/make",
            ]
        );
        assert_eq!(
            guest.run("login-shell"),
            ["/etc/passwd -> ! /bin/gone", "/etc/passwd -> /usr/bin/zsh"]
        );
        assert_eq!(guest.run("sudoers"), ["/etc/sudoers.d/x -> /usr/bin/make"]);
    }
}
