//! What the loader reads of an ELF file: header, program headers, dynamic section, and the strings that it names.
//!
//! Never the whole file, never the section table: a stripped or half-damaged file reads as far as the loader itself would
//! get. Every count and length is bounded. Constants are those of the `object` crate.

use object::elf;

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
}

/// Gives bytes of the file: offset and length; fewer at its end.
pub type Fetch<'a> = &'a mut dyn FnMut(u64, usize) -> Vec<u8>;

/// Most program headers that are looked at.
const MAX_HEADERS: usize = 512;
/// Most entries of a dynamic section that are looked at.
const MAX_DYNAMIC: usize = 16_384;
/// Most libraries that a file may need.
const MAX_NAMES: usize = 2048;
/// Longest name or search path.
const MAX_STRING: usize = 8192;
/// Strings this close together are read at once.
const SPAN: u64 = 1 << 16;

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
    };
    let dynamic = segments
        .iter()
        .find(|segment| segment.kind == elf::PT_DYNAMIC.0);
    if let Some(dynamic) = dynamic {
        read_dynamic(&view, &segments, dynamic, fetch, &mut found)?;
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
        let inside = usize::try_from(offset)
            .ok()
            .and_then(|offset| head.get(offset..offset.checked_add(len)?));
        let bytes = inside.map_or_else(|| fetch(offset, len), <[u8]>::to_vec);
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

fn read_dynamic(
    view: &View,
    segments: &[Segment],
    dynamic: &Segment,
    fetch: Fetch<'_>,
    found: &mut Elf,
) -> Result<(), &'static str> {
    let width = if view.is_wide { 8 } else { 4 };
    let bytes = fetch(dynamic.offset, clamp(dynamic.size, MAX_DYNAMIC * width * 2));
    let mut entries = Vec::new();
    for row in bytes.chunks_exact(width * 2) {
        let (tag, value) = (view.word(row, 0).cast_signed(), view.word(row, width));
        if tag == elf::DT_NULL.0 {
            break;
        }
        entries.push((tag, value));
    }
    let table = entries
        .iter()
        .find(|(tag, _)| *tag == elf::DT_STRTAB.0)
        .map(|&(_, address)| address);
    let names = [
        elf::DT_NEEDED.0,
        elf::DT_SONAME.0,
        elf::DT_RPATH.0,
        elf::DT_RUNPATH.0,
    ];
    entries.retain(|(tag, _)| names.contains(tag));
    if entries.is_empty() {
        return Ok(());
    }
    if entries.len() > MAX_NAMES {
        return Err("an ELF file that needs more libraries than any honest one");
    }
    let table = table
        .and_then(|address| file_offset(segments, address))
        .ok_or("an ELF string table outside the file")?;
    let offsets: Vec<u64> = entries
        .iter()
        .map(|&(_, value)| table.saturating_add(value))
        .collect();
    let strings = strings(&offsets, fetch).ok_or("an ELF string outside the file")?;
    for (&(tag, _), string) in entries.iter().zip(strings) {
        match tag {
            tag if tag == elf::DT_NEEDED.0 => found.needed.push(string),
            tag if tag == elf::DT_SONAME.0 => found.soname = Some(string),
            tag if tag == elf::DT_RPATH.0 => found.rpath = Some(string),
            _ => found.runpath = Some(string),
        }
    }
    Ok(())
}

fn file_offset(segments: &[Segment], address: u64) -> Option<u64> {
    segments
        .iter()
        .filter(|segment| segment.kind == elf::PT_LOAD.0)
        .find_map(|segment| {
            let within = address.checked_sub(segment.address)?;
            (within < segment.size).then(|| segment.offset.saturating_add(within))
        })
}

/// The strings at these offsets, in as few reads as is sensible; `None` when one is outside the file or has no end.
fn strings(offsets: &[u64], fetch: Fetch<'_>) -> Option<Vec<Vec<u8>>> {
    let mut order: Vec<usize> = (0..offsets.len()).collect();
    order.sort_by_key(|&at| offsets[at]);
    let mut found = vec![Vec::new(); offsets.len()];
    let mut window = (0u64, Vec::new());
    for (rank, &at) in order.iter().enumerate() {
        let offset = offsets[at];
        if string_in(&window, offset).is_none() {
            let last = order[rank..]
                .iter()
                .map(|&other| offsets[other] - offset)
                .take_while(|&ahead| ahead < SPAN)
                .last()
                .unwrap_or(0);
            window = (offset, fetch(offset, last as usize + 512));
            if string_in(&window, offset).is_none() {
                window = (offset, fetch(offset, MAX_STRING + 1));
            }
        }
        found[at] = string_in(&window, offset)?;
    }
    Some(found)
}

/// The string at `offset` of the file, when it lies in the window and ends there.
fn string_in((start, bytes): &(u64, Vec<u8>), offset: u64) -> Option<Vec<u8>> {
    let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
    let rest = bytes.get(from..)?;
    let end = rest.iter().position(|&byte| byte == 0)?;
    (end <= MAX_STRING).then(|| rest[..end].to_vec())
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
