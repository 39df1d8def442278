//! The archive appended to a guest's initramfs: the kernel unpacks all archives in turn.
//!
//! The format is `newc` of cpio, as in the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`.

use super::VmError;
use super::wire::Orders;

/// The program, built for this host; empty when the build found no static C library.
static TRACER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/tracer"));

/// The kernel argument that makes the tracer the first program.
pub const FIRST_PROGRAM: &str = "rdinit=/.guestslim/tracer";

/// The guest's initramfs with tracer and orders behind it.
pub fn with_tracer(mut initramfs: Vec<u8>, orders: &Orders) -> Result<Vec<u8>, VmError> {
    if TRACER.is_empty() {
        return Err(VmError::Unsupported {
            what: "this program was built without its tracer: there was no static C library"
                .to_owned(),
            hint: "apt-get install libc6-dev (Fedora: dnf install glibc-static), then build again"
                .to_owned(),
        });
    }
    pad(&mut initramfs);
    let mut number = 0x6700_0000;
    let mut put = |name: &str, mode: u32, contents: &[u8]| {
        number += 1;
        add(&mut initramfs, number, name, mode, contents);
    };
    put(".guestslim", 0o040_700, b"");
    put(".guestslim/tracer", 0o100_700, TRACER);
    put(".guestslim/orders", 0o100_600, &orders.encode());
    put("TRAILER!!!", 0, b"");
    Ok(initramfs)
}

fn add(archive: &mut Vec<u8>, inode: u32, name: &str, mode: u32, contents: &[u8]) {
    let (size, name_size) = (contents.len() as u32, name.len() as u32 + 1);
    let fields = [inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
    archive.extend_from_slice(b"070701");
    for field in fields {
        archive.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    archive.extend_from_slice(name.as_bytes());
    archive.push(0);
    pad(archive);
    archive.extend_from_slice(contents);
    pad(archive);
}

fn pad(archive: &mut Vec<u8>) {
    archive.resize(archive.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_follows_the_guests_own_at_a_multiple_of_four() {
        let archive = with_tracer(vec![1, 2, 3], &Orders::default()).unwrap();
        assert_eq!(&archive[..10], b"\x01\x02\x03\x00070701");
        assert_eq!(archive.len() % 4, 0);
        let names = [
            &b".guestslim/tracer\0"[..],
            b".guestslim/orders\0",
            b"TRAILER!!!\0",
        ];
        for name in names {
            assert!(archive.windows(name.len()).any(|part| part == name));
        }
    }
}
