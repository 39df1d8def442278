//! Draws the state: one file per region, each with one `render`. Only visible rows are formatted.

mod confirm;
mod detail;
mod files;
mod footer;
mod gauge;
mod header;
mod help;
mod opening;
mod packages;
mod panel;
mod prompt;
mod small;
mod suggestions;
mod tabs;
mod text;
mod why;
mod working;

use super::app::{App, Stage};
use super::desk::{Desk, Overlay, PanelKind, Purpose, View};
use super::layout::{self, Regions};
use super::look::Look;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget};

/// Draws everything; returns where the terminal's cursor belongs, if something is being typed.
pub fn render(app: &App, area: Rect, buf: &mut Buffer) -> Option<Position> {
    match &app.stage {
        Stage::Opening(running) => opening::render(app, running, area, buf),
        Stage::Failed(trouble) => opening::render_failed(app, trouble, area, buf),
        Stage::Open(desk) => return render_desk(app, desk, area, buf),
    }
    None
}

fn render_desk(app: &App, desk: &Desk, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let size = (area.width, area.height);
    let regions = Regions::of(size, desk);
    let filters =
        matches!(&desk.overlay, Some(Overlay::Prompt(prompt)) if prompt.purpose == Purpose::Filter);
    if layout::is_small(size) {
        small::render(app, desk, &regions, buf);
    } else {
        header::render(app, desk, regions.header, buf);
        gauge::render(app, desk, regions.gauge, buf);
        tabs::render(app, desk, regions.tabs, buf);
        match desk.view {
            View::Packages => packages::render(app, desk, &regions, buf),
            View::Files => files::render(app, desk, &regions, buf),
        }
        if let Some(area) = regions.why {
            why::render(app, desk, area, buf);
        }
        detail::render(app, desk, regions.detail, buf);
        if desk.overlay.is_none() || filters {
            footer::render(app, regions.footer, buf);
        }
    }
    render_overlay(app, desk, &regions, buf)
}

fn render_overlay(app: &App, desk: &Desk, regions: &Regions, buf: &mut Buffer) -> Option<Position> {
    let size = (buf.area.width, buf.area.height);
    match desk.overlay.as_ref()? {
        Overlay::Prompt(prompt) if prompt.purpose == Purpose::Filter => {
            let line = if layout::is_small(size) {
                regions.gauge
            } else {
                regions.tabs
            };
            return Some(prompt::render_filter(app, prompt, line, buf));
        }
        Overlay::Prompt(prompt) => return Some(prompt::render(app, prompt, size, buf)),
        Overlay::Help(cursor) => help::render(app, cursor.top, size, buf),
        Overlay::Panel(panel) => panel::render(app, desk, *panel, size, buf),
        Overlay::Confirm(confirm) => confirm::render(app, confirm, size, buf),
        Overlay::Working { title, running } => working::render(app, title, running, size, buf),
        Overlay::Text(text) => text::render(app, text, size, buf),
    }
    None
}

/// How many lines the text that lies over the lists has, and how many are visible.
pub fn text_extent(size: (u16, u16), desk: &Desk) -> (usize, usize) {
    match &desk.overlay {
        Some(Overlay::Help(_)) => help::extent(size),
        Some(Overlay::Text(text)) => text::extent(text, size),
        _ => (0, 0),
    }
}

/// How many rows a panel has.
pub fn panel_length(desk: &Desk, kind: PanelKind) -> usize {
    panel::length(desk, kind)
}

/// How many rows of a panel are visible.
pub fn panel_height(size: (u16, u16), desk: &Desk, kind: PanelKind) -> usize {
    panel::height(size, panel::length(desk, kind))
}

/// Writes text into at most `width` columns.
fn put(buf: &mut Buffer, x: u16, y: u16, width: u16, text: &str, style: Style) {
    if buf.area.contains(Position { x, y }) {
        buf.set_stringn(x, y, text, usize::from(width), style);
    }
}

/// Lays the selection's bar over a row.
fn select(buf: &mut Buffer, row: Rect, look: Look) {
    buf.set_style(row.intersection(buf.area), look.selected());
}

/// Clears an area, frames it, and returns what is inside; a small terminal's area has no frame.
fn frame(buf: &mut Buffer, area: Rect, title: &str, style: Style) -> Rect {
    let area = area.intersection(buf.area);
    Clear.render(area, buf);
    if area.height < 4 || area.width < 20 {
        return area;
    }
    let block = Block::bordered()
        .title(format!(" {title} "))
        .title_style(style)
        .border_style(style);
    let inner = block.inner(area);
    block.render(area, buf);
    Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    }
}

/// The rows of an area, top first.
fn rows(area: Rect) -> impl Iterator<Item = Rect> {
    area.rows()
}
