//! dpkg's database as it lies in `/var/lib/dpkg`, and apt's `extended_states`.
//!
//! Formats: deb-control(5), deb-version(7), dpkg-divert(1), update-alternatives(1), dpkg-statoverride(1), deb-triggers(5)
//! and dpkg's own source where the manuals are silent.

pub mod alternatives;
pub mod database;
pub mod edit;
pub mod lists;
pub mod records;
pub mod relation;
pub mod stanza;
pub mod status;

pub use alternatives::Alternative;
pub use database::{Database, read};
