//! A guest's output on its serial console: bounded, searched for signs of life, escaped when shown.

use crate::model::text::escape;

const HEAD: usize = 64 * 1024;
const TAIL: usize = 192 * 1024;
const WINDOW: usize = 4096;

/// The console of one machine: its beginning, its end, and how much was left out between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Console {
    head: Vec<u8>,
    tail: Vec<u8>,
    total: u64,
}

/// A sign on the console about the boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Somebody can log in, or the init system says that it is done.
    Up(&'static str),
    /// It will not come up by itself.
    Stuck(&'static str),
    /// Nor will this one: no kernel was started.
    NoKernel(&'static str),
}

/// Texts that decide, with what they mean; the first one that occurs wins.
const SIGNS: &[(&[u8], Sign)] = &[
    (
        b"Kernel panic - not syncing",
        Sign::Stuck("the kernel panicked"),
    ),
    (
        b"Give root password for maintenance",
        Sign::Stuck("it stopped in emergency mode"),
    ),
    (
        b"Press Enter for maintenance",
        Sign::Stuck("it stopped in emergency mode"),
    ),
    (
        b"You are in emergency mode",
        Sign::Stuck("it stopped in emergency mode"),
    ),
    (b"(initramfs) ", Sign::Stuck("it stopped in the initramfs")),
    (b"dracut:/#", Sign::Stuck("it stopped in the initramfs")),
    (
        b"grub rescue>",
        Sign::NoKernel("the boot loader does not find its files"),
    ),
    (
        b"grub> ",
        Sign::NoKernel("the boot loader does not find its configuration"),
    ),
    (
        b"Failed to boot both default and fallback entries",
        Sign::NoKernel("the boot loader cannot start its default entry"),
    ),
    (
        b"No bootable device",
        Sign::NoKernel("the disk has no boot loader"),
    ),
    (
        b"not a bootable disk",
        Sign::NoKernel("the disk has no boot loader"),
    ),
    // UEFI's last resort.
    (
        b"UEFI Interactive Shell",
        Sign::NoKernel("the disk has no boot loader"),
    ),
    (
        b"Please enter passphrase",
        Sign::Stuck("it asks for a passphrase"),
    ),
    (
        b"Enter passphrase for",
        Sign::Stuck("it asks for a passphrase"),
    ),
    (b" login: ", Sign::Up("login prompt")),
    (
        b"Reached target Multi-User System",
        Sign::Up("multi-user target"),
    ),
    (
        b"Reached target Graphical Interface",
        Sign::Up("graphical target"),
    ),
    (
        b"Reached target multi-user.target",
        Sign::Up("multi-user target"),
    ),
    (
        b"Reached target graphical.target",
        Sign::Up("graphical target"),
    ),
];

impl Console {
    /// Adds what came; the answer is what the end of the console says now.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Sign> {
        self.total += bytes.len() as u64;
        let room = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        self.tail.extend_from_slice(bytes);
        let end = self.tail.len();
        let sign = find_sign(&self.tail[end.saturating_sub(bytes.len() + WINDOW)..]);
        if end > 2 * TAIL {
            self.tail.drain(..end - TAIL);
        }
        sign
    }

    /// All bytes that came, also those that were left out.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The last lines as safe text, without the codes that move a cursor.
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        let text = plain(&self.tail);
        let lines = text
            .split(|&byte| byte == b'\n')
            .map(<[u8]>::trim_ascii_end)
            .filter(|line| !line.is_empty());
        let mut last: Vec<String> = lines
            .rev()
            .take(count)
            .map(|line| escape(&line[..line.len().min(400)]).into_owned())
            .collect();
        last.reverse();
        last
    }

    /// The log as safe text: beginning, what was left out, end.
    pub fn log(&self) -> String {
        let (head, tail) = (self.head.len() as u64, self.tail.len() as u64);
        let mut text = Vec::new();
        if head + tail > self.total || head < HEAD as u64 {
            let overlap = (head + tail).saturating_sub(self.total) as usize;
            text.extend_from_slice(&self.head);
            text.extend_from_slice(&self.tail[overlap.min(self.tail.len())..]);
        } else {
            let left_out = self.total - head - tail;
            text.extend_from_slice(&self.head);
            text.extend_from_slice(format!("\n[{left_out} bytes left out]\n").as_bytes());
            text.extend_from_slice(&self.tail);
        }
        let lines = text.split(|&byte| byte == b'\n');
        lines
            .map(|line| escape(line.trim_ascii_end()).into_owned() + "\n")
            .collect()
    }
}

fn find_sign(text: &[u8]) -> Option<Sign> {
    let plain = plain(text);
    let occurs = |what: &[u8]| plain.windows(what.len()).any(|part| part == what);
    SIGNS
        .iter()
        .find(|(what, _)| occurs(what))
        .map(|&(_, sign)| sign)
}

/// Leaves out terminal control sequences (ECMA-48 CSI) and carriage returns.
fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == 0x1B && after.first() == Some(&b'[') {
            let end = after[1..]
                .iter()
                .position(|byte| (0x40..=0x7E).contains(byte));
            rest = end.map_or(&[][..], |end| &after[end + 2..]);
        } else if first != b'\r' {
            out.push(first);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_prompt_is_a_sign_of_life_however_it_is_cut_and_coloured() {
        let mut console = Console::default();
        assert_eq!(
            console.push(b"Debian GNU/Linux 12 guest ttyS0\r\n\r\nguest \x1b[1mlog"),
            None
        );
        assert_eq!(console.push(b"in: "), Some(Sign::Up("login prompt")));
    }

    #[test]
    fn an_emergency_shell_is_no_sign_of_life() {
        let mut console = Console::default();
        let sign = console.push(b"You are in emergency mode. After login: ");
        assert_eq!(sign, Some(Sign::Stuck("it stopped in emergency mode")));
    }

    #[test]
    fn a_boot_loader_that_finds_nothing_is_told_from_a_kernel_that_stops() {
        for (text, why) in [
            (
                &b"\x1b[0merror: file `/boot/grub/i386-pc/normal.mod' not found.\r\ngrub rescue> "
                    [..],
                "the boot loader does not find its files",
            ),
            (
                b"  Failed to boot both default and fallback entries.\r\n",
                "the boot loader cannot start its default entry",
            ),
            (b"No bootable device.\r\n", "the disk has no boot loader"),
            (
                b"\x1b[01;01HUEFI Interactive Shell v2.2\r\n",
                "the disk has no boot loader",
            ),
        ] {
            assert_eq!(Console::default().push(text), Some(Sign::NoKernel(why)));
        }
    }

    #[test]
    fn a_flood_is_bounded_and_the_log_says_so() {
        let mut console = Console::default();
        console.push(b"first line\n");
        for _ in 0..3000 {
            console.push(&[b'x'; 1000]);
        }
        console.push(b"\nlast \x1b]52;c;evil\x07 line\n");
        assert!(console.tail.len() <= 2 * TAIL + 2000);
        let log = console.log();
        assert!(log.starts_with("first line\n"));
        assert!(log.contains("bytes left out]"));
        assert!(!log.contains('\x1b'));
        assert_eq!(console.last_lines(1), ["last \\x1b]52;c;evil\\x07 line"]);
    }

    #[test]
    fn a_short_log_is_complete_and_not_repeated() {
        let mut console = Console::default();
        console.push(b"one\n");
        console.push(b"two\n");
        assert_eq!(console.log().trim_end(), "one\ntwo");
    }
}
