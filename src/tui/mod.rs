//! The screen of `guestslim IMAGE`.
//!
//! State is in [`app`] and [`desk`]; [`update`] changes it for a message and says what else must happen; [`views`] draws
//! it; [`events`] is the loop between the terminal, `update` and the [`worker`], which alone reads and writes. What a
//! person can do is one table, [`actions`].
//!
//! The screen never waits: whatever may take longer than a frame is the worker's. It never shows a guest's text that has not
//! passed [`escape`](crate::model::text::escape).

pub mod actions;
pub mod app;
mod available;
pub mod desk;
mod disk;
pub mod events;
pub mod fit;
pub mod host;
pub mod input;
pub mod keys;
pub mod layout;
pub mod lists;
pub mod look;
pub mod message;
mod overlay;
mod run;
pub mod terminal;
pub mod update;
pub mod views;
pub mod words;
pub mod worker;

#[cfg(test)]
mod journeys;

pub use run::{Request, run};
