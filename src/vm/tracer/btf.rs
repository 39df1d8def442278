//! Finds the offset of a member of a kernel structure in the running kernel's own type information.
//!
//! The format is that of the kernel's `Documentation/bpf/btf.rst`.

/// The type information of one kernel.
pub struct Btf {
    types: Vec<u8>,
    strings: Vec<u8>,
}

const STRUCT: u32 = 4;

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

impl Btf {
    /// Takes `/sys/kernel/btf/vmlinux` apart.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.get(..2)? != [0x9F, 0xEB] {
            return None;
        }
        let header = u32_at(bytes, 4)? as usize;
        let part = |field: usize| {
            let start = header.checked_add(u32_at(bytes, field)? as usize)?;
            bytes.get(start..start.checked_add(u32_at(bytes, field + 4)? as usize)?)
        };
        Some(Self {
            types: part(8)?.to_vec(),
            strings: part(16)?.to_vec(),
        })
    }

    fn name(&self, at: u32) -> Option<&[u8]> {
        self.strings
            .get(at as usize..)?
            .split(|&byte| byte == 0)
            .next()
    }

    /// The byte offset of `member` in `structure`.
    pub fn offset(&self, structure: &str, member: &str) -> Option<u32> {
        let mut at = 0;
        loop {
            let name = u32_at(&self.types, at)?;
            let info = u32_at(&self.types, at + 4)?;
            let (kind, count) = ((info >> 24) & 0x1F, (info & 0xFFFF) as usize);
            let rest = at + 12;
            if kind == STRUCT && self.name(name)? == structure.as_bytes() {
                return self.member(rest, count, info >> 31 == 1, member);
            }
            at = rest + trailing(kind, count);
        }
    }

    fn member(
        &self,
        start: usize,
        count: usize,
        has_bit_fields: bool,
        member: &str,
    ) -> Option<u32> {
        (0..count).find_map(|index| {
            let at = start + index * 12;
            let bits = u32_at(&self.types, at + 8)?;
            let bits = if has_bit_fields {
                bits & 0x00FF_FFFF
            } else {
                bits
            };
            (self.name(u32_at(&self.types, at)?)? == member.as_bytes()).then_some(bits / 8)
        })
    }
}

/// Bytes that follow a type's three words, by its kind.
fn trailing(kind: u32, count: usize) -> usize {
    match kind {
        1 | 14 | 17 => 4,
        3 => 12,
        4 | 5 | 15 | 19 => count * 12,
        6 | 13 => count * 8,
        _ => 0,
    }
}
