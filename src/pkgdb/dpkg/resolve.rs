//! Which installed package satisfies which dependency, as apt sees it on an installed system.

use super::version;
use crate::model::package::clause_text;
use crate::model::{Node, Package, PackageId, Relation};
use crate::pkgdb::format::{Requirement, Resolver};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Finds packages by name and by what they provide.
pub struct Installed<'a> {
    packages: &'a [Package],
    native: &'a str,
    providers: HashMap<&'a str, Vec<(PackageId, Option<&'a str>)>>,
    /// Answers by who asks, of whom only the architecture counts.
    known: RefCell<HashMap<(&'a str, &'a Relation), Option<PackageId>>>,
    left: Cell<u64>,
}

/// Most packages that all relations are compared with, some hundred times those of a big guest.
const MAX_WORK: u64 = 20_000_000;

impl<'a> Installed<'a> {
    /// Indexes installed packages, which must be sorted by name.
    pub fn new(packages: &'a [Package], native: &'a str) -> Self {
        let mut providers: HashMap<&str, Vec<(PackageId, Option<&str>)>> = HashMap::new();
        for (at, package) in packages.iter().enumerate() {
            for provided in &package.provides {
                let version = provided.bound.as_ref().map(|bound| bound.version.as_str());
                providers
                    .entry(&provided.name)
                    .or_default()
                    .push((PackageId(at as u32), version));
            }
        }
        for row in providers.values_mut() {
            row.sort_by_key(|&(id, _)| (packages[id.index()].auto_installed, id));
        }
        Self {
            packages,
            native,
            providers,
            known: RefCell::default(),
            left: Cell::new(MAX_WORK),
        }
    }

    /// The package that satisfies a clause of `from`: the first alternative, in the order written, that anything
    /// satisfies; of it the package of that name rather than one that provides it; of those one that was asked for
    /// rather than one that came along.
    pub fn satisfied_by(&self, from: PackageId, clause: &'a [Relation]) -> Option<PackageId> {
        let arch = self.arch(&self.packages[from.index()]);
        clause.iter().find_map(|relation| {
            let key = (arch, relation);
            if let Some(known) = self.known.borrow().get(&key) {
                return *known;
            }
            let answer = self
                .real(arch, relation)
                .or_else(|| self.provider(arch, relation));
            self.known.borrow_mut().insert(key, answer);
            answer
        })
    }

    fn real(&self, arch: &str, relation: &Relation) -> Option<PackageId> {
        let name = relation.name.as_str();
        let first = self
            .packages
            .partition_point(|package| package.name.as_str() < name);
        let twins = self.packages[first..]
            .iter()
            .take_while(|package| package.name == name);
        let mut left = self.left.get();
        let fits = |package: &'a Package| {
            self.fits_arch(arch, package, relation) && is_within(Some(&package.version), relation)
        };
        // Of several instances that would do, the one of the package's own architecture.
        let best = twins
            .take_while(|_| take(&mut left))
            .enumerate()
            .filter(|(_, package)| fits(package))
            .min_by_key(|(_, package)| self.arch(package) != arch)
            .map(|(offset, _)| PackageId((first + offset) as u32));
        self.left.set(left);
        best
    }

    fn provider(&self, arch: &str, relation: &Relation) -> Option<PackageId> {
        let row = self.providers.get(relation.name.as_str())?;
        let mut left = self.left.get();
        let found = row
            .iter()
            .take_while(|_| take(&mut left))
            .find(|&&(id, version)| {
                self.fits_arch(arch, &self.packages[id.index()], relation)
                    && is_within(version, relation)
            })
            .map(|&(id, _)| id);
        self.left.set(left);
        found
    }

    fn arch(&self, package: &'a Package) -> &'a str {
        if package.arch == "all" {
            self.native
        } else {
            &package.arch
        }
    }

    fn fits_arch(&self, from: &str, package: &'a Package, relation: &Relation) -> bool {
        let arch = self.arch(package);
        match relation.arch.as_deref() {
            None => arch == from || package.multi_arch == "foreign",
            Some("any") => {
                arch == from || matches!(package.multi_arch.as_str(), "allowed" | "foreign")
            }
            Some("native") => arch == self.native,
            Some(named) => arch == named,
        }
    }
}

/// Takes one piece of work off; `false` when nothing is left.
fn take(left: &mut u64) -> bool {
    *left = left.saturating_sub(1);
    *left > 0
}

