//! The steps of an export, as `--dry-run` prints them, for a small Debian layout in which everything that an export
//! mends occurs once.

use guestslim::export::{
    ExportError, ExportOptions, OutputFormat, Step, StepKind, Way, plan_hash, steps,
};
use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::{Loaded, load};
use guestslim::model::Partition;
use guestslim::plan::{Intent, Level, Mark, Plan, Selector, Wish};
use guestslim::session::Session;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const STATUS: &str = "\
Package: base\nEssential: yes\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n
Package: cron\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3\n
Package: nano\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7\n
Package: vim\nStatus: install ok installed\nArchitecture: amd64\nVersion: 9\n";

const EDITOR: &str = "auto\n/usr/bin/editor\neditor.1.gz\n/usr/share/man/man1/editor.1.gz\n\n\
    /bin/nano\n40\n/usr/share/man/man1/nano.1.gz\n/usr/bin/vim\n50\n/usr/share/man/man1/vim.1.gz\n\n";

const FILES: &[(&str, &[&str])] = &[
    (
        "base",
        &[
            "/usr/bin/run",
            "/usr/bin/tool.real",
            "/usr/share/doc/base/copyright",
            "/usr/share/doc/base/guide",
        ],
    ),
    (
        "cron",
        &[
            "/usr/sbin/cron",
            "/usr/bin/tool",
            "/lib/systemd/system/cron.service",
            "/etc/init.d/cron",
        ],
    ),
    (
        "nano",
        &[
            "/bin/nano",
            "/usr/share/man/man1/nano.1.gz",
            "/usr/share/doc/nano/copyright",
            "/usr/share/doc/nano/[a]*",
        ],
    ),
    ("vim", &["/usr/bin/vim", "/usr/share/man/man1/vim.1.gz"]),
];

const LINKS: &[(&str, &str)] = &[
    ("/usr/bin/editor", "/etc/alternatives/editor"),
    ("/etc/alternatives/editor", "/usr/bin/vim"),
    (
        "/usr/share/man/man1/editor.1.gz",
        "/etc/alternatives/editor.1.gz",
    ),
    (
        "/etc/alternatives/editor.1.gz",
        "/usr/share/man/man1/vim.1.gz",
    ),
    (
        "/etc/systemd/system/multi-user.target.wants/cron.service",
        "/lib/systemd/system/cron.service",
    ),
    (
        "/var/lib/systemd/deb-systemd-helper-enabled/multi-user.target.wants/cron.service",
        "/dev/null",
    ),
    ("/etc/rc2.d/S01cron", "../init.d/cron"),
    ("/etc/systemd/system/long-dangling.service", "/nowhere"),
];

const RECORDS: &[(&str, &str)] = &[
    ("/var/lib/dpkg/status", STATUS),
    ("/var/lib/dpkg/alternatives/editor", EDITOR),
    (
        "/var/lib/dpkg/diversions",
        "/usr/bin/tool\n/usr/bin/tool.real\ncron\n/etc/x\n/etc/x.real\n:\n",
    ),
    (
        "/var/lib/dpkg/statoverride",
        "root root 755 /usr/bin/run\nroot crontab 2755 /usr/sbin/cron\n",
    ),
    (
        "/var/lib/dpkg/triggers/File",
        "/etc/cron.d cron/noawait\n/usr/share/man base\n",
    ),
    ("/var/lib/dpkg/triggers/cron-only", "cron\n"),
    // Empty, and it must stay: without it dpkg runs the triggers of all packages.
    ("/var/lib/dpkg/triggers/Unincorp", ""),
    (
        "/var/lib/apt/extended_states",
        "Package: cron\nArchitecture: amd64\nAuto-Installed: 1\n\n",
    ),
    (
        "/var/lib/systemd/deb-systemd-helper-enabled/cron.service.dsh-also",
        "/etc/systemd/system/x\n",
    ),
    ("/usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
];

pub fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(&path[1..]);
    fs::create_dir_all(path.parent().expect("no root")).expect("a folder");
    fs::write(path, text).expect("a file");
}

pub fn guest() -> (TempDir, Loaded) {
    guest_with(&[])
}

