//! A question with all that matters for the answer.
//!
//! ```text
//! + Export -----------------------------------------+
//! | Write demo-slim.qcow2?                          |
//! | Projected: 512.3 MB of 1.31 GB on disk ...      |
//! | y yes  n no                                     |
//! +-------------------------------------------------+
//! ```

use super::text;
use crate::tui::app::App;
use crate::tui::desk::Confirm;
use crate::tui::look::Role;
use ratatui::buffer::Buffer;

/// Draws the question; its answers are the footer's words.
pub fn render(app: &App, confirm: &Confirm, size: (u16, u16), buf: &mut Buffer) {
    text::boxed(
        app,
        confirm.title,
        Role::Title,
        &confirm.lines,
        0,
        size,
        buf,
    );
}
