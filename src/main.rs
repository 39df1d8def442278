//! Parses the arguments, picks the face, turns an error into a sentence and an exit code.

use clap::Parser as _;
use guestslim::cli::{self, Args};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match &args.command {
        Some(command) => cli::run(command).map(cli::Outcome::exit_code),
        None => Ok(2),
    };
    match ended {
        Ok(code) => code.into(),
        Err(error) => {
            cli::failure::print(&error);
            cli::failure::exit_code(&error).into()
        }
    }
}
