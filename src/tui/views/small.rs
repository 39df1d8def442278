//! The view for terminals below 60x16: figures, names with their signs, keys.
//!
//! ```text
//! 512.3 MB of 1.31 GB stays (39 %)
//! *+ + python3-numpy
//!    ~ libblas3
//! ? help  k keep  d drop
//! ```

use super::{footer, gauge, put, rows, select};
use crate::model::Node;
use crate::tui::app::App;
use crate::tui::desk::{Desk, View};
use crate::tui::fit;
use crate::tui::layout::Regions;
use crate::tui::look::Role;
use crate::tui::words::{self, Verdict};
use ratatui::buffer::Buffer;

/// Draws the small view.
pub fn render(app: &App, desk: &Desk, regions: &Regions, buf: &mut Buffer) {
    let line = regions.gauge;
    let text = match &desk.notice {
        Some(notice) => words::printable(notice),
        None => gauge::figures(desk.session.plan()),
    };
    let text = fit::cut(&text, usize::from(line.width));
    put(
        buf,
        line.x,
        line.y,
        line.width,
        &text,
        app.look.of(Role::Title),
    );
    let cursor = desk.cursor();
    for (at, area) in cursor
        .window(desk.row_count(), regions.list_height())
        .zip(rows(regions.list))
    {
        let (node, name, verdict) = entry(desk, at);
        if let Some((_, wish)) = desk.session.wish_of(node) {
            put(
                buf,
                area.x,
                area.y,
                2,
                words::wish_sign(wish),
                app.look.of(Role::Mark),
            );
        }
        let style = app.look.of(verdict.role);
        put(buf, area.x + 3, area.y, 1, verdict.sign, style);
        let room = area.width.saturating_sub(5);
        put(
            buf,
            area.x + 5,
            area.y,
            room,
            &fit::cut(&name, usize::from(room)),
            style,
        );
        if at == cursor.at {
            select(buf, area, app.look);
        }
    }
    footer::render(app, regions.footer, buf);
}

fn entry(desk: &Desk, at: usize) -> (Node, String, Verdict) {
    let session = &desk.session;
    match desk.view {
        View::Packages => {
            let id = desk.packages.rows()[at];
            let verdict = words::verdict(session.plan().packages[id.index()].level);
            (
                Node::Package(id),
                desk.packages.label(id).to_owned(),
                verdict,
            )
        }
        View::Files => {
            let row = desk.files.rows()[at];
            let (size, stays) = (desk.files.size(row.file), desk.files.stays(row.file));
            let verdict = words::file_verdict(session, row.file, size, stays);
            let indent = usize::from(row.depth).min(8);
            let name = crate::model::text::escape(session.inventory().tree.name(row.file));
            (
                Node::File(row.file),
                format!("{:indent$}{name}", ""),
                verdict,
            )
        }
    }
}
