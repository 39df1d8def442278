//! A package format of the tests' own: a few lines of text as database, and nothing in common with dpkg.
//!
//! ```text
//! package app 3 x86
//! needs editor or /usr/bin/sh
//! offers editor
//! script helper --quiet
//! + /usr/bin/app
//! - /usr/share/doc/app
//! ```
//!
//! One capability or path a `needs` line satisfies it, `or` between them. A file with `-` is recorded and not there.
//! Versions are numbers.

mod write;

use super::edits::{Change, Edits, Exclusions, NewText};
use super::format::{
    Audit, Class, Database, Fetch, Format, Purl, Requirement, Resolver, Role, Script, ScriptText,
};
use crate::job::{Cancelled, Job};
use crate::model::inventory::NO_OWNER;
use crate::model::{FileTree, Inventory, Node, Package, PackageId, Relation};
use fixedbitset::FixedBitSet;
use std::cmp::Ordering;

const RECORDS: &[u8] = b"/var/lib/ledger/packages";

/// The format.
pub struct Ledger;

/// The line's words behind its first one.
fn rest<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    line.strip_prefix(word)?.strip_prefix(' ')
}

impl Format for Ledger {
    fn id(&self) -> &'static str {
        "ledger"
    }

    fn is_in(&self, tree: &FileTree) -> bool {
        tree.resolve(RECORDS).is_some()
    }

    fn read(&self, tree: &FileTree, fetch: Fetch<'_>, _job: &Job) -> Result<Database, Cancelled> {
        let mut database = Database {
            owners: vec![NO_OWNER; tree.len()],
            arch: "x86".to_owned(),
            ..Database::default()
        };
        let Some(records) = tree.resolve(RECORDS).map(|found| found.file) else {
            return Ok(database);
        };
        let bytes = fetch(records, u64::MAX).unwrap_or_default();
        for line in String::from_utf8_lossy(&bytes).lines() {
            if let Some(words) = rest(line, "package") {
                let mut words = words.split(' ').map(str::to_owned);
                let mut next = || words.next().unwrap_or_default();
                database.packages.push(Package {
                    name: next(),
                    version: next(),
                    arch: next(),
                    ..Package::default()
                });
            }
            let at = database.packages.len() as u32;
            let Some(package) = database.packages.last_mut() else {
                continue;
            };
            let relation = |name: &str| Relation {
                name: name.to_owned(),
                arch: None,
                bound: None,
            };
            if let Some(needs) = rest(line, "needs") {
                let clause = needs.split(" or ").map(relation).collect();
                package.depends.push(clause);
            } else if let Some(name) = rest(line, "offers") {
                package.provides.push(relation(name));
            } else if let Some(path) = rest(line, "+")
                && let Some(file) = tree.lookup(path.as_bytes())
            {
                package.files.push(file);
                database.owners[file.index()] = at - 1;
            }
        }
        for package in &mut database.packages {
            package.files.sort_unstable();
        }
        database.texts.insert(records, bytes);
        Ok(database)
    }

    fn compare(&self, a: &str, b: &str) -> Ordering {
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        number(a).cmp(&number(b))
    }

    fn resolver<'a>(&self, inventory: &'a Inventory) -> Box<dyn Resolver + 'a> {
        Box::new(Offers(inventory))
    }

    fn scripts(&self, inventory: &Inventory, fetch: Fetch<'_>) -> Vec<Script> {
        let records = inventory.tree.resolve(RECORDS).map(|found| found.file);
        let bytes = records
            .and_then(|file| fetch(file, u64::MAX))
            .unwrap_or_default();
        let mut found = Vec::new();
        let mut packages = 0;
        for line in String::from_utf8_lossy(&bytes).lines() {
            packages += u32::from(line.starts_with("package "));
            if let Some(text) = rest(line, "script") {
                found.push(Script {
                    package: PackageId(packages - 1),
                    text: ScriptText::Here(text.as_bytes().to_vec()),
                });
            }
        }
        found
    }

    fn record_folders(&self) -> &'static [&'static [u8]] {
        &[b"/var/lib/ledger"]
    }

    fn names(&self, role: Role) -> &'static [&'static str] {
        match role {
            Role::PackageManager => &["ledger"],
            Role::Compiler => &["cc*"],
            _ => &[],
        }
    }

    fn classes(&self) -> &'static [Class] {
        const CLASSES: &[Class] = &[
            Class {
                rule: "documentation",
                takes: |path| path.starts_with(b"/usr/pages/"),
                exclusions: &["pages"],
            },
            Class {
                rule: "package-caches",
                takes: |path| path.starts_with(b"/var/cache/ledger/"),
                exclusions: &[],
            },
        ];
        CLASSES
    }

    fn edits(&self, change: &Change<'_>, _gone: &mut FixedBitSet) -> Edits {
        write::edits(change)
    }

    fn exclusions(&self, cut: &Exclusions<'_>) -> Option<NewText> {
        write::exclusions(self, cut)
    }

    fn audit(&self) -> Option<Audit> {
        Some(Audit {
            program: "/usr/bin/ledger",
            command: "ledger balance",
            name: "ledger balance",
            complains: |said| !said.is_empty(),
        })
    }

    fn purl(&self, package: &Package) -> Purl {
        Purl {
            kind: "ledger",
            vendor: "tests",
            version: package.version.clone(),
            qualifiers: Vec::new(),
        }
    }

    fn container_arch(&self, _arch: &str) -> (String, Option<&'static str>) {
        ("386".to_owned(), None)
    }
}

/// Who has what is needed: a file at that path, or a package that offers that capability.
struct Offers<'a>(&'a Inventory);

impl Offers<'_> {
    fn offered(&self, name: &str) -> Option<Node> {
        if name.starts_with('/') {
            let file = self.0.tree.resolve(name.as_bytes())?.file;
            return Some(Node::File(file));
        }
        let has = |id: &PackageId| {
            let package = self.0.package(*id);
            package.name == name || package.provides.iter().any(|offer| offer.name == name)
        };
        self.0.package_ids().find(has).map(Node::Package)
    }
}

impl Resolver for Offers<'_> {
    fn requirements(&self, of: PackageId) -> Vec<Requirement> {
        let clauses = self.0.package(of).depends.iter();
        clauses
            .map(|clause| Requirement {
                what: crate::model::package::clause_text(clause),
                by: clause.iter().find_map(|one| self.offered(&one.name)),
            })
            .collect()
    }
}
