//! The small files beside the status: diversions, stat overrides, apt's marks.

use super::stanza::{lines, stanzas};
use crate::model::{Warning, Warnings};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Most entries of one of these files that are looked at: as many as a system has packages, and some.
const MAX_ENTRIES: usize = 200_000;
/// What is said when there are more.
const TOO_MANY: &str = "more entries than any system has: the others were not looked at";

/// One entry of `/var/lib/dpkg/diversions`: three lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diversion {
    /// The path as the packages list it.
    pub from: Vec<u8>,
    /// Where the file of every package but [`package`](Self::package) really lies.
    pub to: Vec<u8>,
    /// Whose file is at `from`; `:` for the administrator's own.
    pub package: Vec<u8>,
}

/// Reads `/var/lib/dpkg/diversions`.
pub fn diversions(path: &[u8], bytes: &[u8], warnings: &mut Warnings) -> Vec<Diversion> {
    let mut lines = lines(bytes).map(|(number, range)| (number, &bytes[range]));
    let mut found = Vec::new();
    while let Some((number, from)) = lines.next() {
        if found.len() == MAX_ENTRIES {
            warnings.push(Warning::at(path, number, TOO_MANY));
            break;
        }
        match (lines.next(), lines.next()) {
            (Some((_, to)), Some((_, package)))
                if from.first() == Some(&b'/') && to.first() == Some(&b'/') =>
            {
                found.push(Diversion {
                    from: from.to_vec(),
                    to: to.to_vec(),
                    package: package.to_vec(),
                });
            }
            _ => {
                let message = "a diversion that is not two paths and a package";
                warnings.push(Warning::at(path, number, message));
            }
        }
    }
    found
}

/// The path of a line `user group mode path` of `/var/lib/dpkg/statoverride`.
pub fn statoverride_path(line: &[u8]) -> Option<&[u8]> {
    let path = line.splitn(4, |&byte| byte == b' ').nth(3)?;
    (path.first() == Some(&b'/')).then_some(path)
}

/// The package of a line of `/var/lib/dpkg/triggers/*`: the last word without `/noawait` and architecture.
pub fn trigger_package(line: &[u8]) -> Option<&[u8]> {
    let word = line.rsplit(|&byte| byte == b' ').next()?;
    let end = word
        .iter()
        .position(|&byte| byte == b'/' || byte == b':')
        .unwrap_or(word.len());
    (end > 0).then(|| &word[..end])
}

/// The packages that apt installed only because something depended on them: names with architectures.
pub fn auto_installed(
    path: &[u8],
    bytes: &[u8],
    warnings: &mut Warnings,
) -> HashSet<(String, String)> {
    let mut found = HashSet::new();
    stanzas(path, bytes, warnings, |stanza, warnings| {
        if found.len() == MAX_ENTRIES {
            warnings.push(Warning::at(path, stanza.line, TOO_MANY));
            return ControlFlow::Break(());
        }
        if stanza.field("Auto-Installed") == Some(b"1") {
            found.insert((stanza.text("Package"), stanza.text("Architecture")));
        }
        ControlFlow::Continue(())
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn diversions_are_read_three_lines_at_a_time() {
        let text =
            b"/bin/sh\n/bin/sh.distrib\ndash\nno path\n/x\n:\n/usr/bin/a\n/usr/bin/a.real\n:\n/cut";
        let mut warnings = Warnings::default();
        let all = diversions(b"/d", text, &mut warnings);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].to, b"/bin/sh.distrib");
        assert_eq!(all[1].package, b":");
        let places: Vec<Option<u32>> = warnings.iter().map(|w| w.line).collect();
        assert_eq!(places, [Some(4), Some(10)]);
    }

    #[test]
    fn words_of_lines_are_found() {
        assert_eq!(
            trigger_package(b"/usr/share/man man-db/noawait"),
            Some(&b"man-db"[..])
        );
        assert_eq!(trigger_package(b"libc-bin:amd64"), Some(&b"libc-bin"[..]));
        assert_eq!(trigger_package(b""), None);
        assert_eq!(
            statoverride_path(b"root ssl-cert 710 /etc/ssl/my keys"),
            Some(&b"/etc/ssl/my keys"[..])
        );
        assert_eq!(statoverride_path(b"root root 755"), None);
    }

    #[test]
    fn auto_installed_needs_a_one() {
        let text = b"Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: b\nArchitecture: amd64\nAuto-Installed: 0\n";
        let all = auto_installed(b"/x", text, &mut Warnings::default());
        assert_eq!(all, HashSet::from([("a".to_owned(), "amd64".to_owned())]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = diversions(b"/d", &bytes, &mut Warnings::default());
            let _ = trigger_package(&bytes);
            let _ = statoverride_path(&bytes);
        }
    }
}
