//! Progress on a terminal's standard error; silence in a pipe.

use crate::job::{Job, Progress, Unit};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::time::Duration;

/// The line that shows what is going on; it is wiped when this is dropped.
pub struct Line(Option<ProgressBar>);

impl Line {
    /// A line on standard error, if that is a terminal.
    pub fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(Some(bar))
    }

    /// A job that reports to this line.
    pub fn job(&self) -> Job {
        match &self.0 {
            Some(bar) => {
                let bar = bar.clone();
                Job::new(move |progress| show(&bar, progress))
            }
            None => Job::quiet(),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    let template = match (progress.total, progress.unit) {
        (None, Unit::Items) if progress.done == 0 => "{spinner} {msg} ({elapsed})",
        (None, Unit::Items) => "{spinner} {msg}: {human_pos} ({elapsed})",
        (None, Unit::Bytes) => "{spinner} {msg}: {decimal_bytes} ({elapsed})",
        (Some(_), Unit::Items) => "{spinner} {msg} {wide_bar} {human_pos}/{human_len}",
        (Some(_), Unit::Bytes) => {
            "{spinner} {msg} {wide_bar} {decimal_bytes}/{decimal_total_bytes}"
        }
    };
    if bar.message() != progress.step {
        bar.reset_elapsed();
    }
    bar.set_style(ProgressStyle::with_template(template).expect("the templates above are valid"));
    match progress.total {
        Some(total) => bar.set_length(total),
        None => bar.unset_length(),
    }
    bar.set_position(progress.done);
    bar.set_message(progress.step);
}
