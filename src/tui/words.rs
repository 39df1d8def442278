//! The words and signs for verdicts, marks and reasons: one place, so that the whole screen says the same.

use super::desk::View;
use super::lists::Order;
use super::look::Role;
use crate::model::text::escape;
use crate::model::{Bytes, FileId, FileKind, Inventory, Node, PackageId};
use crate::plan::{Level, Reason, Selector, Wish, mark_subject};
use crate::replay::told;
use crate::session::Session;
use std::cmp::Ordering;
use std::path::Path;
use std::time::Duration;

/// A verdict as it is shown: a sign, a word, a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The sign beside the colour.
    pub sign: &'static str,
    /// The word.
    pub word: &'static str,
    /// The colour.
    pub role: Role,
}

/// How a level, or its absence, is shown.
pub const fn verdict(level: Option<Level>) -> Verdict {
    let (sign, word, role) = match level {
        Some(Level::Whole) => ("+", Level::Whole.word(), Role::Whole),
        Some(Level::Trimmed) => ("~", Level::Trimmed.word(), Role::Trimmed),
        Some(Level::NeededOnly) => (":", Level::NeededOnly.word(), Role::NeededOnly),
        Some(Level::Hollowed) => ("o", Level::Hollowed.word(), Role::Hollowed),
        None => ("-", "dropped", Role::Dropped),
    };
    Verdict { sign, word, role }
}

/// How a file's verdict is shown; a folder's follows from how much stays of what is in it.
pub fn file_verdict(session: &Session, file: FileId, size: u64, stays: u64) -> Verdict {
    let is_folder = session.inventory().tree.kind(file) == FileKind::Directory;
    let (sign, word, role) = match session.plan().keeps_file(file) {
        true if is_folder && stays == 0 && size > 0 => ("-", "emptied", Role::Dropped),
        true if is_folder && stays < size => ("~", "in part", Role::Trimmed),
        true => ("+", "kept", Role::Whole),
        false => ("-", "dropped", Role::Dropped),
    };
    Verdict { sign, word, role }
}

/// How a wish is shown: `*` and the sign of what is wished.
pub const fn wish_sign(wish: Wish) -> &'static str {
    match wish {
        Wish::Keep(Level::Whole) => "*+",
        Wish::Keep(Level::Trimmed) => "*~",
        Wish::Keep(Level::NeededOnly) => "*:",
        Wish::Keep(Level::Hollowed) => "*o",
        Wish::Drop => "*-",
    }
}

/// A wish in words.
pub fn wish(wish: Wish) -> String {
    match wish {
        Wish::Keep(level) => format!("keep {}", level.word()),
        Wish::Drop => "drop".to_owned(),
    }
}

/// A selector in words, safe to show.
pub fn selector(selector: &Selector) -> String {
    printable(&selector.to_string())
}

/// A path of the host, safe to show.
pub fn path(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes()).into_owned()
}

/// What a list is ordered by, in words.
pub const fn order(order: Order, view: View) -> &'static str {
    match (order, view) {
        (Order::Name, _) => "name",
        (Order::Size, View::Packages) => "installed size",
        (Order::Size, View::Files) => "size",
        (Order::Retained, View::Packages) => "retained size",
        (Order::Retained, View::Files) => "what stays",
        (Order::Verdict, _) => "verdict",
    }
}

/// An error as lines to read: the sentence, its causes, what to do.
pub fn trouble(error: &anyhow::Error) -> Vec<String> {
    let told = told(error.as_ref());
    let causes = told
        .causes
        .iter()
        .map(|cause| format!("caused by: {cause}"));
    let hint = told.hint.iter().map(|hint| format!("hint: {hint}"));
    std::iter::once(told.sentence.clone())
        .chain(causes)
        .chain(hint)
        .collect()
}

/// A number with commas between its thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How much the projected size changed: `, 12 MB less`.
pub fn change(before: Bytes, after: Bytes) -> String {
    match after.cmp(&before) {
        Ordering::Equal => ", the projected size stays".to_owned(),
        Ordering::Less => format!(", {} less", before - after),
        Ordering::Greater => format!(", {} more", after - before),
    }
}

/// A time as `12 s` or `3:07 min`.
pub fn time(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{}:{:02} min", seconds / 60, seconds % 60),
    }
}

/// Text that a profile or a file name brought in: as it is, but for what a terminal would act on. Backslashes stay, since
/// such text is escaped already.
pub fn printable(text: &str) -> String {
    text.split('\\')
        .map(|part| escape(part.as_bytes()))
        .collect::<Vec<_>>()
        .join("\\")
}

/// A package's name, safe to show.
pub fn package(inventory: &Inventory, id: PackageId) -> String {
    escape(inventory.package_label(id).as_bytes()).into_owned()
}

/// A package's name or a file's path, safe to show.
pub fn node(inventory: &Inventory, node: Node) -> String {
    match node {
        Node::Package(id) => package(inventory, id),
        Node::File(file) => escape(&inventory.tree.path(file)).into_owned(),
    }
}

/// Why something stays or goes, as short as a column.
pub fn reason(session: &Session, of: Node) -> String {
    let inventory = session.inventory();
    let reason = match of {
        Node::Package(id) => session.plan().packages[id.index()].reason,
        Node::File(file) => session.plan().reasons[file.index()],
    };
    match reason {
        Reason::Mark(at)
            if session
                .wish_of(of)
                .is_some_and(|(own, _)| own == at as usize) =>
        {
            "marked".to_owned()
        }
        Reason::Mark(at) if (at as usize) < session.intent().marks.len() => {
            format!(
                "mark: {}",
                mark_subject(session.intent(), session.plan(), at)
            )
        }
        Reason::Mark(at) => mark_subject(session.intent(), session.plan(), at),
        Reason::Boot(at) => match inventory.boot.roots.get(at as usize) {
            Some(root) => format!("boot: {}", printable(&root.why)),
            None => "boot set".to_owned(),
        },
        Reason::Essential => "essential".to_owned(),
        Reason::Need(edge) => {
            let from = session.loaded().graph.need(edge).from;
            format!("for {}", node(inventory, from))
        }
        Reason::Trace => "traced".to_owned(),
        Reason::Owner(id) | Reason::OwnerGoes(id) => format!("of {}", package(inventory, id)),
        Reason::Unowned => "no package owns it".to_owned(),
        Reason::Directory => String::new(),
        Reason::Follows(file) => format!("follows {}", node(inventory, Node::File(file))),
        Reason::Rule(rule) => format!("rule {}", rule.rule().id),
        Reason::NotNeeded => "not needed".to_owned(),
        Reason::Cut(id) => format!("cut from {}", package(inventory, id)),
        Reason::FollowsGone(file) => format!("with {}", node(inventory, Node::File(file))),
        Reason::Leavings => "left over in a dropped package's folder".to_owned(),
        Reason::Idle => "drives hardware that is not declared".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_read_easily() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [5, 187].map(|s| time(Duration::from_secs(s))),
            ["5 s", "3:07 min"]
        );
    }

    #[test]
    fn nothing_that_a_terminal_acts_on_is_printable() {
        assert_eq!(
            printable("a\x1bb\x1b[2J"),
            "a\x1bb\x1b[2J".replace('\x1b', "\\x1b")
        );
        assert_eq!(printable("C:\\x"), "C:\\x");
    }
}
