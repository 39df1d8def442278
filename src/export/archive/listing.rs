//! The entries of an archive, read back from the finished output.

use super::{Hashing, Layout, failed};
use crate::export::error::ExportError;
use crate::export::options::OutputFormat;
use crate::job::Job;
use crate::model::{Entry, FileKind, FileTree, TreeBuilder};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use tar::{Archive, EntryType};

/// What was found in an archive.
#[derive(Debug)]
pub struct Listing {
    /// Its files; room on disk is unknown.
    pub tree: FileTree,
    /// How many entries it has.
    pub entries: u64,
}

/// Who sees a regular file's contents, under its absolute path in the guest.
pub type Each<'a> = dyn FnMut(&[u8], &mut dyn Read) -> io::Result<()> + 'a;

/// Reads an output that is an archive, to its end; every digest that it names is checked. `each` sees every
/// regular file.
///
/// # Errors
/// When the file cannot be read, or is not what it says.
pub fn list(
    output: &Path,
    format: OutputFormat,
    job: &Job,
    each: &mut Each<'_>,
) -> Result<Listing, ExportError> {
    let listing = match format {
        OutputFormat::Oci => Layout::open(output, job).and_then(|mut layer| {
            let mut reader = Hashing::new(layer.reader()?);
            let listing = read(&mut reader, job, each)?;
            // What follows the last entry belongs to the digest, too.
            super::copy(&mut reader, &mut io::sink(), job, |_| ())?;
            let (_, digest, _) = reader.finish();
            layer.check(&digest).map(|()| listing)
        }),
        _ => File::open(output).and_then(|file| read(&mut BufReader::new(file), job, each)),
    };
    listing.map_err(failed("read", output))
}

fn read(reader: &mut dyn Read, job: &Job, each: &mut Each<'_>) -> io::Result<Listing> {
    let mut archive = Archive::new(reader);
    let mut builder = TreeBuilder::default();
    let mut seen: HashMap<Vec<u8>, Entry> = HashMap::new();
    let mut entries = 0;
    for entry in archive.entries()? {
        job.check().map_err(io::Error::other)?;
        let mut entry = entry?;
        let path = absolute(&entry.path_bytes());
        let facts = if entry.header().entry_type() == EntryType::Link {
            let first = absolute(&entry.link_name_bytes().unwrap_or_default());
            let Some(facts) = seen.get_mut(&first) else {
                return Err(io::Error::other("a hard link leads to nothing before it"));
            };
            // Names of one inode: where the first one stands tells which.
            facts.inode = facts.inode.or(Some((0, entries + 1)));
            let facts = facts.clone();
            builder.add_path(&first, facts.clone());
            facts
        } else {
            let Some(facts) = facts(&mut entry)? else {
                continue;
            };
            if facts.kind == FileKind::Regular {
                each(&path, &mut entry)?;
            }
            seen.insert(path.clone(), facts.clone());
            facts
        };
        entries += 1;
        builder
            .add_path(&path, facts)
            .ok_or_else(|| io::Error::other("a name in it is none"))?;
    }
    Ok(Listing {
        tree: builder.finish().0,
        entries,
    })
}

/// `./usr/bin` and `usr/bin/` are `/usr/bin`.
fn absolute(name: &[u8]) -> Vec<u8> {
    let parts = name
        .split(|&byte| byte == b'/')
        .filter(|part| !matches!(*part, b"" | b"."));
    let mut path = Vec::with_capacity(name.len() + 1);
    for part in parts {
        path.push(b'/');
        path.extend_from_slice(part);
    }
    if path.is_empty() {
        path.push(b'/');
    }
    path
}

/// An entry's facts; `None` for one that is no file.
fn facts<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Option<Entry>> {
    let kind = match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => FileKind::Regular,
        EntryType::Directory => FileKind::Directory,
        EntryType::Symlink => FileKind::Symlink,
        EntryType::Char => FileKind::CharDevice,
        EntryType::Block => FileKind::BlockDevice,
        EntryType::Fifo => FileKind::Fifo,
        _ => return Ok(None),
    };
    let number = |id: u64| u32::try_from(id).map_err(io::Error::other);
    let header = entry.header();
    let mut facts = Entry {
        mode: header.mode()?,
        uid: number(header.uid()?)?,
        gid: number(header.gid()?)?,
        modified: i64::try_from(header.mtime()?).unwrap_or(i64::MAX),
        size: entry.size(),
        ..Entry::new(kind)
    };
    if kind == FileKind::Symlink {
        facts.target = entry.link_name_bytes().unwrap_or_default().into_owned();
        facts.size = facts.target.len() as u64;
    }
    // Numbers that the header has no room for. The crate ends a record at a newline, which ACLs hold: what it then takes
    // for a record and cannot read is the rest of one.
    if let Some(extensions) = entry.pax_extensions()? {
        for extension in extensions.flatten() {
            let value = extension.value().ok().and_then(|text| text.parse().ok());
            match (extension.key_bytes(), value) {
                (b"uid", Some(uid)) => facts.uid = uid,
                (b"gid", Some(gid)) => facts.gid = gid,
                _ => {}
            }
        }
    }
    Ok(Some(facts))
}
