//! The commands that check file systems without changing them, and what they say.

use crate::model::FileSystem;

/// The command that checks a file system read-only and then says how it ended. The kernel's device names differ from
/// the library's, so the file system is found by its UUID.
pub(super) fn check_command(system: &FileSystem) -> Option<String> {
    let checker = checker(&system.kind)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if system.uuid.is_empty() || !system.uuid.bytes().all(is_plain) {
        return None;
    }
    let device = format!("\"$(blkid -U {})\"", system.uuid);
    Some(on_device(checker, &device))
}

/// What checks a file system of this kind without changing it.
pub(super) fn checker(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "ext2" | "ext3" | "ext4" => "e2fsck -fn",
        "xfs" => "xfs_repair -n",
        "btrfs" => "btrfs check --readonly",
        _ => return None,
    })
}

pub(super) fn on_device(checker: &str, device: &str) -> String {
    format!("{checker} {device} 2>&1; echo $?")
}

/// What a checker said and its exit code, which stands in the last line.
pub(super) fn verdict(said: &[u8]) -> (&[u8], Option<u8>) {
    let said = said.trim_ascii_end();
    let at = said
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let code = std::str::from_utf8(&said[at..])
        .ok()
        .and_then(|text| text.trim().parse().ok());
    (&said[..at], code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checker_s_words_and_code_are_told_apart() {
        assert_eq!(
            verdict(b"clean\nall fine\n0\n"),
            (&b"clean\nall fine\n"[..], Some(0))
        );
        assert_eq!(verdict(b"4"), (&b""[..], Some(4)));
        assert_eq!(verdict(b"what?"), (&b""[..], None));
    }

    #[test]
    fn no_uuid_of_a_guest_reaches_the_shell_unseen() {
        let system = |uuid: &str| FileSystem {
            kind: "ext4".to_owned(),
            uuid: uuid.to_owned(),
            ..FileSystem::default()
        };
        assert!(check_command(&system("a\"; reboot; \"")).is_none());
        assert!(check_command(&system("")).is_none());
        let command = check_command(&system("0f-A")).expect("plain");
        assert_eq!(command, "e2fsck -fn \"$(blkid -U 0f-A)\" 2>&1; echo $?");
    }
}
