//! VMDK descriptors: which other files they name.

use super::chain::{Below, has_protocol};
use super::magic::bytes;
use super::open_regular;
use crate::model::text::escape;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// QEMU reads no longer descriptor.
const LONGEST: usize = 64 << 10;

/// Checks the extents and tells the parent, of which QEMU takes the name from the descriptor.
pub(super) fn check(path: &Path, file: &File) -> Result<Option<Below>, String> {
    let head = bytes(file, 0, LONGEST).map_err(|error| error.to_string())?;
    let (descriptor, has_own_extent) = if head.starts_with(b"KDMV") {
        (embedded(file, &head)?, le64(&head, 16) != Some(0))
    } else {
        (head, false)
    };
    if descriptor.starts_with(b"COWD") {
        return Ok(None);
    }
    let lines: Vec<&[u8]> = descriptor
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .collect();
    if !has_own_extent {
        for name in lines.iter().filter_map(|line| extent(line)) {
            check_extent(path, name)?;
        }
    }
    let parent = lines
        .iter()
        .find_map(|line| line.strip_prefix(b"parentFileNameHint="));
    Ok(parent.map(|name| Below {
        name: name
            .trim_ascii()
            .strip_prefix(b"\"")
            .unwrap_or(name)
            .split(|&byte| byte == b'"')
            .next()
            .unwrap_or_default()
            .to_vec(),
        format: Some(b"vmdk".to_vec()),
    }))
}

fn embedded(file: &File, head: &[u8]) -> Result<Vec<u8>, String> {
    let short = "its header is cut off";
    let offset = le64(head, 28).ok_or(short)?.saturating_mul(512);
    let len = le64(head, 36)
        .ok_or(short)?
        .saturating_mul(512)
        .min(LONGEST as u64);
    let text = bytes(
        file,
        offset.min(i64::MAX as u64 - LONGEST as u64),
        len as usize,
    )
    .map_err(|error| error.to_string())?;
    Ok(text
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default()
        .to_vec())
}

/// The file of a line such as `RW 4192256 SPARSE "disk-s001.vmdk"`.
fn extent(line: &[u8]) -> Option<&[u8]> {
    let access = line.split(u8::is_ascii_whitespace).next()?;
    if !matches!(access, b"RW" | b"RDONLY" | b"NOACCESS") {
        return None;
    }
    line.split(|&byte| byte == b'"').nth(1)
}

fn check_extent(path: &Path, name: &[u8]) -> Result<(), String> {
    let refuse = |why: &str| format!("its extent \"{}\" {why}", escape(name));
    if has_protocol(name) || name.contains(&b'/') || name.starts_with(b".") {
        return Err(refuse("is no file beside it"));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let extent = folder.join(OsStr::from_bytes(name));
    let facts = std::fs::symlink_metadata(&extent).map_err(|error| refuse(&error.to_string()))?;
    if !facts.is_file() {
        return Err(refuse("is no plain file"));
    }
    open_regular(&extent)
        .map(drop)
        .map_err(|error| refuse(&error.to_string()))
}

fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
