//! What the loader reads of an ELF file: header, program headers, dynamic section, and the strings that it names.
//!
//! Never the whole file, and the section table only where a section is asked for by name: a stripped or half-damaged file
//! reads as far as the loader itself would get. Every count and length is bounded. Constants are those of the `object` crate.

mod dynamic;
mod note;
mod section;
mod version;

use super::{Head, Source};
use crate::job::{Cancelled, Job};
use crate::model::{FileId, FileTree, Warning, Warnings};
use object::elf;
pub use section::section;
use std::collections::BTreeMap;

/// What the loader must match: two files work together only when these are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Abi {
    /// `EI_CLASS`: 32 or 64 bit.
    pub class: u8,
    /// `EI_DATA`: byte order.
    pub order: u8,
    /// `e_machine`.
    pub machine: u16,
}

/// The loader's view of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {
    /// Class, byte order, machine.
    pub abi: Abi,
    /// `PT_INTERP`.
    pub interpreter: Option<Vec<u8>>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<Vec<u8>>,
    /// `DT_SONAME`.
    pub soname: Option<Vec<u8>>,
    /// `DT_RPATH`, which counts only without a `DT_RUNPATH`.
    pub rpath: Option<Vec<u8>>,
    /// `DT_RUNPATH`.
    pub runpath: Option<Vec<u8>>,
    /// `DT_VERNEED`: libraries and the versions of symbols asked of them.
    pub versions_needed: Vec<(Vec<u8>, Vec<u8>)>,
    /// `DT_VERDEF`: versions of symbols that the file defines; empty too where they could not be read.
    pub versions_defined: Vec<Vec<u8>>,
    /// Whether it names the function `dlopen`.
    pub opens_by_name: bool,
    /// Texts of notes about libraries that are opened by name.
    pub notes: Vec<Vec<u8>>,
}

impl Elf {
    /// About how many bytes it takes.
    fn room(&self) -> usize {
        let lists = [&self.needed, &self.versions_defined, &self.notes];
        let pairs = self.versions_needed.iter().flat_map(|(a, b)| [a, b]);
        let paths = [&self.interpreter, &self.soname, &self.rpath, &self.runpath];
        let strings = lists.into_iter().flatten().chain(pairs);
        let strings = strings.chain(paths.into_iter().flatten());
        size_of::<Self>() + strings.map(|text| 40 + text.len()).sum::<usize>()
    }
}

/// Most bytes of what all ELF files say, some ten times those of a big guest.
const MAX_ROOM: usize = 256 << 20;

/// Every ELF file's loader view, in tree order so that every run yields the same.
pub type Elves = BTreeMap<FileId, Elf>;

/// Reads every ELF file; one that cannot be read is a warning.
pub fn read_all(
    tree: &FileTree,
    heads: &[Head],
    source: &mut dyn Source,
    job: &Job,
) -> Result<(Elves, Warnings), Cancelled> {
    let files: Vec<FileId> = tree
        .ids()
        .filter(|&file| heads[file.index()] == Head::Elf)
        .filter(|file| {
            tree.names(*file)
                .iter()
                .take(MAX_NAMES)
                .any(|name| name == file)
        })
        .collect();
    let (mut elves, mut warnings) = (Elves::new(), Warnings::default());
    let mut room = MAX_ROOM;
    for (done, &file) in files.iter().enumerate() {
        job.check()?;
        if done % 64 == 0 {
            let total = Some(files.len() as u64);
            job.items("reading programs and libraries", done as u64, total);
        }
        if room == 0 {
            let text = "the headers of programs say more than those of any system: the others were not read";
            warnings.push(Warning::new(b"", text));
            break;
        }
        match read(&mut |offset, len| source.read(tree, file, offset, len)) {
            Ok(elf) => {
                room = room.saturating_sub(elf.room());
                elves.insert(file, elf);
            }
            Err(message) => warnings.push(Warning::new(&tree.path(file), message)),
        }
    }
    Ok((elves, warnings))
}

/// Gives bytes of the file: offset and length; fewer at its end.
pub type Fetch<'a> = &'a mut dyn FnMut(u64, usize) -> Vec<u8>;

/// Most program headers that are looked at.
const MAX_HEADERS: usize = 512;
/// Longest name or search path.
const MAX_STRING: usize = 8192;
/// Most names of one file that are looked at.
const MAX_NAMES: usize = 16;
/// Longest segment of notes, and most bytes of notes of one file but for the last segment.
const MAX_NOTES: usize = 1 << 16;

