//! What a person does and sees: the real loop on a terminal in memory, keys through the channel that real ones take.

pub mod guest;
mod host;
mod marking;
mod opening;
mod proving;
mod reading;
mod results;

use super::app::{App, Ending};
use super::events::Screen;
use super::keys::Key;
use super::look::Look;
use super::message::Msg;
use super::worker::Worker;
use crossbeam_channel::{Sender, after, never, unbounded};
use crossterm::event::KeyCode;
use host::{Gate, Props, Stand};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::time::Duration;

/// How long a test waits for a text before it fails.
const DEADLINE: Duration = Duration::from_secs(10);

/// A person in front of the screen.
pub struct Journey {
    screen: Screen,
    keyboard: Sender<Msg>,
    terminal: Terminal<TestBackend>,
    ending: Option<Ending>,
    /// What the host was asked to do, and what it answers.
    pub props: Props,
}

impl Journey {
    /// Starts the screen at 80x24 on a guest that opens at once.
    pub fn start() -> Self {
        Self::start_with(Props::default(), (80, 24))
    }

    /// Starts the screen with other answers or another size.
    pub fn start_with(props: Props, (columns, rows): (u16, u16)) -> Self {
        let (keyboard, input) = unbounded();
        let stand = Stand::new(props.clone());
        let worker = Worker::start(move || stand).expect("a thread can start");
        let (app, first) = App::new(
            "images/demo.qcow2".into(),
            Look::new(false),
            (columns, rows),
        );
        let backend = TestBackend::new(columns, rows);
        let mut journey = Self {
            screen: Screen::new(app, first, worker, input),
            keyboard,
            terminal: Terminal::new(backend).expect("a terminal in memory"),
            ending: None,
            props,
        };
        journey.draw();
        journey
    }

    /// Waits until the guest is open.
    pub fn opened(mut self) -> Self {
        self.wait_for("[Packages");
        self
    }

    /// Waits until the guest is open on a terminal too small for tabs.
    pub fn opened_small(mut self) -> Self {
        self.wait_for("base");
        self
    }

    /// Presses keys, named as the help names them, one after the other.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for name in keys.split(' ') {
            self.send(Msg::Key(key(name)));
        }
        self
    }

    /// Types text.
    pub fn write(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.send(Msg::Key(Key::char(c)));
        }
        self
    }

    /// Sends anything else.
    pub fn send(&mut self, msg: Msg) -> &mut Self {
        assert!(
            self.ending.is_none(),
            "the screen has ended\n{}",
            self.picture()
        );
        self.keyboard.send(msg).expect("the screen listens");
        self.ending = self.screen.turn(&never());
        self.draw();
        self
    }

    /// The terminal gets another size.
    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.terminal.backend_mut().resize(columns, rows);
        self.send(Msg::Resize(columns, rows))
    }

    /// Waits until a text is on the screen.
    pub fn wait_for(&mut self, text: &str) -> &mut Self {
        let deadline = after(DEADLINE);
        while !self.picture().contains(text) {
            assert!(
                self.ending.is_none(),
                "ended without {text:?}\n{}",
                self.picture()
            );
            self.ending = self.screen.turn(&deadline);
            self.draw();
            let is_late = deadline.is_empty() && self.screen.app.now > DEADLINE;
            assert!(!is_late, "no {text:?} on the screen\n{}", self.picture());
        }
        self
    }

    /// Waits until the screen ends; how it did.
    pub fn wait_for_end(&mut self) -> Ending {
        let deadline = after(DEADLINE);
        while self.ending.is_none() {
            self.ending = self.screen.turn(&deadline);
            assert!(
                self.screen.app.now < DEADLINE,
                "it does not end\n{}",
                self.picture()
            );
        }
        self.ending.take().expect("the loop waits for it")
    }

    /// Sees a text.
    #[track_caller]
    pub fn see(&mut self, text: &str) -> &mut Self {
        assert!(
            self.picture().contains(text),
            "no {text:?} in\n{}",
            self.picture()
        );
        self
    }

    /// Does not see a text.
    #[track_caller]
    pub fn miss(&mut self, text: &str) -> &mut Self {
        assert!(
            !self.picture().contains(text),
            "{text:?} in\n{}",
            self.picture()
        );
        self
    }

    /// The line that holds a text.
    #[track_caller]
    pub fn line(&self, text: &str) -> String {
        self.line_from(0, text)
    }

    /// The row of the list that holds a text.
    #[track_caller]
    pub fn row(&self, text: &str) -> String {
        self.line_from(4, text)
    }

    #[track_caller]
    fn line_from(&self, first: usize, text: &str) -> String {
        let picture = self.picture();
        let line = picture.lines().skip(first).find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("no {text:?} in\n{picture}"))
            .to_owned()
    }

    /// The exit code, once the screen has ended.
    #[track_caller]
    pub fn exit_code(&self) -> u8 {
        match &self.ending {
            Some(Ending::Code(code)) => *code,
            other => panic!("{other:?} is no exit code\n{}", self.picture()),
        }
    }

    /// The whole screen as text.
    pub fn picture(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let columns = usize::from(buffer.area.width).max(1);
        let row = |cells: &[ratatui::buffer::Cell]| {
            let line: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned()
        };
        buffer
            .content
            .chunks(columns)
            .map(row)
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn draw(&mut self) {
        self.screen
            .draw(&mut self.terminal)
            .expect("a terminal in memory takes everything");
    }
}

fn key(name: &str) -> Key {
    match name {
        "Enter" => Key::code(KeyCode::Enter),
        "Esc" => Key::code(KeyCode::Esc),
        "Tab" => Key::code(KeyCode::Tab),
        "Up" => Key::code(KeyCode::Up),
        "Down" => Key::code(KeyCode::Down),
        "Left" => Key::code(KeyCode::Left),
        "Right" => Key::code(KeyCode::Right),
        "End" => Key::code(KeyCode::End),
        "PgDn" => Key::code(KeyCode::PageDown),
        "Backspace" => Key::code(KeyCode::Backspace),
        "Space" => Key::char(' '),
        "Ctrl-C" => Key::ctrl('c'),
        "Ctrl-R" => Key::ctrl('r'),
        "Ctrl-U" => Key::ctrl('u'),
        name => Key::char(name.chars().next().expect("a key has a name")),
    }
}
