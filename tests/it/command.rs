//! Runs the real binary.

use assert_cmd::Command;
use std::process::{self, Output};

/// Exit code, standard output, standard error.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The program with a quiet environment.
pub fn guestslim() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guestslim"));
    command
        .env("LC_ALL", "C.UTF-8")
        .env("COLUMNS", "100")
        .env_remove("RUST_BACKTRACE");
    command
}

/// Runs `guestslim ARGS`; whatever the program says must be fit for a terminal and no panic.
pub fn run(args: &[&str]) -> Ran {
    ran(&guestslim().args(args).output().expect("the binary runs"))
}

/// What a finished program said.
pub fn ran(output: &Output) -> Ran {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("only UTF-8 is printed");
    let ran = Ran {
        code: output.status.code().expect("no signal ended it"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    };
    for said in [&ran.out, &ran.err] {
        assert!(!said.contains("panicked at"), "{said}");
        let unsafe_char = said.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(unsafe_char, None, "{said:?}");
    }
    ran
}

/// A program of the system's that may lie where a plain user's path does not lead.
pub fn program(name: &str) -> process::Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = process::Command::new(name);
    command.env("PATH", format!("{path}:/sbin:/usr/sbin"));
    command
}
