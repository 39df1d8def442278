//! Reads the whole tree through the appliance: one list of all names, then one question a folder.
//!
//! Names come as bytes through a file of the host, because the library's lists of text fail on the first odd name.

use super::answer::Stat;
use super::{Appliance, ffi, inside};
use crate::guest::mode::kind_of;
use crate::guest::{GuestError, MAX_FILES};
use crate::job::Job;
use crate::model::text::escape;
use crate::model::{Entry, FileKind, FileTree, TreeBuilder, Warning};
use std::collections::{BTreeMap, HashMap};

/// The names in each folder; folders by path, without a slash at the end.
type Folders = BTreeMap<Vec<u8>, Vec<Vec<u8>>>;

impl Appliance {
    /// Reads the tree of all that is mounted.
    pub fn walk(&self, job: &Job) -> Result<(FileTree, Vec<Warning>), GuestError> {
        job.items("reading the file tree", 0, None);
        let folders = self.names()?;
        let total = folders.values().map(Vec::len).sum::<usize>() as u64;
        let mut walk = Walk::new(self.root_entry()?);
        for (folder, names) in &folders {
            job.check()?;
            job.items("reading the file tree", walk.done, Some(total));
            self.read_folder(folder, names, &mut walk);
        }
        Ok((walk.builder.finish().0, walk.warnings))
    }

    fn names(&self) -> Result<Folders, GuestError> {
        let host = |source| GuestError::Host {
            operation: "write",
            path: std::env::temp_dir(),
            source,
        };
        let list = tempfile::NamedTempFile::new().map_err(host)?;
        ffi::on_two(
            &self.handle,
            ffi::OnTwo::Find,
            b"/",
            ffi::host_path(list.path()),
        )
        .map_err(|failure| inside("list the files of", b"/", &failure))?;
        let bytes = std::fs::read(list.path()).map_err(host)?;
        let mut folders = Folders::new();
        for (count, path) in bytes.split(|&byte| byte == 0).enumerate() {
            if count > MAX_FILES {
                return Err(GuestError::System(format!(
                    "more than {MAX_FILES} files are on this disk"
                )));
            }
            if !path.is_empty() {
                let (folder, name) = match path.iter().rposition(|&byte| byte == b'/') {
                    Some(at) => (&path[..at], &path[at + 1..]),
                    None => (&b""[..], path),
                };
                folders
                    .entry(folder.to_vec())
                    .or_default()
                    .push(name.to_vec());
            }
        }
        Ok(folders)
    }

    fn root_entry(&self) -> Result<Entry, GuestError> {
        let stat = ffi::lstat_list(&self.handle, b"/", &[b"."])
            .map_err(|failure| inside("look at", b"/", &failure))?;
        let stat = stat.first().copied().flatten().unwrap_or_default();
        Ok(entry(&stat, FileKind::Directory))
    }

    fn read_folder(&self, folder: &[u8], names: &[Vec<u8>], walk: &mut Walk) {
        let Some(&parent) = walk.places.get(folder) else {
            return;
        };
        let path = [b"/", folder].concat();
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        let stats = match ffi::lstat_list(&self.handle, &path, &names) {
            Ok(stats) => stats,
            Err(failure) => {
                let why = escape(&failure.text).into_owned();
                walk.warnings.push(Warning::new(
                    &path,
                    format!("the folder cannot be read: {why}"),
                ));
                return;
            }
        };
        let mut targets = self.targets(&path, &names, &stats);
        for (name, stat) in names.iter().zip(&stats) {
            walk.add(parent, folder, name, *stat, &mut targets);
        }
    }

    /// The targets of the folder's symlinks by name.
    fn targets(
        &self,
        folder: &[u8],
        names: &[&[u8]],
        stats: &[Option<Stat>],
    ) -> HashMap<Vec<u8>, Vec<u8>> {
        let links: Vec<&[u8]> = names
            .iter()
            .zip(stats)
            .filter(|(_, stat)| {
                stat.is_some_and(|stat| kind_of(stat.mode) == Some(FileKind::Symlink))
            })
            .map(|(name, _)| *name)
            .collect();
        if links.is_empty() {
            return HashMap::new();
        }
        let targets = ffi::readlink_list(&self.handle, folder, &links).unwrap_or_default();
        links
            .iter()
            .map(|link| link.to_vec())
            .zip(targets)
            .collect()
    }
}

struct Walk {
    builder: TreeBuilder,
    places: HashMap<Vec<u8>, u32>,
    devices: Vec<u64>,
    warnings: Vec<Warning>,
    done: u64,
}

impl Walk {
    fn new(root: Entry) -> Self {
        let mut builder = TreeBuilder::default();
        builder.set_root(root);
        Self {
            builder,
            places: HashMap::from([(Vec::new(), TreeBuilder::ROOT)]),
            devices: Vec::new(),
            warnings: Vec::new(),
            done: 0,
        }
    }

    fn add(
        &mut self,
        parent: u32,
        folder: &[u8],
        name: &[u8],
        stat: Option<Stat>,
        targets: &mut HashMap<Vec<u8>, Vec<u8>>,
    ) {
        self.done += 1;
        let path = || {
            let slash: &[u8] = if folder.is_empty() { b"" } else { b"/" };
            [folder, slash, name].concat()
        };
        let Some((stat, kind)) = stat.and_then(|stat| Some((stat, kind_of(stat.mode)?))) else {
            let full = [b"/", &path()[..]].concat();
            self.warnings
                .push(Warning::new(&full, "the file cannot be looked at"));
            return;
        };
        let mut entry = entry(&stat, kind);
        entry.target = targets.remove(name).unwrap_or_default();
        if stat.links > 1 && kind != FileKind::Directory {
            entry.inode = Some((self.device(stat.device), stat.inode));
        }
        if let Some(id) = self.builder.add(parent, name, entry)
            && kind == FileKind::Directory
        {
            self.places.insert(path(), id);
        }
    }

    fn device(&mut self, number: u64) -> u32 {
        let known = self.devices.iter().position(|&known| known == number);
        known.unwrap_or_else(|| {
            self.devices.push(number);
            self.devices.len() - 1
        }) as u32
    }
}

fn entry(stat: &Stat, kind: FileKind) -> Entry {
    Entry {
        mode: stat.mode & 0o7777,
        uid: stat.uid,
        gid: stat.gid,
        size: stat.size,
        allocated: stat.blocks.saturating_mul(512),
        modified: stat.modified,
        number: stat.inode,
        ..Entry::new(kind)
    }
}
