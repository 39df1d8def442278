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
use crate::finders::{FINDERS, Facts, Found, Run, Scan, boot, elf, follow};
use crate::guest::{Guest, GuestError};
use crate::job::{Cancelled, Job};
use crate::model::text::escape;
use crate::model::{BootChain, Components, FinderId, Inventory, Warning};
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
    let (tree, mut warnings) = guest.walk(job)?;
    let disk = guest.disk().clone();
    if tree.resolve(b"/etc").is_none() && tree.resolve(b"/usr").is_none() {
        let image = escape(disk.origin.image.as_bytes()).into_owned();
        return Err(GuestError::System(format!("no Linux system in {image}")).into());
    }
    let mut reader = Reader::new(guest);
    job.items("reading the package database", 0, None);
    let format = pkgdb::detect(&tree);
    let database = format.read(&tree, &mut |file| reader.whole(&tree, file), job)?;
    warnings.extend(database.warnings);
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
    warnings.extend(more);
    let facts = Facts {
        inventory: &inventory,
        heads: &heads,
        elves: &elves,
    };
    job.items("reading the boot chain", 0, None);
    let (boot, more) = boot::chain(&facts, &mut reader);
    warnings.extend(more);
    job.check()?;
    let found = find(&facts, &mut reader, job)?;
    warnings.extend(found.warnings);
    warnings.extend(reader.warnings);
    warnings.sort();
    warnings.dedup();
    inventory.boot = boot;
    inventory.components = found.components;
    inventory.warnings = warnings;
    job.items("working out what needs what", 0, None);
    Ok(Loaded::new(inventory, found.needs, found.unmet))
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
        find(&mut Scan::new(id, facts, reader, &mut found, job))?;
    }
    if found.is_full() {
        let text = "more needs than any honest system has: not all were looked at";
        found.warnings.push(Warning::new(b"", text));
    }
    found.components.modules.sort();
    found.components.modules.dedup();
    found.unmet.sort();
    found.unmet.dedup();
    Ok(found)
}
