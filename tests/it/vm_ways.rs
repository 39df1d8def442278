//! Ways of writing other than in place: the tree is complete, it boots by its own loader, and nothing of what was dropped
//! is in the output.

use crate::built::{self, small};
use crate::salt::{occurrences, to_raw};
use guestslim::export::{ExportOptions, Way, export, steps};
use guestslim::guest::image::{Graph, Image};
use guestslim::guest::libguestfs::{Accel, Access, Appliance, Drive};
use guestslim::guest::open;
use guestslim::job::Job;
use guestslim::load::load;
use guestslim::plan::{Intent, Level, Mark, Selector, Wish};
use guestslim::session::Session;
use guestslim::verify::{self, Contents, Reader, Request, Verdict};
use guestslim::vm::{Caps, Subject, Working, boot_by_loader};
use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// In a file that is dropped, many times.
const MARKER: &str = "this-was-dropped-7f3a9c";

/// Things that copying loses easily, in the appliance's shell.
const PLANT: &[u8] = b"set -e; mkdir -p /sysroot/opt/kept; cd /sysroot/opt/kept
echo text > plain; chmod 4751 plain; chown 1234:4321 plain; touch -d '2001-02-03 04:05:06.123456789' plain
echo more > \"$(printf 'odd \\377 \\033 \\n name')\"; ln plain twin; ln -s /nowhere link; mkfifo -m 600 pipe
truncate -s 30M sparse; echo end >> sparse; mkdir empty; mknod null c 1 3
setfattr -n user.note -v hello plain
setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 twin
setfattr -n security.selinux -v system_u:object_r:etc_t:s0 plain
setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff020004007b00000004000400ffffffff10000600ffffffff20000400ffffffff sparse
mkdir ..data; echo odd > ..data/..file; chattr +S ..data/..file; odd=$(printf 'two\nlines'); echo two > \"$odd\"; chattr +iA \"$odd\"
echo locked > locked; chattr +iA locked; chattr +d empty; touch -d '2003-01-01' .";

/// All that must be the same of them, and of the file system.
const LOOK: &[u8] = b"cd /sysroot/opt/kept
find . -printf '%p %y %m %U %G %s %b %T@ %n %l\\n' | sort; getfattr -R -h -d -m - -e hex . | grep -v '^$'; lsattr -d plain locked empty ..data/..file two*
dumpe2fs -h /dev/disk/guestfs/drivea1 2>/dev/null | grep -E 'volume name|UUID|system features|mount options|Errors|Inode size|Hash Seed|Maximum mount'";

/// The first file system's files, mounted in an appliance.
fn within<T>(image: &Path, format: &str, access: Access, act: impl FnOnce(&Appliance) -> T) -> T {
    let image = built::over_guests().image(image).expect("an image");
    assert_eq!(image.format(), format);
    let graph = match access {
        Access::ReadOnly => Graph::of(&image),
        Access::Write => built::writable(image.path()),
    };
    let drive = Drive::Served {
        path: image.path(),
        graph: &graph,
        access,
    };
    let job = Job::quiet();
    let appliance = Appliance::launch(&[drive], Accel::Tcg, &job).expect("it starts");
    appliance.mount_guest(access, &job).expect("it mounts");
    let done = act(&appliance);
    appliance.shutdown().expect("it stops");
    done
}

/// An overlay over the small guest with things in it that copying loses easily; what it looks like.
fn planted(folder: &Path) -> (PathBuf, String) {
    let path = folder.join("planted.qcow2");
    let made = std::process::Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-F", "qcow2", "-b"])
        .args([&small(), &path])
        .status();
    assert!(made.expect("qemu-img is installed").success());
    let seen = within(&path, "qcow2", Access::Write, |appliance| {
        appliance.shell(PLANT).expect("all of it can be made");
        appliance
            .write(b"/opt/gone", MARKER.repeat(10_000).as_bytes())
            .expect("it writes");
        look(appliance)
    });
    (path, seen)
}

fn look(appliance: &Appliance) -> String {
    let seen = appliance.shell(LOOK).expect("it can be looked at");
    // A feature that ext4 shows while it is mounted for writing.
    String::from_utf8_lossy(&seen).replace("needs_recovery ", "")
}

fn session(image: &Path) -> Session {
    let job = Job::quiet();
    let mut guest = open(image, &built::over_guests(), &job).expect("the image opens");
    let loaded = load(guest.as_mut(), &job).expect("the guest loads");
    let mark = |selector, wish| Mark { selector, wish };
    let keep = |name: &str| Selector::Package(name.to_owned());
    let intent = Intent {
        marks: vec![
            mark(keep("python3-numpy"), Wish::Keep(Level::Trimmed)),
            mark(keep("openssh-server"), Wish::Keep(Level::Trimmed)),
            mark(Selector::Path("/opt/gone".to_owned()), Wish::Drop),
        ],
        ..Intent::default()
    };
    Session::new(Arc::new(loaded), intent)
}

