//! Which installed package satisfies which dependency, as apt sees it on an installed system.

use super::version;
use crate::model::package::clause_text;
use crate::model::{Node, Package, PackageId, Relation};
use crate::pkgdb::format::{Requirement, Resolver};
use std::collections::HashMap;

/// Finds packages by name and by what they provide.
pub struct Installed<'a> {
    packages: &'a [Package],
    native: &'a str,
    providers: HashMap<&'a str, Vec<(PackageId, Option<&'a str>)>>,
}

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
        }
    }

    /// The package that satisfies a clause of `from`: the first alternative, in the order written, that anything
    /// satisfies; of it the package of that name rather than one that provides it; of those one that was asked for
    /// rather than one that came along.
    pub fn satisfied_by(&self, from: PackageId, clause: &[Relation]) -> Option<PackageId> {
        clause.iter().find_map(|relation| {
            self.real(from, relation)
                .or_else(|| self.provider(from, relation))
        })
    }

    fn real(&self, from: PackageId, relation: &Relation) -> Option<PackageId> {
        let name = relation.name.as_str();
        let first = self
            .packages
            .partition_point(|package| package.name.as_str() < name);
        let mut fitting: Vec<PackageId> = self.packages[first..]
            .iter()
            .take_while(|package| package.name == name)
            .enumerate()
            .filter(|(_, package)| {
                self.fits_arch(from, package, relation)
                    && is_within(Some(&package.version), relation)
            })
            .map(|(offset, _)| PackageId((first + offset) as u32))
            .collect();
        // Of several instances that would do, the one of the package's own architecture.
        fitting.sort_by_key(|id| {
            self.arch(&self.packages[id.index()]) != self.arch(&self.packages[from.index()])
        });
        fitting.first().copied()
    }

    fn provider(&self, from: PackageId, relation: &Relation) -> Option<PackageId> {
        let row = self.providers.get(relation.name.as_str())?;
        row.iter()
            .find(|&&(id, version)| {
                self.fits_arch(from, &self.packages[id.index()], relation)
                    && is_within(version, relation)
            })
            .map(|&(id, _)| id)
    }

    fn arch<'p>(&'p self, package: &'p Package) -> &'p str {
        if package.arch == "all" {
            self.native
        } else {
            &package.arch
        }
    }

    fn fits_arch(&self, from: PackageId, package: &Package, relation: &Relation) -> bool {
        let is_same = |arch: &str| self.arch(package) == arch;
        match relation.arch.as_deref() {
            None => {
                is_same(self.arch(&self.packages[from.index()])) || package.multi_arch == "foreign"
            }
            Some("any") => {
                is_same(self.arch(&self.packages[from.index()]))
                    || matches!(package.multi_arch.as_str(), "allowed" | "foreign")
            }
            Some("native") => is_same(self.native),
            Some(arch) => is_same(arch),
        }
    }
}

impl Resolver for Installed<'_> {
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
        let resolver = Installed::new(&installed, "amd64");
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
            assert_eq!(resolver.satisfied_by(from, &clause), expected, "{clause:?}");
        }
    }
}
