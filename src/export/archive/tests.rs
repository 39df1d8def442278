//! Archives made by hand are written as container images and read back.

use super::*;
use crate::export::options::Compression;
use crate::model::FileTree;
use std::path::PathBuf;
use tar::{Builder, EntryType, Header};

fn header(kind: EntryType, size: usize, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(mode);
    header.set_uid(1000);
    header.set_gid(100);
    header.set_mtime(1_700_000_000);
    header
}

/// An archive as the appliance writes one, with everything in it that a listing tells apart.
fn archive(folder: &Path) -> PathBuf {
    let path = folder.join("archive");
    let mut out = Builder::new(File::create(&path).expect("writable"));
    let mut add = |name: &str, kind, mode, contents: &[u8]| {
        let mut header = header(kind, contents.len(), mode);
        out.append_data(&mut header, name, contents).expect("fits");
    };
    add("./", EntryType::Directory, 0o755, b"");
    add("./bin", EntryType::Directory, 0o755, b"");
    // A number that the header has no room for, behind a value of several lines.
    let records = b"39 SCHILY.acl.access=user::rw-\nuser:33\n18 uid=4000000000\n";
    add("PaxHeaders/first", EntryType::XHeader, 0o644, records);
    add("./bin/first", EntryType::Regular, 0o4755, b"program");
    add("./bin/pipe", EntryType::Fifo, 0o600, b"");
    let long = format!("./bin/{}", "long".repeat(40));
    add(&long, EntryType::Regular, 0o644, b"");
    for (kind, name, target) in [
        (EntryType::Link, "./bin/second", "./bin/first"),
        (EntryType::Symlink, "./sh", "bin/first"),
    ] {
        let mut header = header(kind, 0, 0o777);
        out.append_link(&mut header, name, target).expect("fits");
    }
    out.into_inner().expect("it ends");
    path
}

fn layout(compression: Compression) -> Layout {
    Layout {
        machine: ("arm".to_owned(), Some("v7")),
        compression,
        created: Some(1_700_000_000),
    }
}

/// The image of the archive, packed this way.
fn image(folder: &Path, compression: Compression) -> PathBuf {
    let product = folder.join(compression.name());
    let archive = archive(folder);
    let mut heard = 0;
    layout(compression)
        .write(&archive, &product, &Job::quiet(), |done| heard = done)
        .expect("written");
    assert!(heard > 0 && !archive.exists());
    product
}

fn shown(tree: &FileTree) -> Vec<String> {
    tree.ids()
        .map(|file| {
            let path = String::from_utf8_lossy(&tree.path(file)).into_owned();
            let target = tree.target(file).map(String::from_utf8_lossy);
            format!(
                "{path} {:?} {:o} {} {} {} {target:?} {}",
                tree.kind(file),
                tree.mode(file),
                tree.owner(file).0,
                tree.size(file),
                tree.modified(file),
                tree.names(file).len()
            )
        })
        .collect()
}

fn listed(path: &Path, format: OutputFormat) -> Result<Vec<String>, ExportError> {
    let mut contents = Vec::new();
    let listing = list(path, format, &Job::quiet(), &mut |path, file| {
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        contents.push(format!("{}: {text}", String::from_utf8_lossy(path)));
        Ok(())
    })?;
    assert_eq!(listing.entries, 7);
    assert!(contents.contains(&"/bin/first: program".to_owned()));
    Ok(shown(&listing.tree))
}

#[test]
fn an_image_holds_the_files_of_its_archive_however_it_is_packed() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = listed(&archive(folder.path()), OutputFormat::Tar).expect("a tar archive");
    assert!(plain.contains(&"/bin/first Regular 4755 4000000000 7 1700000000 None 2".to_owned()));
    assert!(plain.contains(&"/sh Symlink 777 1000 9 1700000000 Some(\"bin/first\") 1".to_owned()));
    for compression in Compression::ALL {
        let product = image(folder.path(), compression);
        assert_eq!(
            listed(&product, OutputFormat::Oci).expect("an image"),
            plain
        );
    }
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 3);
}

#[test]
fn the_same_archive_gives_the_same_image() {
    let (one, two) = (tempfile::tempdir(), tempfile::tempdir());
    for compression in Compression::ALL {
        let bytes = |folder: &Path| fs::read(image(folder, compression)).expect("readable");
        let (one, two) = (
            one.as_ref().expect("a folder"),
            two.as_ref().expect("a folder"),
        );
        assert!(
            bytes(one.path()) == bytes(two.path()),
            "{}",
            compression.name()
        );
    }
}

#[test]
fn an_image_that_is_not_what_it_says_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let product = image(folder.path(), Compression::None);
    let whole = fs::read(&product).expect("readable");
    let at = |text: &[u8]| {
        let found = whole.windows(text.len()).position(|window| window == text);
        found.expect("it is in there")
    };
    let damaged = [
        (at(b"program"), "a blob is not what its name says"),
        (
            at(b"\"imageLayoutVersion\":\"1.0.0\"") + 22,
            "its version is not 1.0.0",
        ),
        (at(b"\"digest\":\"sha256:") + 18, "a blob is missing"),
    ];
    for (at, expected) in damaged {
        let mut bytes = whole.clone();
        bytes[at] = if bytes[at] == b'2' { b'3' } else { b'2' };
        fs::write(&product, bytes).expect("writable");
        let error = list(&product, OutputFormat::Oci, &Job::quiet(), &mut |_, _| {
            Ok(())
        });
        let error = error.expect_err("damaged").to_string();
        assert!(error.ends_with(expected), "{error}");
    }
    fs::write(&product, &whole[..whole.len() / 2]).expect("writable");
    assert!(listed(&product, OutputFormat::Oci).is_err());
}

#[test]
fn a_cancelled_image_is_no_failure() {
    let folder = tempfile::tempdir().expect("a folder");
    let job = Job::quiet();
    job.cancel().cancel();
    let product = folder.path().join("image");
    let error = layout(Compression::Zstd)
        .write(&archive(folder.path()), &product, &job, |_| ())
        .expect_err("cancelled");
    assert!(error.is_cancelled());
}