/// Reads a file; the error is one phrase.
pub fn read(fetch: Fetch<'_>) -> Result<Elf, &'static str> {
    let head = fetch(0, 1024);
    let view = View::new(&head)?;
    let segments = view.segments(&head, fetch)?;
    let interpreter = segments
        .iter()
        .find(|segment| segment.kind == elf::PT_INTERP.0)
        .map(|segment| until_nul(&fetch(segment.offset, clamp(segment.size, MAX_STRING))));
    let mut found = Elf {
        abi: view.abi,
        interpreter,
        needed: Vec::new(),
        soname: None,
        rpath: None,
        runpath: None,
        versions_needed: Vec::new(),
        versions_defined: Vec::new(),
        opens_by_name: false,
        notes: Vec::new(),
    };
    for segment in segments
        .iter()
        .filter(|segment| segment.kind == elf::PT_NOTE.0)
    {
        let len = clamp(segment.size, MAX_NOTES);
        let bytes = inside(&head, segment.offset, len)
            .map_or_else(|| fetch(segment.offset, len), <[u8]>::to_vec);
        if found.notes.iter().map(Vec::len).sum::<usize>() < MAX_NOTES {
            found.notes.extend(note::dlopen(&view, &bytes));
        }
    }
    let dynamic = segments
        .iter()
        .find(|segment| segment.kind == elf::PT_DYNAMIC.0);
    if let Some(dynamic) = dynamic {
        dynamic::read(&view, &segments, dynamic, fetch, &mut found)?;
    }
    Ok(found)
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

/// Byte order and word size.
struct View {
    abi: Abi,
    is_wide: bool,
    is_big: bool,
}

impl View {
    fn new(head: &[u8]) -> Result<Self, &'static str> {
        if head.len() < 52 || !head.starts_with(b"\x7fELF") {
            return Err("a truncated ELF header");
        }
        let (class, order) = (head[4], head[5]);
        let mut view = Self {
            abi: Abi {
                class,
                order,
                machine: 0,
            },
            is_wide: class == elf::ELFCLASS64.0,
            is_big: order == elf::ELFDATA2MSB.0,
        };
        let is_known = (view.is_wide || class == elf::ELFCLASS32.0)
            && (view.is_big || order == elf::ELFDATA2LSB.0);
        if !is_known {
            return Err("an ELF file of unknown class or byte order");
        }
        view.abi.machine = view.number(head, 18, 2) as u16;
        Ok(view)
    }

    /// A number of 1 to 8 bytes; what lies outside counts as zero.
    fn number(&self, bytes: &[u8], at: usize, len: usize) -> u64 {
        let part = bytes.get(at..at.saturating_add(len)).unwrap_or_default();
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.is_big {
            part.iter().fold(0, add)
        } else {
            part.iter().rev().fold(0, add)
        }
    }

    /// A word of the file's class.
    fn word(&self, bytes: &[u8], at: usize) -> u64 {
        self.number(bytes, at, if self.is_wide { 8 } else { 4 })
    }

    fn segments(&self, head: &[u8], fetch: Fetch<'_>) -> Result<Vec<Segment>, &'static str> {
        let (table, sizes) = if self.is_wide { (32, 54) } else { (28, 42) };
        let offset = self.word(head, table);
        let size = self.number(head, sizes, 2) as usize;
        let count = self.number(head, sizes + 2, 2) as usize;
        if count == 0 {
            return Ok(Vec::new());
        }
        if size < if self.is_wide { 56 } else { 32 } || count > MAX_HEADERS {
            return Err("ELF program headers of impossible size");
        }
        let len = size * count;
        let bytes = inside(head, offset, len).map_or_else(|| fetch(offset, len), <[u8]>::to_vec);
        if bytes.len() < len {
            return Err("ELF program headers outside the file");
        }
        Ok(bytes
            .chunks_exact(size)
            .map(|row| self.segment(row))
            .collect())
    }

    fn segment(&self, row: &[u8]) -> Segment {
        let places = if self.is_wide {
            [8, 16, 32]
        } else {
            [4, 8, 16]
        };
        Segment {
            kind: self.number(row, 0, 4) as u32,
            offset: self.word(row, places[0]),
            address: self.word(row, places[1]),
            size: self.word(row, places[2]),
        }
    }
}

/// The part of the file's first bytes at an offset, where it lies in them.
fn inside(head: &[u8], offset: u64, len: usize) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    head.get(start..start.checked_add(len)?)
}

fn clamp(size: u64, most: usize) -> usize {
    usize::try_from(size).map_or(most, |size| size.min(most))
}

fn until_nul(bytes: &[u8]) -> Vec<u8> {
    let end = bytes
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(bytes.len());
    bytes[..end].to_vec()
}

#[cfg(test)]
mod tests;
