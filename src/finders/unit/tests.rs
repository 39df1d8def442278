//! Units as packages and people write them, and hostile ones.

use crate::finders::fixture::Fixture;

fn needs(files: &[(&str, &str)]) -> Vec<String> {
    let short = |need: String| {
        let need = need.replace("/usr/lib/systemd/system/", "S/");
        need.replace("/etc/systemd/system/", "E/")
    };
    let needs = Fixture::new(files).run("unit");
    needs.into_iter().map(short).collect()
}

#[test]
fn a_service_needs_its_programs_files_and_required_units() {
    let unit = "[Unit]\nRequires=b.service gone.service -.mount\nWants=c.target\nAfter=d.service\n\
        [Service]\nExecStartPre=-/bin/gone\nExecStart=/bin/run --file=/etc/run.conf /etc\n\
        EnvironmentFile=-/etc/default/r*\nPAMName=login\nBusName=x.y\nExecStop=/bin/missing\n";
    let found = needs(&[
        ("/usr/lib/systemd/system/a.service", unit),
        (
            "/usr/lib/systemd/system/b.service",
            "[Service]\nExecStart=/bin/sh -ec 'x; run y'\n",
        ),
        ("/usr/lib/systemd/system/c.target", ""),
        ("/usr/lib/systemd/system/d.service", ""),
        ("/usr/lib/systemd/system/dbus.socket", ""),
        ("/usr/bin/run", ""),
        ("/bin -> usr/bin", ""),
        ("/etc/run.conf", ""),
        ("/etc/default/run", ""),
        ("/etc/pam.d/login", ""),
    ]);
    assert_eq!(
        found,
        [
            "S/a.service -> ! /bin/missing",
            "S/a.service -> ! gone.service",
            "S/a.service -> /bin",
            "S/a.service -> /etc/default/run",
            "S/a.service -> /etc/pam.d/login",
            "S/a.service -> /etc/run.conf",
            "S/a.service -> /usr/bin/run",
            "S/a.service -> S/b.service",
            "S/a.service -> S/c.target",
            "S/a.service -> S/dbus.socket",
            "S/b.service -> ! /bin/sh",
            "S/b.service -> /usr/bin/run",
        ]
    );
}

#[test]
fn what_starts_a_service_needs_it_by_name() {
    let found = needs(&[
        ("/usr/lib/systemd/system/a.timer", "[Timer]\nOnBootSec=1\n"),
        ("/usr/lib/systemd/system/a.service", ""),
        ("/usr/lib/systemd/system/b.socket", "[Socket]\nAccept=yes\n"),
        ("/usr/lib/systemd/system/b@.service", ""),
        ("/usr/lib/systemd/system/c.path", "[Path]\nUnit=a.service\n"),
        ("/usr/lib/systemd/system/c.service", ""),
        ("/usr/lib/systemd/system/d.automount", ""),
        ("/usr/lib/systemd/system/d.mount", ""),
    ]);
    assert_eq!(
        found,
        [
            "S/a.timer -> S/a.service",
            "S/b.socket -> S/b@.service",
            "S/c.path -> S/a.service",
            "S/d.automount -> S/d.mount",
        ]
    );
}

#[test]
fn enabled_units_aliases_drop_ins_and_masks_are_heeded() {
    let found = needs(&[
        ("/usr/lib/systemd/system/t.target", ""),
        ("/usr/lib/systemd/system/g@.service", ""),
        ("/usr/lib/systemd/system/m.service", ""),
        ("/etc/systemd/system/m.service -> /dev/null", ""),
        (
            "/etc/systemd/system/alias.service -> /usr/lib/systemd/system/g@.service",
            "",
        ),
        (
            "/etc/systemd/system/t.target.wants/g@tty1.service -> /usr/lib/systemd/system/g@.service",
            "",
        ),
        (
            "/etc/systemd/system/t.target.requires/m.service -> /usr/lib/systemd/system/m.service",
            "",
        ),
        (
            "/etc/systemd/system/t.target.wants/alias.service -> ../alias.service",
            "",
        ),
        (
            "/etc/systemd/system/g@.service.d/x.conf",
            "[Service]\nExecStart=/bin/x\n",
        ),
        (
            "/etc/systemd/system/service.d/y.conf",
            "[Service]\nExecStartPre=/bin/x\n",
        ),
        (
            "/etc/systemd/system/other.d/z.conf",
            "[Service]\nExecStart=/bin/x\n",
        ),
        ("/bin/x", ""),
    ]);
    assert_eq!(
        found,
        [
            "E/g@.service.d/x.conf -> /bin/x",
            "E/service.d/y.conf -> /bin/x",
            "S/g@.service -> E/g@.service.d/x.conf",
            "S/t.target -> E/alias.service",
            "S/t.target -> E/t.target.wants/alias.service",
            "S/t.target -> E/t.target.wants/g@tty1.service",
            "S/t.target -> S/g@.service",
        ]
    );
}

#[test]
fn a_unit_that_names_itself_or_never_ends_does_no_harm() {
    let mut long = "[Unit]\nRequires=a.service ".repeat(60_000);
    long.push_str("\n[Service]\nExecStart=\"/bin/never ended \\");
    let found = needs(&[
        ("/usr/lib/systemd/system/a.service", &long),
        (
            "/usr/lib/systemd/system/a.service.wants/a.service -> ../a.service",
            "",
        ),
        ("/usr/lib/systemd/system/loop.service -> loop.service", ""),
    ]);
    assert!(
        !found.is_empty()
            && found
                .iter()
                .all(|need| need.starts_with("S/a.service -> S/a.service")),
        "{found:?}"
    );
}

#[test]
fn systemd_wants_what_it_runs_without_being_told() {
    let found = needs(&[
        ("/usr/lib/systemd/systemd", ""),
        ("/usr/lib/systemd/system-generators/g", ""),
        ("/usr/bin/systemd-tmpfiles", ""),
        ("/usr/lib/tmpfiles.d/x.conf", ""),
    ]);
    assert_eq!(
        found,
        [
            "/usr/bin/systemd-tmpfiles -> /usr/lib/tmpfiles.d/x.conf",
            "/usr/lib/systemd/systemd -> /usr/lib/systemd/system-generators/g",
        ]
    );
}

#[test]
fn the_accounts_of_services_are_made_somewhere() {
    let service = |user: &str| format!("[Service]\nUser={user}\n");
    let found = needs(&[
        ("/usr/lib/systemd/system/a.service", &service("man")),
        (
            "/usr/lib/systemd/system/b.service",
            &service("systemd-network"),
        ),
        ("/usr/lib/systemd/system/c.service", &service("gone")),
        (
            "/usr/lib/systemd/system/d.service",
            &(service("own") + "DynamicUser=yes\n"),
        ),
        ("/usr/lib/systemd/system/e@.service", &service("%i")),
        ("/etc/passwd", "man:x:6:12:man:/:/usr/sbin/nologin\n"),
        (
            "/usr/lib/sysusers.d/n.conf",
            "#\nu! systemd-network - -\ng gone\n",
        ),
    ]);
    assert_eq!(
        found,
        [
            "S/a.service -> /etc/passwd",
            "S/b.service -> /usr/lib/sysusers.d/n.conf",
            "S/c.service -> ! the account gone",
        ]
    );
}
