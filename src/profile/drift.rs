//! How a guest differs from the one that a profile was made on.

use super::made_on::allocated;
use super::{MadeOn, Profile};
use crate::model::text::short;
use crate::model::{Bytes, Inventory};
use crate::plan::select;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Growth or shrinking of the whole guest below this many percent is not worth a line.
const SIZE_PERCENT: u64 = 2;

/// What kind of difference it is, weightiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DriftKind {
    /// A mark's selector matches nothing.
    Unmatched,
    /// Another operating system or version of it.
    Os,
    /// Another architecture.
    Arch,
    /// A package that was there is gone.
    Gone,
    /// A package that was not there.
    New,
    /// A package in another version.
    Version,
    /// The whole guest grew or shrank.
    Size,
}

impl DriftKind {
    /// Its stable name in JSON and on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unmatched => "unmatched",
            Self::Os => "os",
            Self::Arch => "arch",
            Self::Gone => "gone",
            Self::New => "new",
            Self::Version => "version",
            Self::Size => "size",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// What kind it is.
    pub kind: DriftKind,
    /// What it is about: a selector, a package; escaped.
    pub subject: String,
    /// One sentence, escaped.
    pub message: String,
}

/// All differences, by kind, then in the order of the marks or of the package names.
pub fn drift(profile: &Profile, inventory: &Inventory) -> Vec<Drift> {
    let mut found = unmatched(profile, inventory);
    if let Some(made_on) = &profile.made_on {
        found.extend(system(made_on, inventory));
        found.extend(packages(made_on, inventory));
        found.extend(size(made_on, inventory));
    }
    found.sort_by_key(|drift| drift.kind);
    found
}

fn unmatched(profile: &Profile, inventory: &Inventory) -> Vec<Drift> {
    let marks = profile.intent.marks.iter();
    marks
        .filter(|mark| select::resolve(inventory, mark).nodes.is_empty())
        .map(|mark| Drift {
            kind: DriftKind::Unmatched,
            message: format!("{} matches nothing in this guest", mark.selector),
            subject: mark.selector.to_string(),
        })
        .collect()
}

fn system(made_on: &MadeOn, inventory: &Inventory) -> Vec<Drift> {
    let os = &inventory.os;
    let then = format!("{} {}", made_on.os, made_on.version);
    let now = format!("{} {}", os.id, os.version);
    [
        (DriftKind::Os, "operating system", then.trim(), now.trim()),
        (
            DriftKind::Arch,
            "architecture",
            made_on.arch.as_str(),
            os.arch.as_str(),
        ),
    ]
    .into_iter()
    .filter(|(_, _, then, now)| !then.is_empty() && then != now)
    .map(|(kind, subject, then, now)| Drift {
        kind,
        subject: subject.to_owned(),
        message: format!("the {subject} was {}, it is {}", plain(then), plain(now)),
    })
    .collect()
}

fn packages(made_on: &MadeOn, inventory: &Inventory) -> Vec<Drift> {
    if made_on.packages.is_empty() {
        return Vec::new();
    }
    let now: BTreeMap<String, &str> = inventory
        .package_ids()
        .map(|id| {
            (
                inventory.package_label(id),
                inventory.package(id).version.as_str(),
            )
        })
        .collect();
    let is_gone = |name: &String| !now.contains_key(name);
    let gone = made_on
        .packages
        .iter()
        .filter(|(name, _)| is_gone(name))
        .map(|(name, version)| {
            one(
                DriftKind::Gone,
                name,
                &format!("{} is gone", plain(version)),
            )
        });
    let changed = now
        .iter()
        .filter_map(|(name, version)| match made_on.packages.get(name) {
            None => Some(one(
                DriftKind::New,
                name,
                &format!("{} is new", plain(version)),
            )),
            Some(then) if then != version => {
                let text = format!("was {}, is {}", plain(then), plain(version));
                Some(one(DriftKind::Version, name, &text))
            }
            Some(_) => None,
        });
    gone.chain(changed).collect()
}

fn one(kind: DriftKind, name: &str, text: &str) -> Drift {
    let subject = plain(name);
    Drift {
        kind,
        message: format!("{subject} {text}"),
        subject,
    }
}

fn size(made_on: &MadeOn, inventory: &Inventory) -> Option<Drift> {
    let (then, now) = (made_on.size, allocated(inventory));
    let change = then.abs_diff(now);
    if then == 0 || change.saturating_mul(100) < then.saturating_mul(SIZE_PERCENT) {
        return None;
    }
    let verb = match now.cmp(&then) {
        Ordering::Less => "shrank",
        _ => "grew",
    };
    Some(Drift {
        kind: DriftKind::Size,
        subject: "files".to_owned(),
        message: format!(
            "the guest's files {verb} by {}, from {} to {}",
            Bytes(change),
            Bytes(then),
            Bytes(now)
        ),
    })
}

fn plain(text: &str) -> String {
    short(text.as_bytes()).into_owned()
}
