//! What the guest says that it is: `/etc/os-release`, the host's name.

use super::reader::Reader;
use crate::model::text::short;
use crate::model::{FileKind, FileTree, Os};

/// Longest such file that is read.
const MAX: u64 = 64 << 10;

/// Reads what there is; fields stay empty where a file is missing.
pub fn read(tree: &FileTree, reader: &mut Reader<'_>, arch: &str) -> Os {
    let mut text = |path: &[u8]| {
        let file = tree.resolve(path)?.file;
        let is_small = tree.kind(file) == FileKind::Regular && tree.size(file) <= MAX;
        is_small.then(|| reader.whole(tree, file, MAX)).flatten()
    };
    let release = text(b"/etc/os-release")
        .or_else(|| text(b"/usr/lib/os-release"))
        .unwrap_or_default();
    let hostname = text(b"/etc/hostname").unwrap_or_default();
    let hostname = hostname
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .find(|line| !line.is_empty() && line[0] != b'#')
        .unwrap_or_default();
    Os {
        id: value(&release, b"ID"),
        version: value(&release, b"VERSION_ID"),
        name: value(&release, b"PRETTY_NAME"),
        arch: short(arch.as_bytes()).into_owned(),
        hostname: short(hostname).into_owned(),
    }
}

/// The value of `KEY=value` or `KEY="value"`.
fn value(bytes: &[u8], key: &[u8]) -> String {
    let found = bytes.split(|&byte| byte == b'\n').find_map(|line| {
        line.trim_ascii()
            .strip_prefix(key)?
            .strip_prefix(b"=")
            .map(<[u8]>::trim_ascii)
    });
    let value = found.unwrap_or_default();
    let inside = [b'"', b'\'']
        .iter()
        .find_map(|quote| value.strip_prefix(&[*quote])?.strip_suffix(&[*quote]));
    short(inside.unwrap_or(value)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_and_without_quotes() {
        let text = b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID='12'\nID=debian\nBAD=\"\x1b[\n";
        assert_eq!(
            value(text, b"PRETTY_NAME"),
            "Debian GNU/Linux 12 (bookworm)"
        );
        assert_eq!(value(text, b"VERSION_ID"), "12");
        assert_eq!(value(text, b"ID"), "debian");
        assert_eq!(value(text, b"BAD"), "\"\\x1b[");
        assert_eq!(value(text, b"NONE"), "");
    }
}