impl Resolver for Installed<'_> {
    fn is_spent(&self) -> bool {
        self.left.get() == 0
    }

    fn requirements(&self, of: PackageId) -> Vec<Requirement> {
        let package = &self.packages[of.index()];
        let clauses = package.depends.iter().chain(&package.pre_depends);
        clauses
            .map(|clause| Requirement {
                what: clause_text(clause),
                by: self.satisfied_by(of, clause).map(Node::Package),
            })
            .collect()
    }
}

/// Whether a version (a real package's, or that of a versioned provide) is within the relation's bound.
fn is_within(version: Option<&str>, relation: &Relation) -> bool {
    relation
        .bound
        .as_ref()
        .is_none_or(|bound| version.is_some_and(|version| version::satisfies(version, bound)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::VersionBound;

    /// `name arch version multi-arch provides...`, one package a line, sorted.
    fn packages(text: &str) -> Vec<Package> {
        let read = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Package {
                name: words[0].into(),
                arch: words[1].into(),
                version: words[2].into(),
                multi_arch: words[3].trim_end_matches('*').into(),
                auto_installed: words[3].ends_with('*'),
                provides: words[4..].iter().map(|word| relation(word)).collect(),
                ..Package::default()
            }
        };
        text.lines().map(read).collect()
    }

    /// `name:arch>=version`.
    fn relation(word: &str) -> Relation {
        let at = word.find(['<', '=', '>']).unwrap_or(word.len());
        let (full, bound) = word.split_at(at);
        let from = bound.find(|c| !matches!(c, '<' | '=' | '>')).unwrap_or(0);
        let (name, arch) = full
            .split_once(':')
            .map_or((full, None), |(n, a)| (n, Some(a)));
        Relation {
            name: name.into(),
            arch: arch.map(Into::into),
            bound: (from > 0).then(|| VersionBound {
                operator: bound[..from].into(),
                version: bound[from..].into(),
            }),
        }
    }

    #[test]
    fn clauses_are_satisfied_as_apt_does() {
        let installed = packages(
            "awk-a amd64 1 foreign* awk\n\
             awk-z amd64 1 foreign awk\n\
             libc6 amd64 2.36 same\n\
             libc6 i386 2.36 same\n\
             mta amd64 1 no mail-transport-agent smtp=2.0\n\
             perl amd64 5.36 allowed\n\
             tool all 1 no\n\
             wine i386 8 no",
        );
        let id = |name: &str, arch: &str| {
            let at = installed
                .iter()
                .position(|package| package.name == name && package.arch == arch);
            PackageId(at.expect("it is in the table") as u32)
        };
        for (from, clause, expected) in [
            (id("tool", "all"), "libc6>=2.30", Some(id("libc6", "amd64"))),
            (id("wine", "i386"), "libc6", Some(id("libc6", "i386"))),
            (id("wine", "i386"), "awk", Some(id("awk-z", "amd64"))),
            (id("wine", "i386"), "perl", None),
            (id("wine", "i386"), "perl:any", Some(id("perl", "amd64"))),
            (id("wine", "i386"), "mail-transport-agent", None),
            (
                id("tool", "all"),
                "none mail-transport-agent",
                Some(id("mta", "amd64")),
            ),
            (id("tool", "all"), "smtp>=1.0", Some(id("mta", "amd64"))),
            (id("tool", "all"), "smtp>>2.0", None),
            (id("tool", "all"), "mail-transport-agent>=1", None),
            (id("tool", "all"), "libc6>=3 tool", Some(id("tool", "all"))),
            (id("tool", "all"), "libc6:i386", Some(id("libc6", "i386"))),
        ] {
            let clause: Vec<Relation> = clause.split(' ').map(relation).collect();
            let resolver = Installed::new(&installed, "amd64");
            assert_eq!(resolver.satisfied_by(from, &clause), expected, "{clause:?}");
        }
    }

    #[test]
    fn many_providers_and_many_clauses_spend_the_budget_and_no_more() {
        let text: Vec<String> = (0..2000)
            .map(|at| format!("p{at:04} amd64 1 no v={at}"))
            .collect();
        let installed = packages(&text.join("\n"));
        let clauses: Vec<Vec<Relation>> = (0..600)
            .map(|at| vec![relation(&format!("v>=9{at:05}"))])
            .collect();
        let resolver = Installed::new(&installed, "amd64");
        resolver.left.set(500 * 2000);
        for clause in &clauses {
            assert_eq!(resolver.satisfied_by(PackageId(0), clause), None);
        }
        assert!(resolver.is_spent());
        let resolver = Installed::new(&installed, "amd64");
        for _ in 0..60_000 {
            resolver.satisfied_by(PackageId(0), &clauses[0]);
        }
        assert_eq!(
            resolver.left.get(),
            MAX_WORK - 2000,
            "an answer is remembered"
        );
    }
}
