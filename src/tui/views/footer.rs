//! The keys that work now, from the actions table.
//!
//! ```text
//! ? help  k keep  d drop  Space flip  l level  u undo  Tab files  w why  / filter  ...
//! ```

use crate::tui::actions;
use crate::tui::app::App;
use crate::tui::fit;
use crate::tui::look::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws as many keys as there is room for.
pub fn render(app: &App, area: Rect, buf: &mut Buffer) {
    if !area.is_empty() {
        buf.set_line(area.x, area.y, &keys(app, area.width), area.width);
    }
}

/// The keys in at most `width` columns, whole ones only.
pub fn keys(app: &App, width: u16) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 0;
    for row in actions::available(app) {
        let key = row.keys[0].to_string();
        let label = format!(" {}  ", row.label);
        let wide = fit::width(&key) + fit::width(&label);
        if used + wide > usize::from(width) + 2 {
            break;
        }
        used += wide;
        spans.push(Span::styled(key, app.look.of(Role::Key)));
        spans.push(Span::styled(label, app.look.of(Role::Faint)));
    }
    Line::from(spans)
}
