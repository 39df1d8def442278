//! What the type bits of `st_mode` and `i_mode` say (inode(7)).

use crate::model::FileKind;

/// The kind of file; `None` for bits that mean nothing.
pub(super) fn kind_of(mode: u32) -> Option<FileKind> {
    Some(match mode & 0o170_000 {
        0o040_000 => FileKind::Directory,
        0o100_000 => FileKind::Regular,
        0o120_000 => FileKind::Symlink,
        0o020_000 => FileKind::CharDevice,
        0o060_000 => FileKind::BlockDevice,
        0o010_000 => FileKind::Fifo,
        0o140_000 => FileKind::Socket,
        _ => return None,
    })
}
