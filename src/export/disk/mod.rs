//! A new disk for an output: where things lie, its partition table, its file systems. All of it is pure; what is made
//! of it in the appliance is in `repack` and `shrink`.

pub(super) mod ext;
pub(super) mod geometry;
pub(super) mod leftovers;
mod refusal;
pub(super) mod room;
pub(super) mod smaller;
pub(super) mod table;
pub(super) mod xfs;
