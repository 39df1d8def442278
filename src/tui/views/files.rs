//! The file tree: a virtual list, of which only the visible rows are formatted.
//!
//! ```text
//!      name                                   size     stays  owner
//!    ~ ▾ usr/                               1.2 GB  512.3 MB
//!    ~   ▸ bin/                            60.1 MB   12.0 MB
//! *- -     core                             4.1 MB       0 B  no package
//! ```

use super::{put, rows, select};
use crate::model::text::escape;
use crate::model::{Bytes, FileId, FileKind, FileTree, Node};
use crate::tui::app::App;
use crate::tui::desk::Desk;
use crate::tui::fit;
use crate::tui::layout::Regions;
use crate::tui::lists::{FileRow, Order, Owner};
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Widths of the columns that share what the others leave.
struct Widths {
    name: u16,
    owner: u16,
    reason: u16,
}

/// Columns before the name (mark, sign) and of a size, gap included.
const SIGNS: u16 = 5;
const SIZE: u16 = 10;

impl Widths {
    fn of(width: u16) -> Self {
        let rest = width.saturating_sub(SIGNS + 2 * SIZE + 2);
        let owner = if rest < 40 { 0 } else { (rest / 3).min(26) };
        let reason = if rest < 90 { 0 } else { (rest - owner) * 2 / 5 };
        let name = rest - owner - reason;
        Self {
            name,
            owner,
            reason,
        }
    }
}

/// Draws headings and the visible rows.
pub fn render(app: &App, desk: &Desk, regions: &Regions, buf: &mut Buffer) {
    let widths = Widths::of(regions.list.width);
    headings(app, desk, &widths, regions.columns, buf);
    let list = &desk.files;
    let window = list.cursor.window(list.rows().len(), regions.list_height());
    for (at, area) in window.zip(rows(regions.list)) {
        row(app, desk, list.rows()[at], &widths, area, buf);
        if at == list.cursor.at {
            select(buf, area, app.look);
        }
    }
}

fn headings(app: &App, desk: &Desk, widths: &Widths, area: Rect, buf: &mut Buffer) {
    let order = desk.files.order();
    let heading = |word: &str, by: Order| {
        if by == order {
            format!("{word}↓")
        } else {
            word.to_owned()
        }
    };
    let name = fit::left(&heading("name", Order::Name), usize::from(widths.name));
    let owner = if widths.owner > 0 { "owner" } else { "" };
    let line = format!(
        "     {name}{:>10}{:>10}  {}{}",
        heading("size", Order::Size),
        heading("stays", Order::Retained),
        fit::left(owner, usize::from(widths.owner)),
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

fn row(app: &App, desk: &Desk, row: FileRow, widths: &Widths, area: Rect, buf: &mut Buffer) {
    let (session, look, file) = (&desk.session, app.look, row.file);
    let inventory = session.inventory();
    let (size, stays) = (desk.files.size(file), desk.files.stays(file));
    let verdict = words::file_verdict(session, file, size, stays);
    let style = look.of(verdict.role);
    if let Some((_, wish)) = session.wish_of(Node::File(file)) {
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
    let name = name(&inventory.tree, row, desk.files.is_open(file), widths.name);
    put(buf, x, area.y, widths.name, &name, style);
    x += widths.name;
    for size in [size, stays] {
        put(
            buf,
            x,
            area.y,
            SIZE,
            &format!("{:>10}", Bytes(size)),
            look.of(Role::Plain),
        );
        x += SIZE;
    }
    x += 2;
    let owner = owner(desk, file);
    let owner = fit::cut(&owner, usize::from(widths.owner.saturating_sub(1)));
    put(buf, x, area.y, widths.owner, &owner, look.of(Role::Faint));
    x += widths.owner;
    if widths.reason > 0 {
        let reason = words::reason(session, Node::File(file));
        let reason = fit::cut(&reason, usize::from(widths.reason));
        put(buf, x, area.y, widths.reason, &reason, look.of(Role::Plain));
    }
}

/// The name with its indentation; deep files are indented no further than half of the column.
fn name(tree: &FileTree, row: FileRow, is_open: bool, width: u16) -> String {
    let indent = usize::from(row.depth) * 2;
    let indent = indent.min(usize::from(width) / 2);
    let name = escape(tree.name(row.file));
    let text = match tree.kind(row.file) {
        FileKind::Directory => format!("{} {name}/", if is_open { '▾' } else { '▸' }),
        FileKind::Symlink => {
            let target = escape(tree.target(row.file).unwrap_or_default());
            format!("  {name} -> {target}")
        }
        _ => format!("  {name}"),
    };
    let text = fit::cut(&text, usize::from(width).saturating_sub(indent + 1));
    format!("{:indent$}{text}", "")
}

fn owner(desk: &Desk, file: FileId) -> String {
    match desk.files.owner(file) {
        Owner::Package(id) => desk.packages.label(id).to_owned(),
        Owner::Nobody => "no package".to_owned(),
        Owner::Several => String::new(),
    }
}
