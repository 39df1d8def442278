//! The package manager of an exported guest: content, honest about what went, and able to go on.

use crate::vm_machine::guest;
use guestslim::export::{ExportOptions, export};
use guestslim::guest::{Accel, OpenOptions};
use guestslim::job::Job;
use guestslim::model::Inventory;
use guestslim::model::text::escape;
use guestslim::plan::{Facets, Intent, Level, Mark, RuleId, Selector, Wish};
use guestslim::session::Session;
use guestslim::vm::wire::{Command, Orders};
use guestslim::vm::{Caps, Outcome, Subject, Working, run_commands};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process;

/// What the guest is asked, in this order, and what it must answer with.
const QUESTIONS: &[&str] = &[
    // Making an initramfs anew takes minutes under emulation and is not what is asked here.
    "echo update_initramfs=no > /etc/initramfs-tools/update-initramfs.conf",
    "test -z \"$(dpkg --audit)\" && apt-get check",
    "dpkg --verify || true",
    "cat /var/lib/guestslim/removed.json",
    "mkdir /run/debs && tar -xf /dev/vdb -C /run/debs",
    "apt-get -y install --reinstall --allow-downgrades /run/debs/less.deb",
    "find /usr/share/doc/less /usr/share/man -type f",
    "apt-get -y install /run/debs/less-next.deb && dpkg-query -W -f '${Version}' less && less --version",
    "find /usr/share/doc/less /usr/share/man -type f",
    "apt-get -y install /run/debs/sudo.deb && sudo -V",
    "apt-get -y purge less",
    "test -z \"$(dpkg --audit)\" && apt-get check",
];

fn ran(program: &str, arguments: &[&str], folder: &Path) {
    let ran = process::Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let ran = ran.unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program} {arguments:?}: {said}");
}

/// Packages from the distribution, one of them again under a higher version, in one archive.
fn archive(folder: &Path) -> PathBuf {
    let names = ["less", "sudo"];
    ran("apt-get", &[&["download"], &names[..]].concat(), folder);
    let files = std::fs::read_dir(folder).expect("readable");
    for file in files.map(|file| file.expect("an entry").path()) {
        let name = file.file_name().expect("a name").to_string_lossy();
        let (name, _) = name.split_once('_').expect("NAME_VERSION_ARCH.deb");
        std::fs::rename(&file, folder.join(format!("{name}.deb"))).expect("renamed");
    }
    ran("dpkg-deb", &["-R", "less.deb", "next"], folder);
    ran(
        "sed",
        &["-i", "s/^Version: .*/&+next/", "next/DEBIAN/control"],
        folder,
    );
    let build = ["--root-owner-group", "-b", "next", "less-next.deb"];
    ran("dpkg-deb", &build, folder);
    let debs = ["less.deb", "less-next.deb", "sudo.deb"];
    ran("tar", &[&["-cf", "debs.tar"], &debs[..]].concat(), folder);
    folder.join("debs.tar")
}

fn slim(folder: &Path) -> (Session, PathBuf) {
    let source = guest("small");
    let subject = Subject::open(source.path(), &OpenOptions::default(), &Job::quiet());
    let keep = |name: &str, level| Mark {
        selector: Selector::Package(name.to_owned()),
        wish: Wish::Keep(level),
    };
    let intent = Intent {
        marks: vec![
            keep("python3-numpy", Level::Trimmed),
            keep("less", Level::Trimmed),
            // Other packages trigger its scripts.
            keep("ca-certificates", Level::Hollowed),
        ],
        ..Intent::default()
    };
    let loaded = subject.expect("the guest opens").loaded;
    let session = Session::new(loaded, intent);
    let options = ExportOptions {
        output: folder.join("slim.qcow2"),
        ..ExportOptions::default()
    };
    let report = export(
        source.path(),
        session.loaded(),
        session.plan(),
        &options,
        &Job::quiet(),
    );
    report.expect("it exports");
    (session, options.output)
}