/// The guest with more files and their contents.
pub fn guest_with(more: &[(&str, &str)]) -> (TempDir, Loaded) {
    let folder = tempfile::tempdir().expect("a folder for the guest");
    let root = folder.path();
    for (package, paths) in FILES {
        paths.iter().for_each(|path| put(root, path, "contents"));
        let list = paths.join("\n") + "\n";
        put(root, &format!("/var/lib/dpkg/info/{package}.list"), &list);
        put(root, &format!("/var/lib/dpkg/info/{package}.md5sums"), "");
    }
    for (path, text) in RECORDS {
        put(root, path, text);
    }
    for (path, text) in more {
        put(root, path, text);
    }
    for (path, target) in LINKS {
        let path = root.join(&path[1..]);
        fs::create_dir_all(path.parent().expect("no root")).expect("a folder");
        symlink(target, path).expect("a link");
    }
    let mut guest = open(root, &OpenOptions::default(), &Job::quiet()).expect("a folder opens");
    let mut loaded = load(guest.as_mut(), &Job::quiet()).expect("it loads");
    "qcow2".clone_into(&mut loaded.inventory.origin.format);
    (folder, loaded)
}

pub fn session(loaded: Loaded) -> Session {
    let mark = |name: &str, wish| Mark {
        selector: Selector::Package(name.to_owned()),
        wish,
    };
    let marks = vec![
        mark("nano", Wish::Keep(Level::Trimmed)),
        mark("vim", Wish::Drop),
        mark("cron", Wish::Drop),
    ];
    Session::new(
        Arc::new(loaded),
        Intent {
            marks,
            ..Intent::default()
        },
    )
}

fn options() -> ExportOptions {
    ExportOptions {
        output: "slim.qcow2".into(),
        ..ExportOptions::default()
    }
}

fn steps_of(session: &Session) -> Vec<Step> {
    steps(session.loaded(), session.plan(), &options()).expect("a plan for an image")
}

fn shown(paths: &[Vec<u8>]) -> String {
    paths
        .iter()
        .map(|path| String::from_utf8_lossy(path) + "\n")
        .collect()
}

#[test]
fn the_steps_read_as_what_they_do() {
    let (_folder, loaded) = guest();
    let steps = steps_of(&session(loaded));
    let text: Vec<String> = steps.iter().map(Step::to_string).collect();
    insta::assert_snapshot!("steps", text.join("\n"));
}

#[test]
fn files_of_a_disk_that_is_read_directly_go_before_the_appliance_starts() {
    let (_folder, mut loaded) = guest();
    "ext4".clone_into(&mut loaded.inventory.origin.backend);
    let steps = steps_of(&session(loaded));
    let kinds = steps.iter().map(|step| &step.kind);
    let early: Vec<&StepKind> = kinds.take(4).collect();
    assert!(
        matches!(
            early[..],
            [
                StepKind::Overlay,
                StepKind::Remove(_),
                StepKind::Start,
                StepKind::RemoveRest
            ]
        ),
        "{steps:?}"
    );
}

#[test]
fn an_ext_disk_is_made_on_the_host_where_its_tools_are_confined() {
    let (_folder, mut loaded) = guest();
    "ext4".clone_into(&mut loaded.inventory.origin.backend);
    loaded.inventory.origin.confinement = vec!["landlock"];
    let steps = steps_of(&session(loaded));
    assert!(matches!(steps[0].kind, StepKind::Copy(_)), "{steps:?}");
    let asks = |step: &Step| {
        matches!(
            step.kind,
            StepKind::Overlay | StepKind::Start | StepKind::Trim
        )
    };
    assert!(!steps.iter().any(asks), "{steps:?}");
}

#[test]
fn what_goes_and_what_is_written_is_exact() {
    let (_folder, loaded) = guest();
    for step in steps_of(&session(loaded)) {
        match step.kind {
            StepKind::Remove(removal) => insta::assert_snapshot!("removed", shown(&removal.files)),
            StepKind::Write(texts) => {
                let all: Vec<String> = texts
                    .iter()
                    .map(|text| {
                        format!(
                            "== {}\n{}",
                            String::from_utf8_lossy(&text.path),
                            String::from_utf8_lossy(&text.content)
                        )
                    })
                    .collect();
                insta::assert_snapshot!("written", all.join(""));
            }
            _ => {}
        }
    }
}

