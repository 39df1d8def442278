//! The C library's answers as plain values.

/// What a call answers when it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The system's error number inside the appliance; 0 when unknown.
    pub errno: i32,
    /// The library's own words, as bytes.
    pub text: Vec<u8>,
}

/// What `lstat` says about one name; `None` in a list for a name that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stat {
    /// The file system's device number.
    pub device: u64,
    /// The inode's number.
    pub inode: u64,
    /// Type and permissions.
    pub mode: u32,
    /// How many names the inode has.
    pub links: u64,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Room on disk in units of 512 bytes.
    pub blocks: u64,
    /// Seconds since 1970 of the last change of the contents.
    pub modified: i64,
}
