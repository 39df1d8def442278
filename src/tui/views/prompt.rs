//! A line to type: in place of the tabs for a filter, in a box for a path or a name.
//!
//! ```text
//! + Save the profile as -------------------+
//! | demo.ron_                              |
//! | Enter ok  Esc cancel                   |
//! +----------------------------------------+
//! ```

use super::{footer, frame, put, rows};
use crate::model::table::plural;
use crate::tui::app::App;
use crate::tui::desk::{Naming, Prompt, Purpose};
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
        Purpose::Module => "Keep a module, as LANGUAGE:NAME; * stands for any text",
        Purpose::Filter => "Filter",
    };
    let naming = prompt.naming.as_ref();
    let lines = naming.map_or(Vec::new(), |naming| naming_lines(app, naming));
    let inner = frame(
        buf,
        layout::middle(size, 76, 5 + lines.len() as u16),
        title,
        app.look.of(Role::Title),
    );
    let keys = Rect {
        y: inner.bottom().saturating_sub(1),
        height: 1,
        ..inner
    };
    footer::render(app, keys, buf);
    let below = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(2),
        ..inner
    };
    // Where there is little room, what the mark would do matters more than the names.
    let hidden = lines.len().saturating_sub(usize::from(below.height));
    for ((text, role), row) in lines.iter().skip(hidden).zip(rows(below)) {
        let text = fit::cut(text, usize::from(row.width));
        put(buf, row.x, row.y, row.width, &text, app.look.of(*role));
    }
    render_line(app, prompt, Rect { height: 1, ..inner }, buf)
}

/// The names that fit, and what a mark on what is typed would do.
fn naming_lines(app: &App, naming: &Naming) -> Vec<(String, Role)> {
    let names = &naming.matches.names;
    let mut lines: Vec<String> = names
        .iter()
        .map(|name| format!("  {}", words::printable(name)))
        .collect();
    let more = naming.matches.total - names.len();
    if more > 0 {
        lines.push(format!("  and {} more", words::count(more as u64)));
    }
    let lines = lines.into_iter().map(|line| (line, Role::Faint));
    lines.chain([(price(app, naming), Role::Mark)]).collect()
}

/// What the mark would do, or that there is nothing of this name.
fn price(app: &App, naming: &Naming) -> String {
    let level = naming.level.word();
    let (Some(after), Some(desk)) = (naming.after, app.desk()) else {
        return match naming.matches.total {
            0 => "nothing in this guest has this name".to_owned(),
            _ => format!("keep {level}: type more of the name"),
        };
    };
    let change = words::change(desk.session.plan().after.allocated, after);
    let modules = plural(naming.matches.modules as u64, "module", "modules");
    format!("keep {level}: {modules}{change}")
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
