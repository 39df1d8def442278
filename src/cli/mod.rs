//! The headless face: one file a command, sentences for people, `--json` for programs, the same exit codes for both.

#![expect(
    clippy::format_push_string,
    reason = "what is printed is short, and `+=` reads better than `write!` with its answer"
)]

pub mod args;
mod components;
pub mod failure;
mod guest;
mod inspect;
mod interrupt;
mod json;
pub mod manual;
mod out;
mod plan;
mod profile;
mod progress;
mod replay;
mod suggest;
mod trace;
mod trace_report;
mod verify;
mod weights;
mod why;

use crate::model::table;

pub use args::{Args, Command, ScreenArgs};
pub use guest::Opening;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Done,
    /// Done, with findings that `--strict` turns into failure.
    Findings,
    /// A check of the profile failed.
    CheckFailed,
}

impl Outcome {
    /// What the program returns.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 1,
            Self::CheckFailed => 4,
        }
    }
}

/// Runs one command.
pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Inspect(args) => inspect::run(args),
        Command::Plan(args) => plan::run(args),
        Command::Why(args) => why::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Trace(args) => trace::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Profile(args) => profile::run(args),
        Command::Help(args) => manual::help(args),
        Command::Man(args) => manual::man(args),
    }
}