#[test]
fn the_same_guest_and_marks_give_the_same_steps_and_hash() {
    let (_one, first) = guest();
    let (_two, second) = guest();
    let (first, second) = (session(first), session(second));
    assert_eq!(steps_of(&first), steps_of(&second));
    let hash = |session: &Session| plan_hash(session.loaded(), session.plan());
    assert_eq!(hash(&first), hash(&second));
    assert_eq!(hash(&first).len(), 64);
    let other = Session::new(first.loaded().clone(), Intent::default());
    assert_ne!(hash(&first), hash(&other));
}

#[test]
fn a_plan_that_drops_nothing_changes_nothing_in_the_guest() {
    let (_folder, loaded) = guest();
    let session = session(loaded);
    let mut plan: Plan = session.plan().clone();
    plan.kept.insert_range(..);
    for verdict in &mut plan.packages {
        verdict.level = Some(Level::Whole);
    }
    let options = ExportOptions {
        format: OutputFormat::Raw,
        ..options()
    };
    let kinds: Vec<String> = steps(session.loaded(), &plan, &options)
        .expect("a plan")
        .iter()
        .map(|step| step.heading.clone())
        .collect();
    insta::assert_snapshot!("nothing_dropped", kinds.join("\n"));
}

#[test]
fn a_folder_cannot_be_exported() {
    let (_folder, mut loaded) = guest();
    "directory".clone_into(&mut loaded.inventory.origin.format);
    let session = session(loaded);
    let error = steps(session.loaded(), session.plan(), &options()).expect_err("no disk");
    assert!(error.is_unsupported() && error.hint().is_some());
}

/// Lays the guest out on a disk: number, type and contents of each partition, each of 4 GiB.
pub fn on_disk(guest: &mut Loaded, table: &str, loader: &str, partitions: &[(u32, &str, &str)]) {
    let inventory = &mut guest.inventory;
    let size = 4 << 30;
    let places = (0..).zip(partitions);
    inventory.origin.partitions = places
        .map(|(at, (number, kind, holds))| Partition {
            number: *number,
            start: (1 << 20) + at * size,
            size,
            kind: (*kind).to_owned(),
            holds: (*holds).to_owned(),
            ..Partition::default()
        })
        .collect();
    table.clone_into(&mut inventory.origin.table);
    inventory.origin.virtual_size = 64 << 30;
    loader.clone_into(&mut inventory.boot.loader);
    let root = partitions
        .iter()
        .find(|(_, _, holds)| !matches!(*holds, "" | "vfat" | "swap"));
    let system = &mut inventory.mounts[0].file_system;
    (system.device, system.kind) = match root {
        Some((number, _, kind)) => (format!("/dev/sda{number}"), (*kind).to_owned()),
        None => ("/dev/group/root".to_owned(), "ext4".to_owned()),
    };
}

pub fn steps_in(way: Way, lay: impl FnOnce(&mut Loaded)) -> Result<Vec<Step>, ExportError> {
    let (_folder, mut loaded) = guest();
    lay(&mut loaded);
    let session = session(loaded);
    let options = ExportOptions { way, ..options() };
    steps(session.loaded(), session.plan(), &options)
}

#[test]
fn every_way_has_its_steps() {
    let uefi = [(14, "bios", ""), (15, "esp", "vfat"), (1, "linux", "ext4")];
    let mut text = Vec::new();
    for way in Way::ALL {
        let steps = steps_in(way, |loaded| on_disk(loaded, "gpt", "grub", &uefi));
        text.push(format!("== {}", way.name()));
        for step in steps.expect("an ordinary disk") {
            text.push(step.heading.clone());
            if let StepKind::Partition(_) = step.kind {
                text.extend(step.details().iter().map(|line| format!("    {line}")));
            }
        }
    }
    insta::assert_snapshot!("ways", text.join("\n"));
}

#[test]
fn swap_areas_of_a_disk_that_is_kept_are_cleared() {
    let clears = |way, partitions: &[(u32, &str, &str)]| {
        let steps = steps_in(way, |loaded| on_disk(loaded, "mbr", "grub", partitions));
        let steps = steps.expect("an ordinary disk");
        steps.iter().any(|step| step.kind == StepKind::ClearSwap)
    };
    let swap = [(1, "82", "swap"), (2, "83", "ext4")];
    assert!(clears(Way::InPlace, &swap) && clears(Way::Shrink, &swap));
    assert!(!clears(Way::Repack, &swap), "it is made anew");
    assert!(!clears(Way::InPlace, &[(1, "83", "ext4")]));
}
