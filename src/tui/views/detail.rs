//! One line: what just happened, or why the selected thing stays or goes.

use super::put;
use crate::model::{Bytes, Node};
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
    let inventory = desk.session.inventory();
    match node {
        Node::File(file) if inventory.tree.is_directory(file) => {
            let name = words::node(inventory, node);
            let (size, stays) = (Bytes(desk.files.size(file)), Bytes(desk.files.stays(file)));
            let inside = words::count(inventory.tree.subtree(file).len() as u64 - 1);
            format!("{name}: {stays} of {size} stays, {inside} files in it")
        }
        // The reasons are on the screen already.
        _ if shows_why(app.size, desk) => String::new(),
        _ => {
            let why = desk.session.why(node);
            why.first()
                .map(|link| words::printable(&link.text))
                .unwrap_or_default()
        }
    }
}
