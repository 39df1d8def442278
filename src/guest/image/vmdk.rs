//! VMDK: which other files an image names ("Virtual Disk Format 5.0" of `VMware`, and block/vmdk.c of QEMU).
//!
//! A *sparse* image (`KDMV`, `COWD`) holds its own contents. A *descriptor* is a text that names extents in files of their
//! own; for it a new descriptor is written that names the opened files, and the image's own text is read by nobody else.

use super::chain::{Below, Piece, has_protocol};
use super::magic::bytes;
use super::place::Places;
use super::unusable;
use crate::guest::GuestError;
use crate::model::text::escape;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// QEMU reads no longer descriptor.
const LONGEST: usize = 1 << 20;

/// Where the text starts that QEMU searches for a parent in a sparse image, and how much of it: 20 sectors from the second on.
const PARENT_TEXT: (u64, usize) = (0x200, 20 * 512);

/// The name before the parent's name.
const PARENT: &[u8] = b"parentFileNameHint";

/// More files than this are no sane image: at 2 GB each they hold 2 TB.
const MOST_EXTENTS: usize = 1024;

/// What a descriptor's `createType` may be for its extents to be read.
const TYPES: [&[u8]; 5] = [
    b"monolithicFlat",
    b"twoGbMaxExtentFlat",
    b"twoGbMaxExtentSparse",
    b"vmfs",
    b"vmfsSparse",
];

/// What a file of this format refers to.
#[derive(Debug)]
pub(super) struct Found {
    /// The parent.
    pub below: Option<Below>,
    /// Its extents, where it has any in other files.
    pub split: Option<Split>,
}

/// An image in several files.
#[derive(Debug, Clone)]
pub(super) struct Split {
    create_type: String,
    /// `CID` and `parentCID`, by which QEMU tells whether a child fits its parent.
    ids: [u32; 2],
    extents: Vec<Extent>,
}

/// A line such as `RW 4192256 SPARSE "disk-s001.vmdk"`.
#[derive(Debug, Clone)]
struct Extent {
    /// `RW`, `RDONLY` or `NOACCESS`; length in sectors; `FLAT`, `SPARSE`, `ZERO`, `VMFS` or `VMFSSPARSE`.
    words: [String; 3],
    /// Its file and the first sector in it; none for `ZERO`.
    piece: Option<(Piece, u64)>,
}

impl Split {
    /// The extents' files.
    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        let pieces = self.extents.iter().map(|extent| extent.piece.as_ref());
        pieces.flatten().map(|(piece, _)| piece)
    }

    /// A descriptor that names the files as `name` does.
    pub fn descriptor<E>(
        &self,
        mut name: impl FnMut(&File) -> Result<String, E>,
    ) -> Result<String, E> {
        let [own, parent] = self.ids;
        let mut text = format!(
            "# Disk DescriptorFile\nversion=1\nCID={own:08x}\nparentCID={parent:08x}\ncreateType=\"{}\"\n",
            self.create_type
        );
        for Extent { words, piece } in &self.extents {
            let mut line = words.to_vec();
            if let Some((piece, offset)) = piece {
                line.push(format!("\"{}\"", name(&piece.file)?));
                // Only a flat extent has an offset.
                if matches!(&words[2][..], "FLAT" | "VMFS") {
                    line.push(offset.to_string());
                }
            }
            text += &line.join(" ");
            text += "\n";
        }
        Ok(text)
    }
}

/// Reads what the file refers to, and opens its extents.
pub(super) fn read(path: &Path, file: &File, places: &Places) -> Result<Found, GuestError> {
    let refuse = |why: String| unusable(path, why);
    let unread = |error: std::io::Error| unusable(path, error.to_string());
    let magic = bytes(file, 0, 4).map_err(unread)?;
    if is_sparse(&magic) {
        check_sparse(file).map_err(refuse)?;
        let text = bytes(file, PARENT_TEXT.0, PARENT_TEXT.1).map_err(unread)?;
        let below = parent(&text).map_err(refuse)?;
        return Ok(Found { below, split: None });
    }
    let text = bytes(file, 0, LONGEST + 1).map_err(unread)?;
    if text.len() > LONGEST {
        return Err(refuse("its descriptor is longer than 1 MiB".to_owned()));
    }
    let below = parent(&text).map_err(refuse)?;
    let split = split(path, &text, places)?;
    Ok(Found {
        below,
        split: Some(split),
    })
}

fn is_sparse(head: &[u8]) -> bool {
    head.starts_with(b"KDMV") || head.starts_with(b"COWD")
}

/// Refuses a sparse file whose own contents are not all that it is. With a capacity of 0 the extents of the text in it count.
fn check_sparse(file: &File) -> Result<(), String> {
    /// After magic, version and flags, each of 4 bytes.
    const CAPACITY: usize = 12;
    let head = bytes(file, 0, 512).map_err(|error| error.to_string())?;
    if !head.starts_with(b"KDMV") {
        return Ok(());
    }
    let capacity = head.get(CAPACITY..CAPACITY + 8);
    match capacity {
        None => Err("its header is cut off".to_owned()),
        Some(field) if field.iter().all(|&byte| byte == 0) => Err(
            "its header gives a capacity of 0 and leaves its contents to other files".to_owned(),
        ),
        Some(_) => Ok(()),
    }
}

