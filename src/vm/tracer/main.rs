//! The first program of a traced or verified guest: part of the initramfs, never of an image.
//!
//! The kernel runs it as process 1 (`rdinit=`). It sets the hooks, leaves a copy of itself behind (the agent), and becomes the
//! initramfs's own `/init`. The agent survives the switch to the real root, waits until the guest is up, runs the commands and
//! sends what it saw. Of the guest it needs only `/bin/sh`: no network and no account.

mod agent;
mod btf;
mod commands;
mod hooks;
mod system;
#[path = "../wire.rs"]
#[allow(dead_code)]
mod wire;

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Where the tracer lives: a file system of its own, which the initramfs leaves alone when it empties itself.
pub const HOME: &str = "/.guestslim";

fn main() {
    let mut args = std::env::args_os();
    let first = args.next().unwrap_or_default();
    if first == "@guestslim" {
        agent::run();
    } else if first == "guestslim-command" {
        let words: Vec<_> = args.collect();
        commands::become_command(&words);
    }
    become_init();
}

/// Process 1: prepares all, starts the agent, becomes the guest's own first program.
fn become_init() -> ! {
    if let Err(error) = start_agent() {
        eprintln!("guestslim: {error}");
    }
    let error = Command::new("/init")
        .args(std::env::args_os().skip(1))
        .exec();
    eprintln!("guestslim: cannot run /init: {error}");
    std::process::exit(1)
}

fn start_agent() -> std::io::Result<()> {
    let program = std::fs::read(format!("{HOME}/tracer"))?;
    let orders = std::fs::read(format!("{HOME}/orders"))?;
    system::mount("tmpfs", HOME, "tmpfs")?;
    for (kind, name) in [("proc", "proc"), ("sysfs", "sys"), ("tracefs", "trace")] {
        let at = format!("{HOME}/{name}");
        std::fs::create_dir(&at)?;
        // A kernel without tracefs still boots and runs the commands.
        let _ = system::mount(kind, &at, kind);
    }
    std::fs::write(format!("{HOME}/tracer"), program)?;
    std::fs::write(format!("{HOME}/orders"), &orders)?;
    system::make_executable(&format!("{HOME}/tracer"))?;
    let orders =
        wire::Orders::decode(&orders).ok_or_else(|| std::io::Error::other("bad orders"))?;
    system::make_serial_port(&format!("{HOME}/port"), orders.port)?;
    std::fs::write(format!("{HOME}/empty"), "")?;
    let nowhere = || {
        std::fs::OpenOptions::new()
            .read(true)
            .append(true)
            .open(format!("{HOME}/empty"))
    };
    let mut agent = Command::new(format!("{HOME}/tracer"));
    agent
        .arg0("@guestslim")
        .stdin(nowhere()?)
        .stdout(nowhere()?)
        .stderr(nowhere()?);
    let child = agent.spawn()?;
    let note = if orders.records {
        hooks::set(child.id())
    } else {
        String::new()
    };
    // The agent waits for this file: what it says is set before anything of the guest runs.
    std::fs::write(format!("{HOME}/note.new"), note)?;
    std::fs::rename(format!("{HOME}/note.new"), format!("{HOME}/note"))
}
