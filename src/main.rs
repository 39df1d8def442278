//! Parses the arguments, picks the face, turns an error into a sentence and an exit code.

use clap::Parser as _;
use guestslim::cli::{self, Args, ScreenArgs};
use guestslim::fault::Refusal;
use guestslim::profile::Profile;
use guestslim::tui;
use std::io::IsTerminal as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let ended = match &args.command {
        Some(command) => cli::run(command).map(cli::Outcome::exit_code),
        None => screen(args.screen),
    };
    match ended {
        Ok(code) => code.into(),
        Err(error) => {
            cli::failure::print(&error);
            cli::failure::exit_code(&error).into()
        }
    }
}

fn screen(args: ScreenArgs) -> anyhow::Result<u8> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        let hint = "without one, use: guestslim inspect, plan, why or replay";
        return Err(Refusal::new("the screen needs a terminal", hint).into());
    }
    let profile = args
        .profile
        .map(|path| Profile::read(&path).map(|profile| (path, profile)))
        .transpose()?;
    tui::run(tui::Request {
        image: args
            .image
            .expect("clap asks for it where there is no command"),
        open: args.open.options(),
        profile,
    })
}
