//! Checks that bytes are an initramfs: `newc` cpio archives one after another, plain or compressed, one of which has `/init`.
//!
//! The format is the kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`.

use crate::job::Job;
use std::io::{self, BufReader, Read, Write as _};

/// No archive may be longer once it is unpacked.
const LONGEST: u64 = 2 << 30;
const ZSTD: &[u8] = b"\x28\xB5\x2F\xFD";
const GZIP: &[u8] = b"\x1F\x8B";
const LAST: &[u8] = b"TRAILER!!!";

/// Where the archive with the first program begins; one phrase when there is none.
pub fn main(bytes: &[u8]) -> Result<usize, String> {
    let mut rest = bytes;
    loop {
        rest = &rest[rest.iter().take_while(|&&byte| byte == 0).count()..];
        if rest.is_empty() {
            return Err("it has no /init".to_owned());
        }
        let start = bytes.len() - rest.len();
        let found = if rest.starts_with(b"07070") {
            has_init(&mut rest)
        } else if rest.starts_with(ZSTD) {
            zstd::Decoder::new(std::mem::take(&mut rest))
                .and_then(|inner| has_init(&mut bounded(inner)))
        } else if rest.starts_with(GZIP) {
            has_init(&mut bounded(flate2::read::MultiGzDecoder::new(
                std::mem::take(&mut rest),
            )))
        } else {
            return Err("its compression is unknown".to_owned());
        };
        if found.map_err(|error| format!("its archive is damaged: {error}"))? {
            return Ok(start);
        }
    }
}

/// The same initramfs with its main archive, the last, which begins at `start`, packed as tightly as zstd can; as it is where
/// another program packed it.
///
/// # Errors
/// When the archive cannot be unpacked, is longer than any may be, or the job is cancelled.
pub fn tighten(bytes: &[u8], start: usize, job: &Job) -> io::Result<Vec<u8>> {
    const LEVEL: i32 = 19;
    let (early, packed) = bytes.split_at(start);
    if !packed.starts_with(ZSTD) {
        return Ok(bytes.to_vec());
    }
    let mut archive = zstd::Decoder::new(packed)?.take(LONGEST);
    let mut anew = zstd::Encoder::new(early.to_vec(), LEVEL)?;
    anew.include_checksum(true)?;
    let mut piece = vec![0; 1 << 20];
    loop {
        job.check().map_err(io::Error::other)?;
        match archive.read(&mut piece)? {
            0 if archive.limit() == 0 => return Err(io::Error::other("it is too long")),
            0 => return anew.finish(),
            count => anew.write_all(&piece[..count])?,
        }
    }
}

fn bounded(inner: impl Read) -> impl Read {
    BufReader::new(inner.take(LONGEST))
}

/// Reads one archive to its end; whether it has a first program.
fn has_init(archive: &mut impl Read) -> io::Result<bool> {
    let mut is_there = false;
    loop {
        let mut header = [0; 110];
        archive.read_exact(&mut header)?;
        if !header.starts_with(b"07070") {
            return Err(io::Error::other("a header is invalid"));
        }
        let field = |at: usize| {
            let digits = std::str::from_utf8(&header[6 + 8 * at..14 + 8 * at]).ok();
            let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            value.ok_or_else(|| io::Error::other("a header has no numbers"))
        };
        let (size, name_size) = (u64::from(field(6)?), u64::from(field(11)?));
        if name_size > 4096 {
            return Err(io::Error::other("a name is too long"));
        }
        let mut name = Vec::new();
        archive.take(name_size).read_to_end(&mut name)?;
        skip(archive, padding(110 + name_size))?;
        let name = name.strip_suffix(b"\0").unwrap_or(&name);
        if name == LAST {
            return Ok(is_there);
        }
        is_there |= matches!(name, b"init" | b"./init" | b"/init") && size > 0;
        skip(archive, size + padding(size))?;
    }
}

/// Everything begins at a multiple of four.
fn padding(length: u64) -> u64 {
    length.next_multiple_of(4) - length
}

fn skip(from: &mut impl Read, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut from.take(count), &mut io::sink())?;
    if skipped == count {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Cancel;
    use proptest::prelude::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, text) in files.iter().chain(&[("TRAILER!!!", "")]) {
            let zeros = "0".repeat(8);
            let (size, name_size) = (text.len(), name.len() + 1);
            let fields = format!(
                "070701{}{size:08X}{}{name_size:08X}{zeros}",
                zeros.repeat(6),
                zeros.repeat(4)
            );
            for part in [fields.as_bytes(), name.as_bytes(), b"\0"] {
                out.extend_from_slice(part);
            }
            out.resize(out.len().next_multiple_of(4), 0);
            out.extend_from_slice(text.as_bytes());
            out.resize(out.len().next_multiple_of(4), 0);
        }
        out
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn the_first_program_is_found_in_any_archive_however_it_is_packed() {
        let main = archive(&[("bin/sh", "x"), ("init", "#!/bin/sh\n")]);
        let mut early = archive(&[("kernel/x86/microcode/a", "early")]);
        early.resize(1024, 0);
        assert_eq!(super::main(&main), Ok(0));
        assert_eq!(super::main(&gzip(&main)), Ok(0));
        let both = [&early[..], &zstd::encode_all(&main[..], 1).unwrap()].concat();
        assert_eq!(super::main(&both), Ok(1024));
        assert_eq!(super::main(&early), Err("it has no /init".to_owned()));
        assert_eq!(
            super::main(&gzip(&archive(&[("init", "")]))),
            Err("it has no /init".to_owned())
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        let packed = gzip(&archive(&[("bin/sh", "x"), ("init", "y")]));
        for bytes in [
            &b""[..],
            b"\0\0\0\0",
            b"\x7fELF",
            b"070701",
            &packed[..packed.len() / 2],
        ] {
            assert!(main(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_packed_anew_is_shorter_and_unpacks_to_the_same() {
        let job = Job::quiet();
        let anew = |bytes: &[u8], start| tighten(bytes, start, &job);
        let text: String = (0..20_000).map(|number| (number * 7).to_string()).collect();
        let main = archive(&[("init", &text)]);
        let early = archive(&[("kernel/x86/microcode/a", "early")]);
        let before = [&early[..], &zstd::encode_all(&main[..], 1).unwrap()].concat();
        let after = anew(&before, early.len()).unwrap();
        assert!(after.len() < before.len());
        let (first, packed) = after.split_at(early.len());
        assert_eq!(first, early);
        assert_eq!(zstd::decode_all(packed).unwrap(), main);
        assert_eq!(anew(&after, early.len()).unwrap(), after);
        assert_eq!(anew(&gzip(&main), 0).unwrap(), gzip(&main));
        assert!(anew(&before[..before.len() - 9], early.len()).is_err());
        let cancel = Cancel::default();
        cancel.cancel();
        let stopped = Job::quiet().with_cancel(cancel);
        assert!(tighten(&before, early.len(), &stopped).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600), start in 0..4usize) {
            let start: &[u8] = [&b"070701"[..], ZSTD, GZIP, b""][start];
            let _ = main(&[start, &bytes].concat());
        }
    }
}
