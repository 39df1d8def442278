//! From a guest's bytes to an inventory and its needs.

mod loaded;

pub use loaded::Loaded;
