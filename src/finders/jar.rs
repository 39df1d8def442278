//! Java archives need the archives that their manifest names in `Class-Path`.
//!
//! An archive is a zip file: the list of its members is at the end, with `META-INF/MANIFEST.MF` first, so neither the archive nor
//! its whole list is read. Formats: PKWARE's APPNOTE.TXT, and the JAR File Specification for the manifest. Missing entries of a
//! class path are ignored, as Java does.

use super::Scan;
use crate::job::Cancelled;
use crate::model::{Evidence, FileId};
use std::io::Read;

/// The longest end of an archive in which its last record stands: the record and a comment.
const MAX_END: usize = 22 + 0xffff;
/// How much of the list of members is looked at.
const MAX_LIST: usize = 64 << 10;
/// Longest manifest, packed and unpacked: one with a hash of every class may be longer, but says the class path first.
const MAX_MANIFEST: usize = 256 << 10;
/// Most archives of one class path.
const MAX_ENTRIES: usize = 1000;

/// The row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let archives =
        scan.regular(|tree, file| tree.name(file).ends_with(b".jar") && tree.is_first_name(file));
    for (done, &archive) in archives.iter().enumerate() {
        scan.report("reading Java archives", done, archives.len());
        scan.check()?;
        let Some(manifest) = manifest(scan, archive) else {
            continue;
        };
        let because = scan.because(archive, Evidence::Read);
        for entry in class_path(&manifest) {
            let path = entry.strip_prefix(b"file:").unwrap_or(&entry);
            if let Some(end) = tree.resolve_from(tree.parent(archive), path, true)
                && !tree.is_within(archive, end.file)
            {
                scan.found.chain(because, &end, path);
            }
        }
    }
    Ok(())
}

/// The manifest of an archive.
fn manifest(scan: &mut Scan<'_>, archive: FileId) -> Option<Vec<u8>> {
    let tree = scan.tree();
    let mut fetch = |offset: u64, len: usize| scan.source.read(tree, archive, offset, len);
    let size = tree.size(archive);
    let end = fetch(size.saturating_sub(MAX_END as u64), MAX_END);
    let at = end.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let list = fetch(number(&end, at + 16, 4)? as u64, MAX_LIST);
    let row = rows(&list).find(|row| name(row) == Some(b"META-INF/MANIFEST.MF"))?;
    let (method, packed) = (number(row, 10, 2)?, number(row, 20, 4)?);
    let offset = number(row, 42, 4)? as u64;
    let head = fetch(offset, 30);
    let start = 30 + number(&head, 26, 2)? + number(&head, 28, 2)?;
    let bytes = fetch(offset + start as u64, packed.min(MAX_MANIFEST));
    match method {
        0 => Some(bytes),
        8 => {
            let mut text = Vec::new();
            let reader = flate2::read::DeflateDecoder::new(bytes.as_slice());
            // What was unpacked before the data were cut off or damaged counts.
            let _ = reader.take(MAX_MANIFEST as u64).read_to_end(&mut text);
            Some(text)
        }
        _ => None,
    }
}

/// The rows of a list of members, up to the first that is none or is cut off.
fn rows(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let lengths = [
            number(rest, 28, 2)?,
            number(rest, 30, 2)?,
            number(rest, 32, 2)?,
        ];
        let len = 46 + lengths.iter().sum::<usize>();
        let row = rest
            .get(..len)
            .filter(|row| row.starts_with(b"PK\x01\x02"))?;
        rest = &rest[len..];
        Some(row)
    })
}

fn name(row: &[u8]) -> Option<&[u8]> {
    row.get(46..46 + number(row, 28, 2)?)
}

/// A little-endian number of 2 or 4 bytes.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    let part = bytes.get(at..at.checked_add(len)?)?;
    Some(
        part.iter()
            .rev()
            .fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
    )
}

/// The paths of `Class-Path` in the manifest's main section; a line that begins with a space goes on with the one before.
fn class_path(manifest: &[u8]) -> Vec<Vec<u8>> {
    let lines = manifest.split(|&byte| byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut value: Option<Vec<u8>> = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        match (line.strip_prefix(b" "), &mut value) {
            (Some(more), Some(value)) => value.extend(more),
            (None, Some(_)) => break,
            _ => value = line.strip_prefix(b"Class-Path:").map(<[u8]>::to_vec),
        }
    }
    let value = value.unwrap_or_default();
    let words = value.split(u8::is_ascii_whitespace);
    let words = words.filter(|word| !word.is_empty()).take(MAX_ENTRIES);
    words.map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;
    use proptest::prelude::*;

    /// Short, so that every number in the archive is one byte of text.
    const MANIFEST: &str =
        "Class-Path: b.jar ../lib/c.ja\r\n r gone.jar ./\r\n\r\nClass-Path: d.jar\r\n";

    /// An archive of one member that is only stored.
    fn archive(manifest: &str) -> String {
        let name = "META-INF/MANIFEST.MF";
        let sizes = [manifest.len() as u32; 2].map(u32::to_le_bytes).concat();
        let mut head = b"PK\x03\x04".to_vec();
        head.resize(18, 0);
        head.extend(&sizes);
        head.extend([name.len() as u8, 0, 0, 0]);
        head.extend(name.bytes().chain(manifest.bytes()));
        let list = head.len() as u32;
        let mut bytes = head;
        bytes.extend(b"PK\x01\x02");
        bytes.resize(list as usize + 20, 0);
        bytes.extend(&sizes);
        bytes.extend([name.len() as u8, 0]);
        bytes.resize(list as usize + 46, 0);
        bytes.extend(name.bytes());
        bytes.extend(b"PK\x05\x06");
        bytes.resize(bytes.len() + 12, 0);
        bytes.extend(list.to_le_bytes());
        bytes.extend([0, 0]);
        String::from_utf8(bytes).expect("small numbers are text")
    }

    #[test]
    fn archives_need_what_their_class_path_names() {
        let jar = archive(MANIFEST);
        let needs = Fixture::new(&[
            ("/opt/app/a.jar", &jar),
            ("/opt/app/b.jar -> b-1.jar", ""),
            ("/opt/app/b-1.jar", ""),
            ("/opt/lib/c.jar", ""),
            ("/opt/app/d.jar", ""),
        ])
        .run("java-archive");
        assert_eq!(
            needs,
            [
                "/opt/app/a.jar -> /opt/app/b-1.jar",
                "/opt/app/a.jar -> /opt/app/b.jar",
                "/opt/app/a.jar -> /opt/lib/c.jar",
            ]
        );
    }

    proptest! {
        #[test]
        fn a_damaged_archive_is_read_without_a_panic(at in 0usize..400, byte in 0u8..128, cut in 0usize..400) {
            let mut bytes = archive(MANIFEST).into_bytes();
            let len = bytes.len();
            bytes[at % len] = byte;
            bytes.truncate(cut);
            let text = String::from_utf8(bytes).unwrap_or_default();
            Fixture::new(&[("/a/a.jar", &text), ("/a/b.jar", "")]).run("java-archive");
        }
    }
}
