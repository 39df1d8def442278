#![doc = include_str!("ARCHITECTURE.md")]

pub mod cli;
pub mod export;
pub mod finders;
pub mod graph;
pub mod guest;
pub mod job;
pub mod load;
pub mod model;
pub mod pkgdb;
pub mod plan;
pub mod profile;
pub mod session;
pub mod trace;
pub mod tui;
pub mod verify;
pub mod vm;
