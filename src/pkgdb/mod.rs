//! Package databases: bytes in, facts out.
//!
//! Nothing here sees a guest handle, a screen or the host's disk: the caller looks files up and hands their bytes over.
//! Parsers never fail as a whole; what they cannot read is a [`Warning`](crate::model::Warning) with its place.

pub mod dpkg;