fn answers(image: &Path, cargo: PathBuf) -> Vec<Outcome> {
    let options = OpenOptions {
        accel: Accel::Tcg,
        ..OpenOptions::default()
    };
    let subject = Subject::open(image, &options, &Job::quiet()).expect("the output opens");
    let mut direct = subject.direct.expect("it has a kernel of its own");
    direct.cargo = Some(cargo);
    let command = |line: &&str| Command {
        line: format!("export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8; {line}").into_bytes(),
        time_cap: 600,
        output_cap: 4 << 20,
        ..Command::default()
    };
    let orders = Orders {
        boot_cap: 600,
        commands: QUESTIONS.iter().map(command).collect(),
        ..Orders::default()
    };
    let caps = Caps {
        time: std::time::Duration::from_secs(1200),
        ..Caps::default()
    };
    let session = run_commands(
        &direct,
        &orders,
        Working::Tcg,
        caps,
        &mut |_| false,
        &Job::quiet(),
    )
    .expect("it can be run");
    assert_eq!(session.trouble, None, "{}", session.console.log());
    session.record.commands
}

/// Whether the list inside the guest tells why a path is missing: by name, by its rule, or by the level of its package.
fn is_told(list: &Value, inventory: &Inventory, facets: &Facets, path: &str) -> bool {
    let found = inventory.tree.resolve_parent(path.as_bytes());
    let classes = found.map_or(0, |found| facets.classes[found.file.index()]);
    let items = |key: &str| list[key].as_array().expect("a list").iter();
    let by_name = || items("files").any(|file| file["path"] == path);
    let by_rule = || {
        items("rules")
            .filter_map(|class| RuleId::find(class["rule"].as_str()?))
            .any(|rule| classes >> rule.0 & 1 == 1)
    };
    let owner = inventory.tree.resolve_parent(path.as_bytes());
    let owner = owner.and_then(|found| inventory.owner(found.file));
    let label = owner.map(|owner| inventory.package_label(owner));
    let by_package = || {
        let label = label.unwrap_or_default();
        items("packages").any(|package| package["package"] == escape(label.as_bytes()).as_ref())
    };
    by_rule() || by_name() || by_package()
}

#[test]
fn the_package_manager_goes_on_in_an_exported_guest() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let debs = tempfile::tempdir().expect("a temporary folder");
    let cargo = archive(debs.path());
    let (session, output) = slim(folder.path());
    let inventory = session.inventory();
    let level = |name: &str| {
        session.plan().packages[inventory.find_package(name).expect(name).index()].level
    };
    assert_eq!(level("less"), Some(Level::Trimmed));
    assert_eq!(level("sudo"), None);
    assert!(level("ca-certificates") < Some(Level::Trimmed));
    let answers = answers(&output, cargo);
    let said = |at: usize| String::from_utf8_lossy(&answers[at].stdout).into_owned();
    for (at, question) in QUESTIONS.iter().enumerate() {
        let errors = String::from_utf8_lossy(&answers[at].stderr);
        assert!(answers[at].is_success(), "{question}: {}{errors}", said(at));
    }
    let list: Value = serde_json::from_str(&said(3)).expect("the list is JSON");
    let verified = said(2);
    let missing = verified
        .lines()
        .filter_map(|line| line.strip_prefix("missing "));
    let mut count = 0;
    for line in missing {
        let path = &line[line.find('/').expect("a path")..];
        assert!(
            is_told(&list, inventory, &session.loaded().facets, path),
            "nothing tells of {path}"
        );
        count += 1;
    }
    assert!(count > 1000, "{verified}");
    let others = verified
        .lines()
        .filter(|line| !line.starts_with("missing "));
    // Conffiles that the guest's owner changed, and the first command here.
    let changed: Vec<&str> = others.filter(|line| !line.contains(" c /etc/")).collect();
    assert!(changed.is_empty(), "{changed:?}");
    for at in [6, 8] {
        assert_eq!(
            said(at),
            "/usr/share/doc/less/copyright\n",
            "no documentation is back"
        );
    }
    assert!(said(7).contains("+next"), "{}", said(7));
}
