//! One line: what just happened, or else why the selected thing stays or goes.

use super::put;
use crate::model::Node;
use crate::model::text::escape;
use crate::tui::app::App;
use crate::tui::desk::Desk;
use crate::tui::fit;
use crate::tui::layout::shows_why;
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the line.
pub fn render(app: &App, desk: &Desk, area: Rect, buf: &mut Buffer) {
    let (text, role) = match &desk.notice {
        Some(notice) => (words::printable(notice), Role::Mark),
        None => (about(app, desk), Role::Plain),
    };
    let text = fit::cut(&text, usize::from(area.width));
    put(buf, area.x, area.y, area.width, &text, app.look.of(role));
}

fn about(app: &App, desk: &Desk) -> String {
    let Some(node) = desk.selected() else {
        return String::new();
    };
    if !shows_why(app.size, desk) {
        let why = desk.session.why(node);
        return why
            .first()
            .map(|link| words::printable(&link.text))
            .unwrap_or_default();
    }
    match node {
        Node::Package(id) => {
            let summary = &desk.session.inventory().package(id).summary;
            escape(summary.as_bytes()).into_owned()
        }
        Node::File(_) => words::node(desk.session.inventory(), node),
    }
}
