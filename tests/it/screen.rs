//! The real program on a real (pseudo) terminal: what it shows, and that it gives the terminal back.

use crate::tiny;
use guestslim::tui::terminal::Taken;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{Read as _, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a test waits for a text before it fails.
const DEADLINE: Duration = Duration::from_secs(30);
const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(80).unwrap();
/// Tells this very program, started on a terminal of its own, that it is to take it and panic.
const PANIC: &str = "GUESTSLIM_TEST_PANIC";

/// The program on its terminal.
struct Run {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    bytes: Vec<u8>,
    _master: Box<dyn MasterPty + Send>,
}

impl Run {
    fn start(program: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let size = PtySize {
            rows: ROWS.get(),
            cols: COLUMNS.get(),
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        for (name, value) in environment {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).expect("it starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keyboard = pair.master.take_writer().expect("a writer");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            keyboard,
            output,
            parser: vt100::Parser::new(ROWS, COLUMNS, 0),
            bytes: Vec::new(),
            _master: pair.master,
        }
    }

    fn guestslim(image: &Path) -> Self {
        let program = assert_cmd::cargo::cargo_bin!("guestslim");
        Self::start(program, &[image.to_str().expect("a plain path")], &[])
    }

    fn picture(&self) -> String {
        self.parser.screen().contents()
    }

    /// Takes in what the program writes until `is_done`, or until it has ended.
    fn read_until(&mut self, what: &str, is_done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !is_done(self) {
            let rest = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(rest) {
                Ok(bytes) => {
                    self.parser.process(&bytes);
                    self.bytes.extend(bytes);
                }
                Err(error) => panic!("no {what} ({error}) on\n{}", self.picture()),
            }
        }
    }

    fn wait_for(&mut self, text: &str) {
        self.read_until(text, |run| run.picture().contains(text));
    }

    fn press(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("it listens");
        self.keyboard.flush().expect("it listens");
    }

    /// The exit code and all that was written after the screen was left.
    #[track_caller]
    fn end(mut self) -> (u32, String) {
        let left = b"\x1b[?1049l";
        self.read_until("end of the alternate screen", |run| {
            run.bytes.windows(left.len()).any(|window| window == left)
        });
        let status = self.child.wait().expect("it ends");
        while let Ok(bytes) = self.output.recv_timeout(DEADLINE) {
            self.parser.process(&bytes);
            self.bytes.extend(bytes);
        }
        assert!(
            !self.parser.screen().alternate_screen(),
            "the screen is still the program's"
        );
        assert!(
            !self.parser.screen().hide_cursor(),
            "the cursor is still hidden"
        );
        assert!(
            !self.parser.screen().bracketed_paste(),
            "pasted text is still marked"
        );
        (status.exit_code(), self.picture())
    }
}

#[test]
fn a_folder_is_opened_marked_and_left() {
    let guest = tiny::guest();
    let mut run = Run::guestslim(guest.path());
    run.wait_for("python3-numpy");
    assert!(run.parser.screen().alternate_screen());
    run.wait_for("Debian GNU/Linux 12 (bookworm)");
    run.press("/numpy\r");
    run.wait_for("filter: numpy");
    run.press("k");
    run.wait_for("keep whole python3-numpy");
    run.press("\x1b");
    run.wait_for("for python3-numpy");
    run.press("q");
    run.wait_for("Quit without saving?");
    run.press("y");
    let (code, after) = run.end();
    assert_eq!((code, after.trim()), (0, ""));
}

#[test]
fn hostile_names_do_nothing_to_the_terminal() {
    let guest = tiny::guest();
    let mut run = Run::guestslim(guest.path());
    run.wait_for("python3-numpy");
    run.press("\t/txt\r");
    run.wait_for("red-\\x1b[31m.txt");
    run.wait_for("two\\x0alines.txt");
    run.wait_for("latin1-\\xe9.txt");
    run.press("q");
    assert_eq!(run.end().0, 0);
}

#[test]
fn an_error_is_shown_and_reported_once_more_after_the_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = folder.path().join("text.qcow2");
    std::fs::write(&image, "no image at all").expect("a file");
    let mut run = Run::guestslim(&image);
    run.wait_for("Cannot open");
    run.press("q");
    let (code, after) = run.end();
    assert!(code == 2 || code == 3, "{code}");
    assert!(after.contains("error: "), "{after}");
}

#[test]
fn a_signal_ends_it_properly() {
    let guest = tiny::guest();
    let mut run = Run::guestslim(guest.path());
    run.wait_for("python3-numpy");
    let id = run.child.process_id().expect("it runs").to_string();
    let kill = std::process::Command::new("kill")
        .args(["-TERM", &id])
        .status();
    assert!(kill.expect("kill runs").success());
    assert_eq!(run.end().0, 130);
}

#[test]
fn the_terminal_comes_back_after_a_panic() {
    let program = std::env::current_exe().expect("this program");
    let arguments = [
        "--exact",
        "screen::panics_where_it_is_told_to",
        "--nocapture",
    ];
    let run = Run::start(
        &program,
        &arguments,
        &[(PANIC, "1"), ("RUST_BACKTRACE", "0")],
    );
    let (code, after) = run.end();
    assert_ne!(code, 0);
    assert!(after.contains("a defect"), "{after}");
}

/// Does nothing but in the hands of the test above.
#[test]
fn panics_where_it_is_told_to() {
    if std::env::var_os(PANIC).is_some() {
        let _terminal = Taken::take().expect("a terminal");
        panic!("a defect");
    }
}
