//! What a confined program can do and what it cannot.

use super::*;
use std::fs::{self, File};

/// What `bash -c script` prints, both streams; the file is handed as number 10.
fn said(script: &str, file: Option<&File>) -> (String, Layers) {
    let mut handed = Handed::default();
    if let Some(file) = file {
        handed.add(file).expect("few files are open");
    }
    let bash = Program::new("bash", ["-c", script]).with_files(handed);
    let started = bash.start().expect("bash is there");
    let layers = started.layers;
    let output = started.output().expect("it ends");
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), layers)
}

/// Whether a layer is missing here, which is said where a person sees it.
fn lacks(is_active: bool, layer: &str) -> bool {
    if !is_active {
        eprintln!("not checked: this kernel has no {layer}");
    }
    !is_active
}

#[test]
fn a_handed_file_is_read_and_no_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (handed, other) = (folder.path().join("handed"), folder.path().join("other"));
    fs::write(&handed, "mine").expect("writable");
    fs::write(&other, "secret").expect("writable");
    let file = File::open(&handed).expect("it opens");
    let (text, layers) = said("cat /dev/fd/10", Some(&file));
    assert_eq!(text, "mine");
    if lacks(layers.landlock, "Landlock") {
        return;
    }
    for path in [other.to_str().expect("text"), "/etc/passwd"] {
        let (text, _) = said(&format!("cat {path}"), Some(&file));
        assert!(text.contains("Permission denied"), "{path}: {text}");
    }
    let (text, _) = said("echo more >> /dev/fd/10", Some(&file));
    assert!(text.contains("Permission denied"), "{text}");
    assert_eq!(fs::read(&handed).expect("there"), b"mine");
}

#[test]
fn a_confined_program_has_no_network() {
    let (text, layers) = said("echo > /dev/tcp/127.0.0.1/1", None);
    if lacks(layers.seccomp, "seccomp") {
        return;
    }
    assert!(text.contains("Operation not permitted"), "{text}");
}

#[test]
fn a_file_for_writing_and_a_folder_can_be_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file");
    let file = File::create_new(&path).expect("writable");
    let (text, _) = said("echo more > /dev/fd/10", Some(&file));
    assert_eq!(
        (&text[..], fs::read(&path).expect("there")),
        ("", b"more\n".to_vec())
    );
    let script = format!("echo new > {}/new", folder.path().display());
    let bash = Program::new("bash", ["-c", &script]).with_folder(folder.path());
    let output = bash.start().and_then(Started::output).expect("it ends");
    assert!(output.status.success());
    assert!(folder.path().join("new").exists());
}

#[test]
fn a_program_ends_when_nobody_holds_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pipe");
    let sleep = Program::new("bash", ["-c", "echo $$; exec sleep 1000"]);
    let mut started = sleep.start().expect("bash is there");
    let mut line = [0; 1];
    let mut pipe = started.child.stdout.take().expect("a pipe");
    pipe.read_exact(&mut line).expect("it started");
    let process = PathBuf::from(format!("/proc/{}", started.child.id()));
    assert!(process.exists() && !path.exists());
    drop(started);
    assert!(!process.exists());
}

#[test]
fn a_program_that_is_not_there_is_told_apart() {
    let error = Program::new("no-such-program", [""; 0])
        .start()
        .expect_err("absent");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}
