//! Places where an ext2/3/4 file system may still hold contents of removed files although every free block is cleared, judged by
//! its superblock and mount options. Layout of the superblock: the kernel's `ext4.h`.

use super::ext::SUPERBLOCK;

/// The option that sends contents through the journal, in fstab(5) and on the kernel's command line.
const OPTION: &[u8] = b"data=journal";
/// The default mount options, of which these two bits say how data are journalled, and that value is this option.
const DEFAULTS: usize = 256;
const DATA_MODE: u8 = 0x60;
const JOURNALLED: u8 = 0x20;
/// Mount options as text (`s_mount_opts`).
const TEXT: std::ops::Range<usize> = 512..576;
/// The second byte of the incompatible features, and the bit of it that puts small files into inodes.
const FEATURES: usize = 97;
const INLINE: u8 = 0x80;

/// One phrase about each place that may hold contents; `options` is all that says how it is mounted.
pub(in crate::export) fn leftovers(raw: &[u8], options: &[u8]) -> Vec<&'static str> {
    if raw.len() < SUPERBLOCK {
        return Vec::new();
    }
    let mut found = Vec::new();
    if raw[DEFAULTS] & DATA_MODE == JOURNALLED || has_option(&raw[TEXT]) || has_option(options) {
        found.push(
            "journals contents (data=journal): its journal may hold pieces of files that went",
        );
    }
    if raw[FEATURES] & INLINE != 0 {
        found.push("keeps small files in inodes (inline_data), which may hold those that went");
    }
    found
}

fn has_option(text: &[u8]) -> bool {
    text.windows(OPTION.len()).any(|word| word == OPTION)
}

/// The lines of an fstab that are about this mount point.
pub(in crate::export) fn lines_about(fstab: &[u8], at: &[u8]) -> Vec<u8> {
    let is_meant = |line: &&[u8]| {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        words.next().is_some_and(|word| word[0] != b'#') && words.next() == Some(at)
    };
    let lines = fstab.split(|&byte| byte == b'\n').filter(is_meant);
    lines.collect::<Vec<_>>().join(&b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::tools;

    /// The superblock that the real programs make.
    fn superblock(features: &str, tuned: &[&str]) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.as_file().set_len(64 << 20).expect("it can be sparse");
        let run = |program: &str, options: &[&str]| {
            let output = tools::program(program)
                .args(options)
                .arg(file.path())
                .output();
            assert!(output.expect("e2fsprogs is installed").status.success());
        };
        run("mke2fs", &["-q", "-F", "-t", "ext4", "-O", features]);
        if !tuned.is_empty() {
            run("tune2fs", tuned);
        }
        let mut raw = vec![0; SUPERBLOCK];
        std::os::unix::fs::FileExt::read_exact_at(file.as_file(), &mut raw, 1024).expect("read");
        raw
    }

    #[test]
    fn what_may_hold_contents_is_told() {
        let usual = superblock("^inline_data", &[]);
        assert_eq!(
            leftovers(&usual, b"errors=remount-ro,data=ordered"),
            [""; 0]
        );
        let journals = |raw: &[u8], options: &[u8]| {
            let found = leftovers(raw, options);
            found.len() == 1 && found[0].starts_with("journals contents")
        };
        assert!(journals(
            &usual,
            b"root=/dev/vda1 ro rootflags=data=journal"
        ));
        let default = superblock("^inline_data", &["-o", "journal_data"]);
        assert!(journals(&default, b""));
        let text = superblock("^inline_data", &["-E", "mount_opts=data=journal"]);
        assert!(journals(&text, b""));
        let ordered = superblock("^inline_data", &["-o", "journal_data_writeback"]);
        assert_eq!(leftovers(&ordered, b""), [""; 0]);
        let inline = leftovers(&superblock("inline_data", &[]), b"");
        assert!(inline.len() == 1 && inline[0].contains("inline_data"));
        assert_eq!(leftovers(&[], b"data=journal"), [""; 0]);
    }

    #[test]
    fn only_the_lines_about_a_mount_point_count() {
        let fstab =
            b"# /dev/a / ext4 x\n/dev/b\t/  ext4 data=journal 0 1\n/dev/c /home ext4 defaults\n";
        assert_eq!(
            lines_about(fstab, b"/"),
            b"/dev/b\t/  ext4 data=journal 0 1"
        );
        assert_eq!(lines_about(fstab, b"/home"), b"/dev/c /home ext4 defaults");
        assert_eq!(lines_about(fstab, b"/srv"), b"");
    }
}
