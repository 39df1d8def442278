//! The package list.
//!
//! ```text
//!      name                    installed  retained  verdict     reason
//! *+ + python3-numpy             25.6 MB  120.4 MB  whole       mark: package python3-numpy
//!    ~ libblas3                   1.2 MB       0 B  trimmed     for python3-numpy
//! *- - gcc-12                    60.1 MB       0 B  dropped     mark: package gcc-12
//! ```

use super::{put, rows, select};
use crate::model::{Node, PackageId};
use crate::tui::app::App;
use crate::tui::desk::Desk;
use crate::tui::fit;
use crate::tui::layout::Regions;
use crate::tui::lists::Order;
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Widths of the columns that share what the others leave.
struct Widths {
    name: u16,
    reason: u16,
}

/// Columns before the name (mark, sign), of a size, of the verdict, gaps included.
const SIGNS: u16 = 5;
const SIZE: u16 = 10;
const VERDICT: u16 = 13;

impl Widths {
    fn of(width: u16) -> Self {
        let rest = width.saturating_sub(SIGNS + 2 * SIZE + 2 + VERDICT);
        if rest < 32 {
            return Self {
                name: rest,
                reason: 0,
            };
        }
        let name = (rest * 11 / 20).clamp(18, 44);
        Self {
            name,
            reason: rest - name,
        }
    }
}

/// Draws headings and the visible rows.
pub fn render(app: &App, desk: &Desk, regions: &Regions, buf: &mut Buffer) {
    let widths = Widths::of(regions.list.width);
    headings(app, desk, &widths, regions.columns, buf);
    let list = &desk.packages;
    let window = list.cursor.window(list.rows().len(), regions.list_height());
    for (at, area) in window.clone().zip(rows(regions.list)) {
        row(app, desk, list.rows()[at], &widths, area, buf);
        if at == list.cursor.at {
            select(buf, area, app.look);
        }
    }
    if window.is_empty() {
        let text = "no package passes the filter";
        put(
            buf,
            regions.list.x + SIGNS,
            regions.list.y,
            regions.list.width,
            text,
            app.look.of(Role::Faint),
        );
    }
}

fn headings(app: &App, desk: &Desk, widths: &Widths, area: Rect, buf: &mut Buffer) {
    let order = desk.packages.order();
    let heading = |word: &str, by: Order| {
        if by == order {
            format!("{word}↓")
        } else {
            word.to_owned()
        }
    };
    let name = fit::left(&heading("name", Order::Name), usize::from(widths.name));
    let line = format!(
        "     {name}{:>10}{:>10}  {:<13}{}",
        heading("installed", Order::Size),
        heading("retained", Order::Retained),
        heading("verdict", Order::Verdict),
        if widths.reason > 0 { "reason" } else { "" }
    );
    put(
        buf,
        area.x,
        area.y,
        area.width,
        &line,
        app.look.of(Role::Faint),
    );
}

fn row(app: &App, desk: &Desk, id: PackageId, widths: &Widths, area: Rect, buf: &mut Buffer) {
    let (session, look) = (&desk.session, app.look);
    let plan = session.plan();
    let verdict = words::verdict(plan.packages[id.index()].level);
    let style = look.of(verdict.role);
    if let Some((_, wish)) = session.wish_of(Node::Package(id)) {
        put(
            buf,
            area.x,
            area.y,
            2,
            words::wish_sign(wish),
            look.of(Role::Mark),
        );
    }
    put(buf, area.x + 3, area.y, 1, verdict.sign, style);
    let mut x = area.x + SIGNS;
    let name = fit::cut(desk.packages.label(id), usize::from(widths.name));
    put(buf, x, area.y, widths.name, &name, style);
    x += widths.name;
    let installed = session.inventory().package(id).installed_size;
    for size in [installed, plan.retained[id.index()]] {
        put(
            buf,
            x,
            area.y,
            SIZE,
            &format!("{size:>10}"),
            look.of(Role::Plain),
        );
        x += SIZE;
    }
    x += 2;
    put(buf, x, area.y, VERDICT, verdict.word, style);
    x += VERDICT;
    if widths.reason > 0 {
        let reason = words::reason(session, Node::Package(id));
        let reason = fit::cut(&reason, usize::from(widths.reason));
        put(buf, x, area.y, widths.reason, &reason, look.of(Role::Plain));
    }
}
