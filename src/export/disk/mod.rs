//! A new disk for an output: its geometry, partition table and file systems. All of it is pure; `repack` and `shrink` carry it
//! out in the appliance.

pub(super) mod ext;
pub(super) mod geometry;
pub(super) mod leftovers;
mod refusal;
pub(super) mod room;
pub(super) mod smaller;
pub(super) mod table;
pub(super) mod xfs;
