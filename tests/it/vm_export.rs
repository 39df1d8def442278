//! Exports of a real guest: what stays is the same, what goes is gone, the source is never touched.

use crate::built::small;
use crate::salt::{Salt, to_raw};
use guestslim::export::{BESIDE, ExportError, ExportOptions, Report, StepKind, export, steps};
use guestslim::guest::{Guest, OpenOptions, open};
use guestslim::job::{Cancel, Job};
use guestslim::load::{Loaded, load};
use guestslim::model::{FileId, FileKind, FileTree, text};
use guestslim::plan::{Intent, Level, Mark, Plan, Selector, Wish};
use guestslim::session::Session;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn sha256(path: &Path) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(fs::read(path).expect("the image can be read"));
    hash.finalize().to_vec()
}

fn opened(image: &Path) -> Box<dyn Guest> {
    open(image, &OpenOptions::default(), &Job::quiet()).expect("the image opens")
}

fn session(source: &Path) -> Session {
    let mut guest = opened(source);
    let loaded = load(guest.as_mut(), &Job::quiet()).expect("the guest loads");
    let keep = |name: &str| Mark {
        selector: Selector::Package(name.to_owned()),
        wish: Wish::Keep(Level::Trimmed),
    };
    let intent = Intent {
        marks: vec![
            keep("python3-numpy"),
            keep("openssh-server"),
            Mark {
                selector: Selector::Path("/opt/goes".to_owned()),
                wish: Wish::Drop,
            },
        ],
        ..Intent::default()
    };
    Session::new(Arc::new(loaded), intent)
}

fn to(folder: &Path) -> ExportOptions {
    ExportOptions {
        output: folder.join("slim.qcow2"),
        ..ExportOptions::default()
    }
}

/// All contents of all regular files, as hashes by path.
fn contents(
    guest: &mut dyn Guest,
    tree: &FileTree,
    wanted: impl Fn(FileId) -> bool,
) -> HashMap<Vec<u8>, Vec<u8>> {
    let mut all = HashMap::new();
    for file in tree
        .ids()
        .filter(|&file| tree.kind(file) == FileKind::Regular && wanted(file))
    {
        let len = usize::try_from(tree.size(file)).expect("a size");
        let bytes = guest.read(tree, file, 0, len).expect("it can be read");
        assert_eq!(bytes.len(), len);
        all.insert(tree.path(file), Sha256::digest(&bytes).to_vec());
    }
    all
}

/// What must be the same of a file that stays.
fn facts(tree: &FileTree, file: FileId) -> impl PartialEq + std::fmt::Debug + use<> {
    let is_folder = tree.kind(file) == FileKind::Directory;
    (
        tree.kind(file),
        (tree.mode(file), tree.owner(file)),
        tree.target(file).map(<[u8]>::to_vec),
        // A folder changes when something in it goes.
        (!is_folder).then(|| (tree.size(file), tree.allocated(file), tree.modified(file))),
    )
}

/// Paths that the steps write, and those that they remove.
fn touched(loaded: &Loaded, plan: &Plan, options: &ExportOptions) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut written, mut removed) = (Vec::new(), Vec::new());
    for step in steps(loaded, plan, options).expect("the plan can be carried out") {
        match step.kind {
            StepKind::Write(texts) => written.extend(texts.into_iter().map(|text| text.path)),
            StepKind::Link(links) => written.extend(links.into_iter().map(|link| link.path)),
            StepKind::Remove(removal) | StepKind::Copy(removal) => removed.extend(removal.files),
            _ => {}
        }
    }
    (written, removed)
}

fn assert_same_but_for_the_steps(source: &Path, session: &Session, options: &ExportOptions) {
    let (loaded, plan) = (session.loaded(), session.plan());
    let before = &loaded.inventory.tree;
    let (written, removed) = touched(loaded, plan, options);
    let mut guest = opened(&options.output);
    let (after, _) = guest.walk(&Job::quiet()).expect("the output can be walked");
    for path in &removed {
        assert!(
            after.lookup(path).is_none(),
            "{} is still there",
            text::escape(path)
        );
    }
    let is_kept = |path: &[u8]| !written.iter().any(|other| other == path);
    for file in after.ids() {
        let path = after.path(file);
        match before.lookup(&path) {
            None => assert!(
                written.iter().any(|new| new.starts_with(&path)),
                "{} is new",
                text::escape(&path)
            ),
            Some(old) if is_kept(&path) => assert_eq!(
                facts(before, old),
                facts(&after, file),
                "{}",
                text::escape(&path)
            ),
            Some(old) => assert_eq!(
                (before.mode(old), before.owner(old)),
                (after.mode(file), after.owner(file))
            ),
        }
    }
    assert!(after.len() + removed.len() >= before.len());
    let stays =
        |file: FileId| after.lookup(&before.path(file)).is_some() && is_kept(&before.path(file));
    let mut source = opened(source);
    source
        .walk(&Job::quiet())
        .expect("the source can be walked");
    let old = contents(source.as_mut(), before, stays);
    let new = contents(guest.as_mut(), &after, |file| {
        is_kept(&after.path(file)) && before.lookup(&after.path(file)).is_some()
    });
    assert_eq!(old.len(), new.len());
    for (path, hash) in &old {
        assert_eq!(new.get(path), Some(hash), "{}", text::escape(path));
    }
}

