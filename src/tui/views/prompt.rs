//! A line to type: in place of the tabs for a filter, in a box for a path.
//!
//! ```text
//! + Save the profile as -------------------+
//! | demo.ron_                              |
//! | Enter ok  Esc cancel                   |
//! +----------------------------------------+
//! ```

use super::{footer, frame, put};
use crate::tui::app::App;
use crate::tui::desk::{Prompt, Purpose};
use crate::tui::fit;
use crate::tui::layout;
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Draws the filter's line; returns the cursor's place.
pub fn render_filter(app: &App, prompt: &Prompt, area: Rect, buf: &mut Buffer) -> Position {
    put(
        buf,
        area.x,
        area.y,
        area.width,
        &" ".repeat(usize::from(area.width)),
        app.look.of(Role::Plain),
    );
    let label = "filter: ";
    put(
        buf,
        area.x,
        area.y,
        area.width,
        label,
        app.look.of(Role::Mark),
    );
    let at = label.len() as u16;
    let line = Rect {
        x: area.x + at,
        width: area.width.saturating_sub(at),
        ..area
    };
    render_line(app, prompt, line, buf)
}

/// Draws a path's box; returns the cursor's place.
pub fn render(app: &App, prompt: &Prompt, size: (u16, u16), buf: &mut Buffer) -> Position {
    let title = match prompt.purpose {
        Purpose::Save => "Save the profile as",
        Purpose::Export => "Export to (.qcow2, .raw, .vmdk, .vdi or .vhdx)",
        Purpose::Trace => "Trace this command in a throw-away machine (none: the boot alone)",
        Purpose::Filter => "Filter",
    };
    let inner = frame(
        buf,
        layout::middle(size, 76, 5),
        title,
        app.look.of(Role::Title),
    );
    let keys = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    footer::render(app, keys, buf);
    render_line(app, prompt, Rect { height: 1, ..inner }, buf)
}

/// Draws what was typed, scrolled so that the cursor is visible.
fn render_line(app: &App, prompt: &Prompt, area: Rect, buf: &mut Buffer) -> Position {
    let (before, after) = prompt.input.halves();
    let room = usize::from(area.width.saturating_sub(1));
    let before = fit::cut_start(&words::printable(&before), room).into_owned();
    let at = fit::width(&before);
    let after = words::printable(&after);
    let text = format!("{before}{}", fit::cut(&after, room.saturating_sub(at)));
    put(
        buf,
        area.x,
        area.y,
        area.width,
        &text,
        app.look.of(Role::Plain),
    );
    Position {
        x: area.x + at as u16,
        y: area.y,
    }
}
