//! `/etc/ld.so.cache`, which ldconfig writes: where each library's name was found.
//!
//! It also knows folders that were given to ldconfig by hand and stand in no configuration. The format is that of glibc's
//! `dl-cache.h`, new style, alone or behind the old one; little-endian, as on every machine that Debian has cloud images for.

use std::collections::HashMap;

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
const HEADER: usize = 48;
const ENTRY: usize = 24;
/// Most entries that are looked at.
const MAX_ENTRIES: usize = 200_000;

/// Most bytes of names and paths: entries may share their text.
const MAX_BYTES: usize = 16 << 20;

/// Paths by names, in the cache's order.
pub fn parse(bytes: &[u8]) -> HashMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut found: HashMap<Vec<u8>, Vec<Vec<u8>>> = HashMap::new();
    let Some(start) = bytes
        .windows(MAGIC.len())
        .position(|window| window == MAGIC)
    else {
        return found;
    };
    let bytes = &bytes[start..];
    let count = (number(bytes, MAGIC.len()) as usize).min(MAX_ENTRIES);
    let mut left = MAX_BYTES;
    let entries = bytes.get(HEADER..).unwrap_or_default();
    for entry in entries.chunks_exact(ENTRY).take(count) {
        let text = |at| until_nul(bytes, number(entry, at) as usize);
        if let (Some(name), Some(path)) = (text(4), text(8))
            && path.first() == Some(&b'/')
        {
            let Some(rest) = left.checked_sub(name.len() + path.len()) else {
                break;
            };
            left = rest;
            found.entry(name.to_vec()).or_default().push(path.to_vec());
        }
    }
    found
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let part = bytes.get(at..at + 4).and_then(|part| part.try_into().ok());
    u32::from_le_bytes(part.unwrap_or_default())
}

fn until_nul(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    let end = rest.iter().take(4096).position(|&byte| byte == 0)?;
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(u32, u32)], strings: &[u8]) -> Vec<u8> {
        let mut bytes = b"ld.so-1.7.0\0\0\0\0\0".to_vec();
        bytes.extend(MAGIC);
        bytes.extend((entries.len() as u32).to_le_bytes());
        bytes.resize(16 + HEADER, 0);
        for (name, path) in entries {
            bytes.extend([0; 4]);
            bytes.extend(name.to_le_bytes());
            bytes.extend(path.to_le_bytes());
            bytes.extend([0; 12]);
        }
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn names_lead_to_paths_and_nothing_leads_outside() {
        let at = (HEADER + 3 * ENTRY) as u32;
        let entries = [(at, at + 4), (at, u32::MAX), (at + 4, at)];
        let bytes = cache(&entries, b"a.1\0/x/a.1\0");
        let found = parse(&bytes);
        assert_eq!(found[&b"a.1"[..]], [b"/x/a.1".to_vec()]);
        assert_eq!(found.len(), 1);
        for end in 0..bytes.len() {
            parse(&bytes[..end]);
        }
    }
}
