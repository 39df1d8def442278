//! Running work: its steps, progress and time.
//!
//! ```text
//! + Exporting to demo-slim.qcow2 -------------------+
//! | done   making the overlay                       |
//! | /      deleting files     12,041 of 40,100      |
//! | 0:42 min                                        |
//! | Esc cancel                                      |
//! +-------------------------------------------------+
//! ```

use super::text;
use crate::job::{Progress, Unit};
use crate::model::Bytes;
use crate::tui::app::{App, Running};
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use std::time::Duration;

/// How many finished steps are shown.
const SHOWN: usize = 10;
const SPINNER: [&str; 4] = ["|", "/", "-", "\\"];
/// How long a sign of the spinner stands.
const SPIN: Duration = Duration::from_millis(120);

/// Draws the box.
pub fn render(app: &App, title: &str, running: &Running, size: (u16, u16), buf: &mut Buffer) {
    let lines = lines(app, running);
    text::boxed(app, title, Role::Title, &lines, 0, size, buf);
}

/// The steps and the time.
pub fn lines(app: &App, running: &Running) -> Vec<String> {
    let elapsed = app.now.saturating_sub(running.since);
    let from = running.done.len().saturating_sub(SHOWN);
    let done = running.done[from..]
        .iter()
        .map(|step| format!("  done  {step}"));
    let mut lines: Vec<String> = done.collect();
    let spin = SPINNER[(elapsed.as_millis() / SPIN.as_millis()) as usize % SPINNER.len()];
    let now = match &running.progress {
        Some(progress) => step(progress),
        None => "starting".to_owned(),
    };
    lines.push(format!("     {spin}  {now}"));
    if !running.printed.is_empty() {
        let from = running.printed.len().saturating_sub(SHOWN);
        lines.push(String::new());
        lines.extend(
            running
                .printed
                .iter()
                .skip(from)
                .map(|line| format!("  | {line}")),
        );
    }
    let state = if running.is_stopping() {
        ", stopping"
    } else {
        ""
    };
    lines.push(String::new());
    lines.push(format!("{}{state}", words::time(elapsed)));
    lines
}

fn step(progress: &Progress) -> String {
    let show = |number: u64| match progress.unit {
        Unit::Items => words::count(number),
        Unit::Bytes => Bytes(number).to_string(),
    };
    let figures = match (progress.done, progress.total) {
        (done, Some(total)) if total > 0 => {
            let percent = u128::from(done) * 100 / u128::from(total);
            format!(
                "  {} of {} ({} %)",
                show(done),
                show(total),
                percent.min(100)
            )
        }
        (0, _) => String::new(),
        (done, _) => format!("  {}", show(done)),
    };
    format!("{}{figures}", progress.step)
}
