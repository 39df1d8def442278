//! Lines to read: a report, an error.

use super::{footer, frame, put, rows};
use crate::tui::app::App;
use crate::tui::desk::Text;
use crate::tui::fit;
use crate::tui::layout;
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const WIDTH: u16 = 96;
/// Frame and line of keys.
const AROUND: u16 = 3;

fn wrapped(lines: &[String], width: u16) -> Vec<String> {
    let wrap = |line: &String| fit::wrap_table(&words::printable(line), usize::from(width));
    lines.iter().flat_map(wrap).collect()
}

/// Columns inside the box.
fn inner_width(size: (u16, u16)) -> u16 {
    layout::middle(size, WIDTH, 5)
        .width
        .saturating_sub(4)
        .max(1)
}

/// How many lines a text has when it is wrapped, and how many are visible.
pub fn extent(text: &Text, size: (u16, u16)) -> (usize, usize) {
    let lines = wrapped(&text.lines, inner_width(size)).len();
    let height = layout::middle(size, WIDTH, lines as u16 + AROUND).height;
    (lines, usize::from(height.saturating_sub(AROUND)))
}

/// Draws the box.
pub fn render(app: &App, text: &Text, size: (u16, u16), buf: &mut Buffer) {
    let role = if text.is_trouble {
        Role::Warning
    } else {
        Role::Title
    };
    boxed(
        app,
        text.title,
        role,
        &text.lines,
        text.cursor.top,
        size,
        buf,
    );
}

/// Draws lines in a box in the middle, the keys in its last line.
pub fn boxed(
    app: &App,
    title: &str,
    role: Role,
    lines: &[String],
    top: usize,
    size: (u16, u16),
    buf: &mut Buffer,
) {
    let lines = wrapped(lines, inner_width(size));
    let area = layout::middle(size, WIDTH, (lines.len() as u16).saturating_add(AROUND));
    let inner = frame(buf, area, title, app.look.of(role));
    let body = Rect {
        height: inner.height.saturating_sub(1),
        ..inner
    };
    for (row, line) in rows(body).zip(lines.iter().skip(top)) {
        put(buf, row.x, row.y, row.width, line, app.look.of(Role::Plain));
    }
    let keys = Rect {
        y: body.bottom(),
        height: inner.height.min(1),
        ..inner
    };
    footer::render(app, keys, buf);
}