fn assert_records_are_honest(session: &Session, output: &Path) {
    let inventory = session.inventory();
    let mut guest = opened(output);
    let slim = load(guest.as_mut(), &Job::quiet())
        .expect("the output loads")
        .inventory;
    let kept: Vec<String> = inventory
        .package_ids()
        .filter(|&id| session.plan().keeps_package(id))
        .map(|id| inventory.package_label(id))
        .collect();
    let left: Vec<String> = slim
        .package_ids()
        .map(|id| slim.package_label(id))
        .collect();
    assert_eq!(kept, left);
    assert!(
        slim.tree
            .lookup(b"/etc/dpkg/dpkg.cfg.d/guestslim")
            .is_some()
    );
    assert!(
        slim.tree
            .lookup(b"/var/lib/guestslim/removed.json")
            .is_some()
    );
}

fn print(report: &Report) {
    println!(
        "{}",
        serde_json::to_string_pretty(report).expect("plain data")
    );
}

#[test]
fn an_export_keeps_what_stays_and_loses_what_goes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("source.raw");
    to_raw(&small(), &source);
    let salt = Salt::strew(&source);
    let before = sha256(&source);
    let session = session(&source);
    let options = to(folder.path());
    let report = export(
        &source,
        session.loaded(),
        session.plan(),
        &options,
        &Job::quiet(),
    )
    .expect("it exports");
    print(&report);
    assert_eq!(
        fs::read_dir(folder.path()).expect("readable").count(),
        2 + BESIDE.len(),
        "only the source, the output and what lies beside it are there"
    );
    assert!(report.after.file < report.before.file && report.removed_files > 1000);
    assert!(
        report
            .warnings
            .iter()
            .all(|warning| !warning.contains("not checked")),
        "{:?}",
        report.warnings
    );
    assert_same_but_for_the_steps(&source, &session, &options);
    assert_records_are_honest(&session, &options.output);
    salt.assert_gone(&options.output);
    assert_eq!(sha256(&source), before);
    let again = export(
        &source,
        session.loaded(),
        session.plan(),
        &options,
        &Job::quiet(),
    );
    assert!(matches!(again, Err(ExportError::Exists(_))));
}

/// Cancels the export when it reports a step whose heading begins like this.
fn cancelled_at(heading: &'static str) -> Job {
    let cancel = Cancel::default();
    let job = Job::new({
        let cancel = cancel.clone();
        move |progress| {
            if progress.step.starts_with(heading) {
                cancel.cancel();
            }
        }
    });
    job.with_cancel(cancel)
}

#[test]
fn a_cancelled_export_leaves_nothing() {
    let source = sha256(&small());
    let session = session(&small());
    for heading in [
        "copy the disk",
        "check the file systems",
        "write the output",
    ] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let job = cancelled_at(heading);
        let result = export(
            &small(),
            session.loaded(),
            session.plan(),
            &to(folder.path()),
            &job,
        );
        assert!(result.expect_err("cancelled").is_cancelled(), "{heading}");
        assert_eq!(
            fs::read_dir(folder.path()).expect("readable").count(),
            0,
            "{heading}"
        );
    }
    assert_eq!(sha256(&small()), source);
}

#[test]
fn an_image_that_is_cut_off_gives_no_output() {
    let session = session(&small());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cut = folder.path().join("cut.qcow2");
    let mut bytes = fs::read(small()).expect("the image can be read");
    bytes.truncate(bytes.len() / 3);
    fs::write(&cut, bytes).expect("writable");
    let result = export(
        &cut,
        session.loaded(),
        session.plan(),
        &to(folder.path()),
        &Job::quiet(),
    );
    assert!(result.is_err());
    assert_eq!(
        fs::read_dir(folder.path()).expect("readable").count(),
        1,
        "only the source is there"
    );
}