/// The parent that a descriptor names. What is not written as `VMware` writes it is refused, since readers would differ.
fn parent(text: &[u8]) -> Result<Option<Below>, String> {
    let mut mentions = text
        .windows(PARENT.len())
        .enumerate()
        .filter(|(_, word)| *word == PARENT)
        .map(|(at, _)| at);
    let Some(at) = mentions.next() else {
        return Ok(None);
    };
    let odd = "its descriptor names a parent in a way that cannot be read";
    let starts_line = at == 0 || text[at - 1] == b'\n';
    let rest = text[at + PARENT.len()..].strip_prefix(b"=\"");
    let line = rest.map(|rest| rest.split(|&byte| byte == b'\n').next().unwrap_or_default());
    let name = line
        .map(<[u8]>::trim_ascii_end)
        .and_then(|line| line.strip_suffix(b"\""))
        .filter(|name| !name.is_empty() && !name.iter().any(|byte| matches!(byte, b'"' | 0)));
    match name {
        Some(name) if starts_line && mentions.next().is_none() => Ok(Some(Below {
            name: name.to_vec(),
            format: Some(b"vmdk".to_vec()),
        })),
        _ => Err(odd.to_owned()),
    }
}

fn split(path: &Path, text: &[u8], places: &Places) -> Result<Split, GuestError> {
    let refuse = |why: &str| unusable(path, why);
    let lines: Vec<&[u8]> = text
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .collect();
    let value = lines
        .iter()
        .find_map(|line| line.strip_prefix(b"createType="))
        .map(<[u8]>::trim_ascii_start);
    let create_type = value
        .and_then(|value| value.strip_prefix(b"\"")?.strip_suffix(b"\""))
        .filter(|value| TYPES.contains(value))
        .ok_or_else(|| refuse("its descriptor has a type that cannot be read"))?;
    let id = |name: &[u8]| {
        let text = lines.iter().find_map(|line| line.strip_prefix(name))?;
        u32::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
    };
    let ids = [
        id(b"CID=").unwrap_or(u32::MAX - 1),
        id(b"parentCID=").unwrap_or(u32::MAX),
    ];
    let mut extents = Vec::new();
    for line in lines.iter().filter(|line| is_extent(line)) {
        if extents.len() == MOST_EXTENTS {
            return Err(refuse("its descriptor names more than 1,024 extents"));
        }
        extents.push(extent(path, line, places)?);
    }
    if extents.is_empty() {
        return Err(refuse("its descriptor names no extents"));
    }
    Ok(Split {
        create_type: String::from_utf8_lossy(create_type).into_owned(),
        ids,
        extents,
    })
}

/// Whether a line is about an extent, as every reader sees it.
fn is_extent(line: &[u8]) -> bool {
    [&b"RW"[..], b"RDONLY", b"NOACCESS"].iter().any(|access| {
        line.strip_prefix(*access)
            .is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
    })
}

fn extent(path: &Path, line: &[u8], places: &Places) -> Result<Extent, GuestError> {
    let odd = || {
        let shown = &line[..line.len().min(80)];
        let why = format!("its extent line \"{}\" cannot be read", escape(shown));
        unusable(path, why)
    };
    let (head, name, tail) = match line.split(|&byte| byte == b'"').collect::<Vec<_>>()[..] {
        [head] => (head, None, &b""[..]),
        [head, name, tail] => (head, Some(name), tail),
        _ => return Err(odd()),
    };
    let words: Vec<&str> = std::str::from_utf8(head)
        .map_err(|_| odd())?
        .split_ascii_whitespace()
        .collect();
    let &[access, sectors, kind] = &words[..] else {
        return Err(odd());
    };
    let is_number = !sectors.is_empty() && sectors.bytes().all(|byte| byte.is_ascii_digit());
    let tail = std::str::from_utf8(tail).map_err(|_| odd())?.trim_ascii();
    let offset = match tail {
        "" => 0,
        number => number.parse().map_err(|_| odd())?,
    };
    let piece = match (kind, name) {
        ("ZERO", None) => None,
        ("FLAT" | "VMFS", Some(name)) => Some((open(path, name, false, places)?, offset)),
        ("SPARSE" | "VMFSSPARSE", Some(name)) => Some((open(path, name, true, places)?, 0)),
        _ => return Err(odd()),
    };
    if !is_number {
        return Err(odd());
    }
    Ok(Extent {
        words: [access, sectors, kind].map(str::to_owned),
        piece,
    })
}

/// Opens an extent; a sparse one must hold its own contents.
fn open(path: &Path, name: &[u8], is_sparse: bool, places: &Places) -> Result<Piece, GuestError> {
    let refuse = |why: &str| unusable(path, format!("its extent \"{}\" {why}", escape(name)));
    if name.is_empty() || has_protocol(name) {
        return Err(refuse("is no local file"));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let extent = folder.join(OsStr::from_bytes(name));
    let (file, _) = places.open(&extent).map_err(|error| match error {
        GuestError::Host { source, .. } => refuse(&format!("cannot be opened: {source}")),
        GuestError::Image { why, .. } => refuse(&format!("cannot be used: {why}")),
        other => other,
    })?;
    if is_sparse {
        let head = bytes(&file, 0, 4).map_err(|error| refuse(&error.to_string()))?;
        if !self::is_sparse(&head) {
            return Err(refuse("is no sparse extent"));
        }
        check_sparse(&file).map_err(|why| refuse(&format!("cannot be used: {why}")))?;
    }
    Ok(Piece {
        path: extent,
        file: Arc::new(file),
    })
}
