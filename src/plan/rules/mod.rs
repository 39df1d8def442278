//! Classes of files that go from what stays only because something needs it; named, listed, switchable.

mod classes;
mod table;

pub use table::RULES;

use crate::model::{FileId, Inventory, PackageId};
use crate::plan::Risk;

/// A rule's row in [`RULES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u8);

/// One rule.
pub struct Rule {
    /// Its name in profiles: `documentation`.
    pub id: &'static str,
    /// What goes, for the screen.
    pub heading: &'static str,
    /// What may break, one sentence.
    pub risk: &'static str,
    /// How much may break.
    pub class: Risk,
    /// Whether it is on when a profile says nothing.
    pub is_default: bool,
    /// Whether it takes files that packages own, files that no package owns, or both.
    pub scope: Scope,
    /// Packages that suspend the rule while they stay: by name, `*` at the end matches any rest.
    pub unless: &'static [&'static str],
    /// Whether a file (by its absolute path) is of the class; called once a file when the guest is loaded.
    pub matches: fn(&[u8]) -> bool,
    /// The class as dpkg `path-exclude` and `path-include` globs, so that upgrades do not bring the files back.
    pub exclusions: &'static [&'static str],
}

/// Which files a rule takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Files of packages that stay trimmed.
    Owned,
    /// Files that no package owns.
    Unowned,
    /// Both.
    Both,
}

impl RuleId {
    /// The row itself.
    pub fn rule(self) -> &'static Rule {
        &RULES[self.0 as usize]
    }

    /// The rule of this name.
    pub fn find(id: &str) -> Option<Self> {
        RULES
            .iter()
            .position(|rule| rule.id == id)
            .map(|at| Self(at as u8))
    }

    /// All rules in the table's order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..RULES.len() as u8).map(Self)
    }
}

/// Which rules are on, one bit a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleSet(pub u32);

impl Default for RuleSet {
    fn default() -> Self {
        RuleId::all().fold(Self(0), |set, id| set.with(id, id.rule().is_default))
    }
}

impl RuleSet {
    /// Whether a rule is on.
    pub const fn contains(self, id: RuleId) -> bool {
        self.0 >> id.0 & 1 == 1
    }

    /// The same with one rule switched.
    #[must_use]
    pub const fn with(self, id: RuleId, is_on: bool) -> Self {
        let bit = 1 << id.0;
        Self(if is_on { self.0 | bit } else { self.0 & !bit })
    }
}

/// The rules that a file belongs to, one bit a row, as far as its owner makes it a candidate.
pub(super) fn classes(inventory: &Inventory, file: FileId, path: &[u8]) -> u32 {
    let is_owned = inventory.owner(file).is_some();
    let mut bits = 0;
    for (at, rule) in RULES.iter().enumerate() {
        let is_candidate = match rule.scope {
            Scope::Owned => is_owned,
            Scope::Unowned => !is_owned,
            Scope::Both => true,
        };
        if is_candidate && (rule.matches)(path) {
            bits |= 1 << at;
        }
    }
    bits
}

/// The packages that suspend a rule while they stay.
pub(super) fn guards(inventory: &Inventory, rule: &Rule) -> Vec<PackageId> {
    let is_guard = |name: &str| {
        rule.unless
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => name
                    .strip_prefix(start)
                    .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit())),
                None => name == *pattern,
            })
    };
    if rule.unless.is_empty() {
        return Vec::new();
    }
    inventory
        .package_ids()
        .filter(|&id| is_guard(&inventory.package(id).name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_names_of_their_own_and_fit_the_set() {
        let mut ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len());
        assert!(RULES.len() <= 32);
    }

    #[test]
    fn paths_fall_into_their_classes() {
        let cases: &[(&str, &[&str])] = &[
            ("/usr/share/doc/curl/README", &["documentation"]),
            ("/usr/share/doc/curl/copyright", &[]),
            ("/usr/share/man/de/man1/ls.1.gz", &["manuals"]),
            (
                "/usr/share/locale/de/LC_MESSAGES/coreutils.mo",
                &["translations"],
            ),
            ("/usr/share/locale/locale.alias", &[]),
            ("/usr/include/stdio.h", &["development"]),
            (
                "/usr/lib/x86_64-linux-gnu/libc.a",
                &["development", "static-libraries"],
            ),
            (
                "/usr/lib/gcc/x86_64-linux-gnu/12/libgcc.a",
                &["development"],
            ),
            ("/usr/share/i18n/locales/de_DE", &["locale-sources"]),
            ("/usr/share/i18n/SUPPORTED", &["locale-sources"]),
            ("/opt/conda/share/man/man1/x.1", &["own-documentation"]),
            ("/usr/local/lib/libx.a", &["own-development"]),
            ("/opt/x/include/x/y.hpp", &["own-development"]),
            ("/opt/x/include/README", &[]),
            ("/opt/conda/pkgs/numpy/a.py", &["tool-caches"]),
            ("/opt/tool/pkgs/a.py", &[]),
            ("/home/sci/.npm/_cacache/x", &["tool-caches"]),
            ("/home/sci/.local/share/Trash/files/x", &["trash"]),
            ("/home/.local/share/Trash/files/x", &[]),
            ("/usr/lib/x86_64-linux-gnu/libc.so.6", &[]),
            ("/home/sci/.cache/pip/x", &["user-caches"]),
            ("/home/.cache/x", &[]),
            ("/root/.cache/x", &["user-caches"]),
            ("/var/log/journal/1/system.journal", &["logs"]),
            (
                "/usr/lib/python3/dist-packages/numpy/tests/test_a.py",
                &["test-suites"],
            ),
            (
                "/usr/lib/python3.11/__pycache__/abc.cpython-311.pyc",
                &["byte-code"],
            ),
        ];
        for (path, expected) in cases {
            let found: Vec<_> = RULES
                .iter()
                .filter(|rule| (rule.matches)(path.as_bytes()))
                .map(|rule| rule.id)
                .collect();
            assert_eq!(found, *expected, "{path}");
        }
    }

    /// dpkg matches its globs with fnmatch without `FNM_PATHNAME`: a star crosses slashes.
    fn dpkg_excludes(rule: &Rule, path: &str) -> bool {
        let mut is_excluded = false;
        for exclusion in rule.exclusions {
            let (glob, verdict) = exclusion
                .strip_prefix('+')
                .map_or((*exclusion, true), |glob| (glob, false));
            if globset::Glob::new(glob)
                .expect("a glob")
                .compile_matcher()
                .is_match(path)
            {
                is_excluded = verdict;
            }
        }
        is_excluded
    }

    #[test]
    fn dpkg_exclusions_say_the_same_as_the_rules() {
        let paths = [
            "/usr/share/doc/a/b",
            "/usr/share/doc/a/copyright",
            "/usr/share/man/man1/x",
            "/usr/share/locale/de/x.mo",
            "/usr/share/locale/en/x.mo",
            "/usr/include/x/y.h",
            "/usr/lib/x/libx.a",
            "/usr/lib/x/libx_nonshared.a",
            "/usr/lib/gcc/x/libx.a",
            "/usr/share/i18n/locales/de_DE",
            "/usr/lib/x/pkgconfig/x.pc",
            "/usr/bin/x",
            "/usr/lib/debug/.build-id/a",
        ];
        for rule in RULES.iter().filter(|rule| !rule.exclusions.is_empty()) {
            for path in paths {
                assert_eq!(
                    dpkg_excludes(rule, path),
                    (rule.matches)(path.as_bytes()),
                    "{} {path}",
                    rule.id
                );
            }
        }
    }
}
