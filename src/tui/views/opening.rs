//! While a guest is being opened, and when it could not be.
//!
//! ```text
//! + Opening demo.qcow2 -----------------------------+
//! | done   reading the partition table              |
//! | /      reading files     21,151                 |
//! | 3 s                                             |
//! | Esc cancel                                      |
//! +-------------------------------------------------+
//! ```

use super::{text, working};
use crate::tui::app::{App, Running, Trouble};
use crate::tui::fit;
use crate::tui::look::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the progress.
pub fn render(app: &App, running: &Running, area: Rect, buf: &mut Buffer) {
    let title = title(app, "Opening", area);
    working::render(app, &title, running, (area.width, area.height), buf);
}

/// Draws the error.
pub fn render_failed(app: &App, trouble: &Trouble, area: Rect, buf: &mut Buffer) {
    let title = title(app, "Cannot open", area);
    let size = (area.width, area.height);
    text::boxed(app, &title, Role::Warning, &trouble.lines, 0, size, buf);
}

fn title(app: &App, word: &str, area: Rect) -> String {
    let room = usize::from(area.width).saturating_sub(word.len() + 12);
    format!("{word} {}", fit::cut_start(&app.image, room))
}