/// Exports in this way; the output has the same files as the plan says, byte for byte, nothing of the marker, and boots.
fn assert_way(way: Way, session: &Session, source: &Path, seen: &str, folder: &Path) {
    let job = Job::quiet();
    let options = ExportOptions {
        output: folder.join(way.name()),
        way,
        open: built::over_guests(),
        ..ExportOptions::default()
    };
    let report =
        export(source, session.loaded(), session.plan(), &options, &job).expect("it exports");
    println!("{report:#?}");
    assert!(
        report.after.disk < report.before.disk
            && report.warnings.iter().all(|w| !w.contains("not checked"))
    );
    let raw = folder.join("raw");
    to_raw(&options.output, &raw);
    assert_eq!(fs::metadata(&raw).expect("there").len(), report.after.disk);
    assert_eq!(occurrences(&raw, MARKER), 0, "what was dropped is gone");
    fs::remove_file(&raw).expect("it is there");

    let open =
        |path: &Path| Subject::open_and_keep(path, &built::over_guests(), &job).expect("it opens");
    let ((source, mut guest), (subject, image)) = (open(source), open(&options.output));
    let contents = Contents::Of {
        source: Reader {
            guest: guest.as_mut(),
            tree: &source.loaded.inventory.tree,
        },
        image,
    };
    let steps = steps(session.loaded(), session.plan(), &options).expect("it was carried out");
    let proof = verify::verify(
        &Request {
            subject: &subject,
            source: Some(&source),
            steps: Some(&steps),
            checks: &[],
            on_source: None,
            accel: None,
            boot_cap: Duration::ZERO,
            check_cap: Duration::ZERO,
        },
        Some(contents),
        &job,
    )
    .expect("it can be verified");
    for id in ["container", "manifest", "contents"] {
        let rung = proof.rungs.iter().find(|rung| rung.id == id);
        assert!(
            rung.is_some_and(|rung| matches!(rung.verdict, Verdict::Pass(_))),
            "{rung:?}"
        );
    }

    let again = within(&options.output, "qcow2", Access::ReadOnly, look);
    assert_eq!(again, seen);

    let image = Image::probe(&options.output, None).expect("an image");
    let boot = boot_by_loader(&image, Working::Tcg, Caps::default(), &job).expect("it starts");
    assert_eq!(
        boot.verdict.as_deref(),
        Ok("login prompt"),
        "{}",
        boot.console.log()
    );
}

/// Repacks once more; who has the first output must fetch little of the second.
fn assert_cheap_update(session: &Session, source: &Path, folder: &Path) {
    let options = ExportOptions {
        output: folder.join("again"),
        way: Way::Repack,
        previous: Some(folder.join(Way::Repack.name())),
        open: built::over_guests(),
        ..ExportOptions::default()
    };
    let (loaded, plan) = (session.loaded(), session.plan());
    let report = export(source, loaded, plan, &options, &Job::quiet()).expect("it exports");
    let cost = report.update.expect("it was asked for");
    println!("{cost:#?}");
    assert!(
        cost.new_chunks * 10 < cost.chunks && cost.chunks > 1000,
        "{cost:#?}, at {:?}",
        new_ranges(folder, &folder.join(Way::Repack.name()), &options.output)
    );
}

/// First and last of each row of 64 KiB chunks that the second disk has and the first lacks: whether tables, journal or files
/// are elsewhere.
fn new_ranges(folder: &Path, old: &Path, new: &Path) -> Vec<(usize, usize)> {
    let chunks = |image: &Path| -> Vec<u64> {
        let raw = folder.join("compared");
        to_raw(image, &raw);
        let bytes = fs::read(&raw).expect("it was made");
        fs::remove_file(&raw).expect("it is there");
        let hash = |chunk| BuildHasherDefault::<DefaultHasher>::default().hash_one(chunk);
        bytes.chunks(1 << 16).map(hash).collect()
    };
    let there: HashSet<u64> = chunks(old).into_iter().collect();
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (at, chunk) in chunks(new).iter().enumerate() {
        match ranges.last_mut() {
            _ if there.contains(chunk) => (),
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => ranges.push((at, at)),
        }
    }
    ranges
}

/// Exports the planted guest in this way, and once more where `again` says what for.
fn keeps_all_that_stays(way: Way, again: impl FnOnce(&Session, &Path, &Path)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let (source, seen) = planted(folder);
    assert!(occurrences(&source, MARKER) > 0);
    let session = session(&source);
    assert_way(way, &session, &source, &seen, folder);
    again(&session, &source, folder);
}

#[test]
fn shrink_keeps_all_that_stays_nothing_that_goes_and_boots() {
    keeps_all_that_stays(Way::Shrink, |_, _, _| ());
}

#[test]
fn repack_keeps_all_that_stays_nothing_that_goes_and_boots_and_comes_out_alike() {
    keeps_all_that_stays(Way::Repack, assert_cheap_update);
}
