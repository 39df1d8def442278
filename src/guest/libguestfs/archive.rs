//! All files of a mounted guest as one tar archive, written by the appliance's own tar onto a second drive.
//!
//! The library's own call for this has no order and writes times of the moment and process numbers into the archive.

use super::{Appliance, appliance_error, launch, one_line};
use crate::guest::GuestError;

const OPERATION: &str = "pack the files";

impl Appliance {
    /// Writes the archive onto the drive at position `drive`; returns its length in bytes. Names are in order, numbers
    /// stand for owners, extended attributes, ACLs and labels are in it; no time of a file is later than `newest`, in
    /// seconds since 1970. Holes become zeros, sockets are left out.
    pub fn archive(&self, drive: u8, newest: i64) -> Result<u64, GuestError> {
        let said = self.shell(command(&launch::device(drive), newest).as_bytes())?;
        verdict(&said).map_err(|why| appliance_error(OPERATION, why.as_bytes()))
    }
}

fn command(device: &str, newest: i64) -> String {
    format!(
        "{{ tar --create --format=posix --sort=name --numeric-owner --xattrs --acls --selinux \
         --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \
         --mtime=@{newest} --clamp-mtime --directory=/sysroot . 2>/tmp/said; echo $? >/tmp/code; }} | \
         LC_ALL=C dd of={device} bs=1M iflag=fullblock conv=fsync,nocreat,notrunc 2>/tmp/copied; \
         copied=$?; tail -c 2000 /tmp/said; echo; cat /tmp/copied; \
         echo \"$(cat /tmp/code) $copied\""
    )
}

/// The bytes that were copied, where tar and dd ended well, which the last line tells; else what was said.
fn verdict(said: &[u8]) -> Result<u64, String> {
    let text = String::from_utf8_lossy(said);
    let code = text.trim_end().lines().next_back();
    let bytes = text.lines().rev().find_map(|line| {
        let (count, rest) = line.split_once(' ')?;
        rest.starts_with("bytes").then(|| count.parse().ok())?
    });
    match (code, bytes) {
        (Some("0 0"), Some(bytes)) => Ok(bytes),
        _ => Err(one_line(said)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_what_was_copied_when_both_programs_ended_well() {
        let copied = "\n3+1 records in\n3+1 records out\n3246080 bytes (3.2 MB, 3.1 MiB) copied, 1 s, 3 MB/s\n";
        assert_eq!(verdict(format!("{copied}0 0\n").as_bytes()), Ok(3_246_080));
        assert!(verdict(format!("tar: no room{copied}2 0\n").as_bytes()).is_err());
        assert!(verdict(format!("\ndd: error writing{copied}0 1\n").as_bytes()).is_err());
        assert!(verdict(b"\ndd: no such device\n0 1\n").is_err());
    }
}
