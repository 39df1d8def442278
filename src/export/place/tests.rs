//! Outputs that are refused, and those that appear.

use super::*;

const ENDINGS: &[&str] = &[".a", ".b"];

fn image(folder: &Path) -> PathBuf {
    let path = folder.join("source.img");
    fs::write(&path, b"disk").expect("a temporary folder takes files");
    path
}

#[test]
fn what_would_hurt_is_refused_before_anything_is_created() {
    let folder = tempfile::tempdir().expect("the host has a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let source = image(folder.path());
    fs::write(at("there"), b"x").expect("writable");
    fs::hard_link(&source, at("hard")).expect("same file system");
    std::os::unix::fs::symlink(&source, at("soft")).expect("writable");
    std::os::unix::fs::symlink(at("nowhere"), at("dangling")).expect("writable");
    fs::create_dir(at("folder")).expect("writable");
    let refusal = |output: &Path, force| {
        let error = Place::choose(&source, output, ENDINGS, force)
            .expect_err("refused")
            .to_string();
        error.replace(&folder.path().display().to_string(), "")
    };
    assert_eq!(refusal(&at("there"), false), "/there exists already");
    assert_eq!(refusal(&at("dangling"), false), "/dangling exists already");
    for (output, force) in [
        ("source.img", false),
        ("hard", true),
        ("soft", true),
        ("folder/../source.img", true),
    ] {
        assert!(
            refusal(&at(output), force).ends_with("is the source image itself"),
            "{output}"
        );
    }
    assert_eq!(
        refusal(&at("folder"), true),
        "/folder cannot be the output: it is a folder"
    );
    assert_eq!(
        refusal(Path::new("/dev/null"), true),
        "/dev/null cannot be the output: it is no ordinary file"
    );
    assert!(refusal(&at("missing/out"), false).starts_with("cannot open /missing"));
    assert!(Place::choose(&source, &at("there"), ENDINGS, true).is_ok());
    assert!(Place::choose(&source, &at("new"), ENDINGS, false).is_ok());
    assert!(matches!(
        Place::choose(folder.path(), &at("new"), ENDINGS, false),
        Err(ExportError::IsFolder(_))
    ));
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 6);
}

#[test]
fn what_the_source_builds_on_is_never_replaced() {
    let folder = tempfile::tempdir().expect("the host has a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let make = |arguments: &[&str]| {
        let made = std::process::Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2"])
            .args(arguments)
            .current_dir(folder.path())
            .status();
        assert!(made.expect("qemu-img is installed").success());
    };
    make(&["base.qcow2", "1M"]);
    make(&["-b", "base.qcow2", "-F", "qcow2", "middle.qcow2"]);
    make(&["-b", "middle.qcow2", "-F", "qcow2", "top.qcow2"]);
    for name in ["base.qcow2", "middle.qcow2"] {
        let place = Place::choose(&at("top.qcow2"), &at(name), &[], true).expect("fine so far");
        let image = Image::probe(&at("top.qcow2"), None).expect("an image");
        let refused = place.check_below(&image, &at(name));
        let error = refused.expect_err("it is needed").to_string();
        assert!(error.ends_with("the source builds on it"), "{error}");
    }
    assert!(Place::choose(&at("base.qcow2"), &at("top.qcow2"), &[], true).is_ok());
}

#[test]
fn a_source_that_was_written_to_is_noticed() {
    let folder = tempfile::tempdir().expect("the host has a temporary folder");
    let source = image(folder.path());
    let place = Place::choose(&source, &folder.path().join("out"), ENDINGS, false).expect("fine");
    assert!(place.check_source().is_ok());
    fs::write(&source, b"longer than before").expect("writable");
    assert!(matches!(
        place.check_source(),
        Err(ExportError::SourceChanged(_))
    ));
}

/// Finished files, and the names of a folder with their contents.
fn finished(folder: &Path) -> (PathBuf, Vec<PathBuf>) {
    let files = ["disk", "json", "txt"].map(|name| {
        let path = folder.join(name);
        fs::write(&path, name).expect("writable");
        path
    });
    let [output, beside @ ..] = files;
    (output, beside.to_vec())
}

fn contents(folder: &Path) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(folder)
        .expect("readable")
        .map(|entry| {
            let path = entry.expect("readable").path();
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            format!("{name}: {}", fs::read_to_string(path).expect("text"))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn an_output_and_what_lies_beside_it_appear_together_or_not_at_all() {
    let (folder, work) = (tempfile::tempdir(), tempfile::tempdir());
    let (folder, work) = (folder.expect("a folder"), work.expect("a folder"));
    let source = image(work.path());
    let output = folder.path().join("out");
    let place = Place::choose(&source, &output, ENDINGS, false).expect("fine");
    for came in ["out", "out.b"] {
        fs::write(folder.path().join(came), "came meanwhile").expect("writable");
        let (disk, beside) = finished(work.path());
        assert!(matches!(
            place.publish(&disk, &beside),
            Err(ExportError::Exists(_))
        ));
        assert_eq!(contents(folder.path()), [format!("{came}: came meanwhile")]);
        fs::remove_file(folder.path().join(came)).expect("writable");
    }
    let (disk, beside) = finished(work.path());
    place.publish(&disk, &beside).expect("published");
    let expected = ["out.a: json", "out.b: txt", "out: disk"];
    assert_eq!(contents(folder.path()), expected);
}

#[test]
fn by_force_all_are_replaced_or_none() {
    let (folder, work) = (tempfile::tempdir(), tempfile::tempdir());
    let (folder, work) = (folder.expect("a folder"), work.expect("a folder"));
    let source = image(work.path());
    let output = folder.path().join("out");
    for name in ["out", "out.a", "out.b"] {
        fs::write(folder.path().join(name), "old").expect("writable");
    }
    let refused = Place::choose(&source, &folder.path().join("other"), ENDINGS, false);
    assert!(refused.is_ok());
    fs::write(folder.path().join("other.b"), "old").expect("writable");
    let refused = Place::choose(&source, &folder.path().join("other"), ENDINGS, false);
    assert!(matches!(refused, Err(ExportError::Exists(path)) if path.ends_with("other.b")));
    fs::remove_file(folder.path().join("other.b")).expect("writable");
    let place = Place::choose(&source, &output, ENDINGS, true).expect("fine");
    let (disk, beside) = finished(work.path());
    fs::remove_file(&output).expect("writable");
    fs::create_dir(&output).expect("writable");
    fs::write(output.join("full"), "x").expect("writable");
    // A folder came meanwhile: it would be exchanged, too, but is no output of ours.
    assert!(place.publish(&disk, &beside).is_err());
    fs::remove_dir_all(&output).expect("writable");
    assert_eq!(contents(folder.path()), ["out.a: old", "out.b: old"]);
    let (disk, beside) = finished(work.path());
    place.publish(&disk, &beside).expect("replaced");
    let expected = ["out.a: json", "out.b: txt", "out: disk"];
    assert_eq!(contents(folder.path()), expected);
}
