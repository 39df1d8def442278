//! The screen from the first drawing to the terminal's return.

use super::app::{App, Ending};
use super::disk::Disk;
use super::events::Screen;
use super::keys::Key;
use super::look::Look;
use super::message::Msg;
use super::terminal::Taken;
use super::words;
use super::worker::Worker;
use crate::guest::OpenOptions;
use crate::profile::Profile;
use anyhow::{Context as _, Result};
use crossbeam_channel::{Receiver, Sender, unbounded};
use crossterm::event::{self, Event, KeyEventKind};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::PathBuf;
use std::time::Duration;

/// How long the program waits at its end for work that was cancelled.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the screen is asked to show.
#[derive(Debug)]
pub struct Request {
    /// The image, or a folder that is a guest's root.
    pub image: PathBuf,
    /// How it is opened.
    pub open: OpenOptions,
    /// A profile to begin with, and where it came from.
    pub profile: Option<(PathBuf, Profile)>,
}

/// Shows the screen until somebody leaves it; returns the exit code.
///
/// # Errors
/// When the terminal cannot be used, or the guest could not be opened: the error that the screen has shown already.
pub fn run(request: Request) -> Result<u8> {
    let size = crossterm::terminal::size().context("cannot ask the terminal for its size")?;
    let image = words::path(&request.image);
    let (mut app, first) = App::new(image, Look::new(has_colour()), size);
    app.profile = request.profile.as_ref().map(|(path, _)| path.clone());
    let worker = Worker::start(move || Disk::new(request)).context("cannot start a thread")?;

    let mut terminal = Taken::take().context("cannot use the terminal")?;
    let input = listen().context("cannot listen to signals")?;
    let screen = Screen::new(app, first, worker, input);
    let ended = screen.run(&mut terminal);
    drop(terminal);

    let (ending, worker) = ended?;
    worker.stop(PATIENCE);
    match ending {
        Ending::Code(code) => Ok(code),
        Ending::Failed(error) => Err(error),
    }
}

/// See <https://no-color.org>.
fn has_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Starts the threads that turn keys and signals into messages; they end with the program.
fn listen() -> std::io::Result<Receiver<Msg>> {
    let (sender, input) = unbounded();
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let on_signal = sender.clone();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for _ in signals.forever() {
                let _ = on_signal.send(Msg::Terminate);
            }
        })?;
    std::thread::Builder::new()
        .name("input".into())
        .spawn(move || read_keys(&sender))?;
    Ok(input)
}

/// Reads the terminal until it is gone; then the program has nobody to talk to and ends.
fn read_keys(sender: &Sender<Msg>) {
    while let Ok(event) = event::read() {
        let msg = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => Msg::Key(Key::from(key)),
            Event::Paste(text) => Msg::Paste(text),
            Event::Resize(columns, rows) => Msg::Resize(columns, rows),
            _ => continue,
        };
        if sender.send(msg).is_err() {
            return;
        }
    }
    let _ = sender.send(Msg::Terminate);
}
