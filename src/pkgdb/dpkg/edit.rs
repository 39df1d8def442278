//! The database's files with some packages taken out; every other byte stays as it is.

use super::records::{statoverride_path, trigger_package};
use super::stanza::{Stanza, lines, stanzas};
use crate::model::Warnings;
use std::ops::ControlFlow;

/// `status` or `extended_states` without the stanzas of the packages (name, architecture) that go.
pub fn stanzas_without(bytes: &[u8], goes: impl Fn(&str, &str) -> bool) -> Vec<u8> {
    let is_out = |stanza: &Stanza<'_>| goes(&stanza.text("Package"), &stanza.text("Architecture"));
    let mut out = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    stanzas(b"", bytes, &mut Warnings::default(), |stanza, _| {
        if is_out(&stanza) {
            out.extend_from_slice(&bytes[copied..stanza.range.start]);
            copied = stanza.range.end;
        }
        ControlFlow::Continue(())
    });
    out.extend_from_slice(&bytes[copied..]);
    out
}

/// `diversions` without the entries (from, to, package) that go.
pub fn diversions_without(bytes: &[u8], goes: impl Fn(&[u8], &[u8], &[u8]) -> bool) -> Vec<u8> {
    let all: Vec<&[u8]> = lines(bytes).map(|(_, range)| &bytes[range]).collect();
    let stays = |entry: &&[&[u8]]| match entry {
        [from, to, package] => !goes(from, to, package),
        _ => true,
    };
    let kept: Vec<&[u8]> = all.chunks(3).filter(stays).flatten().copied().collect();
    join(&kept)
}

/// `statoverride` without the lines of paths that go.
pub fn statoverride_without(bytes: &[u8], goes: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    lines_without(bytes, |line| statoverride_path(line).is_some_and(&goes))
}

/// A file of `triggers` (`File` or one named after its trigger) without the lines of packages that go.
pub fn triggers_without(bytes: &[u8], goes: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    lines_without(bytes, |line| trigger_package(line).is_some_and(&goes))
}

fn lines_without(bytes: &[u8], goes: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let kept: Vec<&[u8]> = lines(bytes)
        .map(|(_, range)| &bytes[range])
        .filter(|line| !goes(line))
        .collect();
    join(&kept)
}

fn join(lines: &[&[u8]]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| line.iter().chain(b"\n"))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATUS: &[u8] = include_bytes!("testdata/status");

    #[test]
    fn a_stanza_goes_and_every_other_byte_stays() {
        let left = stanzas_without(STATUS, |name, arch| name == "libc6" && arch == "amd64");
        let text = String::from_utf8(left).expect("text");
        let whole = String::from_utf8(STATUS.to_vec()).expect("text");
        let (before, rest) = whole.split_once("Package: libc6").expect("it is there");
        let (_, after) = rest.split_once("\n\n").expect("others follow");
        assert_eq!(text, format!("{before}{after}"));
        assert_eq!(stanzas_without(STATUS, |_, _| false), STATUS);
        assert_eq!(stanzas_without(STATUS, |_, _| true), b"");
    }

    #[test]
    fn lines_of_what_goes_are_taken_out() {
        let diversions = b"/a\n/a.d\nx\n/b\n/b.d\n:\n";
        assert_eq!(
            diversions_without(diversions, |_, _, package| package == b"x"),
            b"/b\n/b.d\n:\n"
        );
        let triggers = b"/usr/share/man man-db/noawait\n/usr/lib/x y\n";
        assert_eq!(
            triggers_without(triggers, |package| package == b"man-db"),
            b"/usr/lib/x y\n"
        );
        let overrides = b"root a 710 /etc/a\nroot b 4754 /usr/b\n";
        assert_eq!(
            statoverride_without(overrides, |path| path == b"/etc/a"),
            b"root b 4754 /usr/b\n"
        );
    }

    proptest! {
        #[test]
        fn taking_nothing_out_changes_no_byte(bytes in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b':'), Just(b' '), any::<u8>()], 0..100)) {
            prop_assert_eq!(stanzas_without(&bytes, |_, _| false), bytes);
        }
    }
}
