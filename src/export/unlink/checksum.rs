//! The checksums of `metadata_csum`: CRC-32C, without the inversion at the end that other formats have.

/// Goes on with a checksum over more bytes.
pub(super) fn crc(sum: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!sum, bytes)
}

/// Where checksums of a file's own records start: its number and generation.
pub(super) fn of_inode(seed: u32, number: u32, generation: u32) -> u32 {
    crc(crc(seed, &number.to_le_bytes()), &generation.to_le_bytes())
}

/// The lower half of a sum.
pub(super) fn low(sum: u32) -> [u8; 2] {
    (sum as u16).to_le_bytes()
}

/// The upper half of a sum.
pub(super) fn high(sum: u32) -> [u8; 2] {
    ((sum >> 16) as u16).to_le_bytes()
}
