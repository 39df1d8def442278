//! Edits files on the disk's copy: removes, renames, rewrites, links. Each edit is read back later, by the same reader
//! that opened the guest.

use super::tools::{Odd, Script, System, Word};
use super::{Host, Unfit};
use crate::export::step::{NewLink, NewText};
use crate::export::unlink::below;
use crate::guest::ExtPlace;
use std::os::unix::fs::FileExt;
use std::time::{SystemTime, UNIX_EPOCH};

use Word::{Path, Plain};

/// What must be found on the disk's copy in the end.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Files by path, with their contents.
    pub files: Vec<(Vec<u8>, Vec<u8>)>,
    /// Links by path, with their targets.
    pub links: Vec<(Vec<u8>, Vec<u8>)>,
    /// Paths that exist.
    pub there: Vec<Vec<u8>>,
    /// Paths that do not exist.
    pub gone: Vec<Vec<u8>>,
}

impl Host<'_> {
    /// Removes files, then folders.
    pub fn remove(&mut self, files: &[Vec<u8>], folders: &[Vec<u8>]) -> Result<(), Unfit> {
        for at in 0..self.places.len() {
            let mut script = Script::default();
            let own = |path: &&Vec<u8>| self.place_of(path) == Some(at);
            for (word, paths) in [("rm", files), ("rmdir", folders)] {
                for path in paths.iter().filter(own) {
                    script.add(&[Plain(word), Path(self.inside(at, path))])?;
                }
            }
            self.run(at, &script)?;
        }
        self.expected.gone.extend(files.iter().cloned());
        Ok(())
    }

    /// Gives files their own names back.
    pub fn rename(&mut self, moves: &[(Vec<u8>, Vec<u8>)]) -> Result<(), Unfit> {
        for (from, to) in moves {
            let at = self.place_of(from).ok_or(Unfit::NoPlace)?;
            if self.place_of(to) != Some(at) {
                return Err(Unfit::NoPlace);
            }
            let (old, new) = (self.inside(at, from), self.inside(at, to));
            let mut script = Script::default();
            script.add(&[Plain("rm"), Path(new)])?;
            // Neither changes the count of links.
            script.add(&[Plain("ln"), Path(old), Path(new)])?;
            script.add(&[Plain("unlink"), Path(old)])?;
            self.run(at, &script)?;
            self.expected.there.push(to.clone());
            self.expected.gone.push(from.clone());
        }
        Ok(())
    }

    /// Writes whole files.
    pub fn write(&mut self, texts: &[NewText]) -> Result<(), Unfit> {
        for text in texts {
            let at = self.place_of(&text.path).ok_or(Unfit::NoPlace)?;
            if text.is_new {
                self.write_new(at, text)?;
            } else {
                self.overwrite(at, text)?;
            }
            self.expected
                .files
                .push((text.path.clone(), text.content.clone()));
        }
        Ok(())
    }

    fn write_new(&self, at: usize, text: &NewText) -> Result<(), Unfit> {
        let path = self.inside(at, &text.path);
        let mut script = Script::default();
        let slashes = path.iter().enumerate().skip(1);
        for (end, _) in slashes.filter(|(_, byte)| **byte == b'/') {
            let folder = &path[..end];
            // For a folder that is there already, debugfs would write an inode before it notices.
            if !self.exists(at, folder)? {
                script.add(&[Plain("mkdir"), Path(folder)])?;
            }
        }
        script.write(path, &text.content)?;
        self.run(at, &script)
    }

    /// Whether debugfs finds an inode there.
    fn exists(&self, at: usize, path: &[u8]) -> Result<bool, Unfit> {
        let mut script = Script::reading();
        script.add(&[Plain("imap"), Path(path)])?;
        let said = self.system(&self.places[at]).edit(&script)?;
        let found = b"is part of block group";
        Ok(said.windows(found.len()).any(|words| words == found))
    }

    /// Puts the content into the file's own blocks and gives the rest of them back, so that owner, mode, attributes and
    /// links stay.
    fn overwrite(&self, at: usize, text: &NewText) -> Result<(), Unfit> {
        let place = &self.places[at];
        let path = self.inside(at, &text.path);
        let width = self.block_size(place)?;
        let count = (text.content.len() as u64).div_ceil(width);
        let mut script = Script::reading();
        for block in 0..count {
            script.add(&[Plain("bmap"), Path(path), Plain(&block.to_string())])?;
        }
        let said = self.system(place).edit(&script)?;
        let blocks: Vec<u64> = said
            .split(|&byte| byte == b'\n')
            .filter_map(|line| std::str::from_utf8(line).ok()?.trim().parse().ok())
            .filter(|&block| block != 0)
            .collect();
        if blocks.len() as u64 != count {
            return Err(Unfit::Grows);
        }
        for (block, bytes) in blocks.iter().zip(text.content.chunks(width as usize)) {
            let mut whole = bytes.to_vec();
            whole.resize(width as usize, 0);
            let start = place.start + block * width;
            if start + width > place.start + place.size {
                return Err(Unfit::NoPlace);
            }
            self.disk.write_all_at(&whole, start).map_err(Unfit::disk)?;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = format!("@{}", now.map_or(0, |time| time.as_secs()));
        let (count, len) = (count.to_string(), text.content.len().to_string());
        let mut script = Script::default();
        script.add(&[Plain("punch"), Path(path), Plain(&count)])?;
        for (field, value) in [("size", &*len), ("mtime", &*now), ("ctime", &*now)] {
            script.add(&[Plain("sif"), Path(path), Plain(field), Plain(value)])?;
        }
        self.run(at, &script)
    }

    /// Points symlinks elsewhere.
    pub fn link(&mut self, links: &[NewLink]) -> Result<(), Unfit> {
        for link in links {
            let at = self.place_of(&link.path).ok_or(Unfit::NoPlace)?;
            let path = self.inside(at, &link.path);
            let mut script = Script::default();
            script.add(&[Plain("rm"), Path(path)])?;
            script.add(&[Plain("symlink"), Path(path), Path(&link.target)])?;
            self.run(at, &script)?;
            self.expected
                .links
                .push((link.path.clone(), link.target.clone()));
        }
        Ok(())
    }

    fn run(&self, at: usize, script: &Script) -> Result<(), Unfit> {
        if !script.is_empty() {
            self.system(&self.places[at]).edit(script)?;
        }
        Ok(())
    }

    /// The file system on which a path lies: that of the longest mount point above it.
    fn place_of(&self, path: &[u8]) -> Option<usize> {
        let places = self.places.iter().enumerate();
        let above = places.filter(|(_, place)| below(&place.at, path).is_some());
        let longest = above.max_by_key(|(_, place)| place.at.len());
        longest.map(|(at, _)| at)
    }

    /// The path inside its file system.
    fn inside<'p>(&self, at: usize, path: &'p [u8]) -> &'p [u8] {
        below(&self.places[at].at, path).expect("it was found to lie there")
    }

    pub(super) fn system<'s>(&'s self, place: &'s ExtPlace) -> System<'s> {
        System {
            disk: &self.disk,
            place,
            job: self.inner,
        }
    }
}

impl From<Odd> for Unfit {
    fn from(_: Odd) -> Self {
        Self::OddName
    }
}
