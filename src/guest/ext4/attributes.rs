//! Extended attributes: in what an inode has left of its own room, and in one block that inodes may share.
//!
//! The format is that of "Extended Attributes" in the kernel's Documentation/filesystems/ext4: entries grow from the start,
//! values lie anywhere behind them, and a number stands for the beginning of a name.

use super::{Ext, Unread, checksum, le16, le32};
use crate::guest::Attributes;
use crate::guest::blocks::Blocks;

const MAGIC: u32 = 0xea02_0000;

/// What the numbers stand for.
const PREFIXES: [(u8, &[u8]); 8] = [
    (0, b""),
    (1, b"user."),
    (2, b"system.posix_acl_access"),
    (3, b"system.posix_acl_default"),
    (4, b"trusted."),
    (6, b"security."),
    (7, b"system."),
    (8, b"system.richacl"),
];

impl Ext {
    /// All extended attributes of an inode by number.
    pub fn attributes(&self, part: &mut dyn Blocks, number: u32) -> Result<Attributes, Unread> {
        let start = self.inode_start(number)?;
        let mut inode = vec![0; self.superblock.inode_size as usize];
        part.read_at(start, &mut inode)?;
        let mut found = Attributes::new();
        if let Some(rest) = own_room(&inode) {
            read_entries(rest, 0, &mut found)?;
        }
        let block = u64::from(le16(&inode, 118)) << 32 | u64::from(le32(&inode, 104));
        if block != 0 {
            let shared = self.block(part, block)?;
            if le32(&shared, 0) != MAGIC {
                return Err(Unread::broken("a block of attributes is damaged"));
            }
            let holds = |seed| checksum::attributes_hold(seed, block, &shared);
            if !self.superblock.seed.is_none_or(holds) {
                return Err(Unread::broken("a block of attributes has a wrong checksum"));
            }
            read_entries(&shared, 32, &mut found)?;
        }
        Ok(found)
    }
}

/// What lies behind the inode's fields and the magic number, where there is one.
fn own_room(inode: &[u8]) -> Option<&[u8]> {
    let extra = (inode.len() >= 132).then(|| usize::from(le16(inode, 128)))?;
    let rest = inode.get(128 + extra..)?;
    (rest.len() >= 4 && le32(rest, 0) == MAGIC).then(|| &rest[4..])
}

/// Reads entries from `at` on up to the four zero bytes, or to the end; offsets of values count from the start of `room`.
fn read_entries(room: &[u8], mut at: usize, found: &mut Attributes) -> Result<(), Unread> {
    const FIXED: usize = 16;
    let broken = || Unread::broken("a list of attributes is damaged");
    while at + 4 <= room.len() && le32(room, at) != 0 {
        let entry = room.get(at..at + FIXED).ok_or_else(broken)?;
        let (name_len, index) = (usize::from(entry[0]), entry[1]);
        if le32(entry, 4) != 0 {
            return Err(Unread::Unsupported(
                "an attribute in an inode of its own".to_owned(),
            ));
        }
        let name = room.get(at + FIXED..at + FIXED + name_len);
        let name = name.ok_or_else(broken)?;
        let prefix = PREFIXES.iter().find(|(number, _)| *number == index);
        let Some((_, prefix)) = prefix else {
            return Err(Unread::Unsupported(
                "an attribute of an unknown kind".to_owned(),
            ));
        };
        let (offset, size) = (usize::from(le16(entry, 2)), le32(entry, 8) as usize);
        let value = if size == 0 {
            Some(&[][..])
        } else {
            offset
                .checked_add(size)
                .and_then(|end| room.get(offset..end))
        };
        let value = value.ok_or_else(broken)?;
        found.insert([*prefix, name].concat(), value.to_vec());
        at += (FIXED + name_len).next_multiple_of(4);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One entry: length of the name, number, offset of the value, its size.
    fn entry(name: &[u8], index: u8, offset: u16, size: u32) -> Vec<u8> {
        let mut bytes = vec![name.len() as u8, index];
        bytes.extend(offset.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(size.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(name);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn read(room: &[u8]) -> Result<Attributes, Unread> {
        let mut found = Attributes::new();
        read_entries(room, 0, &mut found).map(|()| found)
    }

    #[test]
    fn names_get_their_beginning_and_values_are_found_by_offset() {
        let mut room = entry(b"capability", 6, 60, 3);
        room.extend(entry(b"", 2, 56, 2));
        room.resize(56, 0);
        room.extend(b"ac..cap");
        let expected: Attributes = [
            (b"security.capability".to_vec(), b"cap".to_vec()),
            (b"system.posix_acl_access".to_vec(), b"ac".to_vec()),
        ]
        .into();
        assert_eq!(read(&room).unwrap(), expected);
    }

    #[test]
    fn what_leads_out_of_the_room_is_damaged() {
        for room in [
            entry(b"a", 1, 60, 3),
            entry(b"a", 1, 0, u32::MAX),
            vec![200, 1, 0, 0, 0],
        ] {
            assert!(matches!(read(&room), Err(Unread::Broken(_))), "{room:?}");
        }
    }

    proptest! {
        #[test]
        fn any_room_is_survived(room in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&room);
        }
    }
}
