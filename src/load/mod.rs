//! From a guest's bytes to an inventory and its needs.
//!
//! Single reads that fail are warnings; only the walk itself and a cancel stop the loading. No path of a guest is ever
//! used on the host: all goes through [`Guest::read`] with ids of the tree.

mod heads;
mod loaded;
mod os;
mod reader;

pub use loaded::Loaded;

use crate::fault::{Explain, Kind};
use crate::finders::{FINDERS, Facts, Found, Run, Scan, boot, elf, follow, is_spent};
use crate::guest::{Guest, GuestError};
use crate::job::{Cancelled, Job};
use crate::model::table::plural;
use crate::model::text::escape;
use crate::model::{BootChain, Components, FileTree, FinderId, Inventory, Warning, Warnings};
use crate::pkgdb;
use reader::Reader;
use std::borrow::Cow;

/// Why a guest could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The guest cannot be read.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// Somebody asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Explain for LoadError {
    fn kind(&self) -> Kind {
        match self {
            Self::Guest(error) => error.kind(),
            Self::Cancelled(cancelled) => cancelled.kind(),
        }
    }

    fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Guest(error) => error.hint(),
            Self::Cancelled(_) => None,
        }
    }
}

/// Reads everything that planning wants to know: the tree, the packages, how it boots, who needs what.
pub fn load(guest: &mut dyn Guest, job: &Job) -> Result<Loaded, LoadError> {
    job.items("reading files", 0, None);
    let (tree, unread) = guest.walk(job)?;
    let mut warnings = Warnings::default();
    warnings.extend(unread);
    warn_left_out(&tree, &mut warnings);
    let disk = guest.disk().clone();
    if tree.resolve(b"/etc").is_none() && tree.resolve(b"/usr").is_none() {
        let image = escape(disk.origin.image.as_bytes()).into_owned();
        return Err(GuestError::System(format!("no Linux system in {image}")).into());
    }
    let mut reader = Reader::new(guest, job);
    job.items("reading the package database", 0, None);
    let format = pkgdb::detect(&tree);
    let mut fetch = |file, most| reader.whole(&tree, file, most);
    let database = format.read(&tree, &mut fetch, job)?;
    warnings.append(database.warnings);
    let heads = heads::read(&tree, &mut reader, job)?;
    let os = os::read(&tree, &mut reader, &database.arch);
    let mut inventory = Inventory {
        origin: disk.origin,
        os,
        mounts: disk.mounts,
        tree,
        package_format: format.id(),
        packages: database.packages,
        owners: database.owners,
        follows: Vec::new(),
        texts: database.texts,
        components: Components::default(),
        boot: BootChain::default(),
        warnings: Vec::new(),
    };
    inventory.follows = follow::follows(&inventory);
    let (elves, more) = elf::read_all(&inventory.tree, &heads, &mut reader, job)?;
    warnings.append(more);
    let facts = Facts {
        inventory: &inventory,
        heads: &heads,
        elves: &elves,
    };
    job.items("reading the boot chain", 0, None);
    let (boot, more) = boot::chain(&facts, &mut reader);
    warnings.append(more);
    job.check()?;
    let found = find(&facts, &mut reader, job)?;
    warnings.append(found.warnings);
    warnings.append(reader.warnings);
    inventory.boot = boot;
    inventory.components = found.components;
    inventory.warnings = warnings.into_sorted();
    job.items("working out what needs what", 0, None);
    Ok(Loaded::new(inventory, found.needs, found.unmet, job)?)
}

/// Names that the tree has no room for are a warning.
fn warn_left_out(tree: &FileTree, warnings: &mut Warnings) {
    if tree.left_out() > 0 {
        let names = plural(tree.left_out() as u64, "file is", "files are");
        let text = format!(
            "{names} left out: their paths, or all names together, are longer than those of any system"
        );
        warnings.push(Warning::new(b"", text));
    }
}

/// Runs every finder.
fn find(facts: &Facts<'_>, reader: &mut Reader<'_>, job: &Job) -> Result<Found, Cancelled> {
    let mut found = Found::default();
    for id in FinderId::all() {
        let finder = id.row();
        let Run::Find(find) = finder.run else {
            continue;
        };
        let step = format!("finding needs: {}", finder.id);
        job.items(&step, u64::from(id.0), Some(FINDERS.len() as u64));
        if find(&mut Scan::new(id, facts, reader, &mut found, job)).is_err() {
            // The finder stopped for one of the reasons below, unless somebody asked to stop.
            job.check()?;
        }
    }
    let limits = [
        (
            is_spent(&facts.inventory.tree),
            "the files name more others than those of any system",
        ),
        (found.is_full(), "more needs than any system has"),
        (
            found.patterns.is_spent(),
            "patterns of paths name more than any system has",
        ),
    ];
    for (_, text) in limits.into_iter().filter(|(is_reached, _)| *is_reached) {
        let text = format!("{text}: not all were followed");
        found.warnings.push(Warning::new(b"", text));
    }
    found.components.modules.sort();
    found.components.modules.dedup();
    found.unmet.sort();
    found.unmet.dedup();
    Ok(found)
}
