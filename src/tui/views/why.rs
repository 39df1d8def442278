//! Why the selected thing stays or goes: the chain, then the thing's own facts.
//!
//! ```text
//! | Why libblas3
//! | 1. libblas3 stays: python3-numpy depends on libblas3 (declared)
//! | 2. python3-numpy stays whole: package python3-numpy is marked keep
//! | (of what goes: to bring it back: keep package vim trimmed, 3.79 MB more)
//! |
//! | version 3.11.0-2, section libs
//! | needed by 2 packages that stay: python3-numpy, python3-scipy
//! ```

use super::{put, rows};
use crate::model::text::escape;
use crate::model::{Bytes, FileId, Node, PackageId};
use crate::tui::app::App;
use crate::tui::desk::Desk;
use crate::tui::fit;
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// How many names a list of dependents shows.
const SHOWN: usize = 12;

/// Draws the chain of reasons.
pub fn render(app: &App, desk: &Desk, area: Rect, buf: &mut Buffer) {
    let Some(node) = desk.selected() else { return };
    let is_beside = area.x > 0;
    let inner = if is_beside {
        for row in rows(area) {
            put(buf, row.x, row.y, 1, "│", app.look.of(Role::Faint));
        }
        Rect {
            x: area.x + 2,
            width: area.width - 2,
            ..area
        }
    } else {
        let line = "─".repeat(usize::from(area.width));
        put(
            buf,
            area.x,
            area.y,
            area.width,
            &line,
            app.look.of(Role::Faint),
        );
        Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        }
    };
    let title = format!("Why {}", words::node(desk.session.inventory(), node));
    let title = fit::cut(&title, usize::from(inner.width));
    put(
        buf,
        inner.x,
        inner.y,
        inner.width,
        &title,
        app.look.of(Role::Title),
    );
    let lines = chain(desk, node, inner.width)
        .into_iter()
        .map(|line| (line, Role::Plain));
    let facts = facts(desk, node, inner.width)
        .into_iter()
        .map(|line| (line, Role::Faint));
    let ways = ways(desk, node, inner.width)
        .into_iter()
        .map(|line| (line, Role::Plain));
    for (row, (line, role)) in rows(inner).skip(1).zip(lines.chain(ways).chain(facts)) {
        put(buf, row.x, row.y, row.width, &line, app.look.of(role));
    }
}

fn chain(desk: &Desk, node: Node, width: u16) -> Vec<String> {
    let chain = desk.session.why(node);
    let mut lines = Vec::new();
    for (at, link) in chain.iter().enumerate() {
        let number = format!("{}. ", at + 1);
        let indent = number.len();
        let text = words::printable(&link.text);
        let wrapped = fit::wrap(&text, usize::from(width).saturating_sub(indent));
        for (part, text) in wrapped.iter().enumerate() {
            let start = if part == 0 { number.as_str() } else { "" };
            lines.push(format!("{start:indent$}{text}"));
        }
    }
    lines
}

/// What would bring the thing back, once the worker has answered.
fn ways(desk: &Desk, node: Node, width: u16) -> Vec<String> {
    let answer = desk.ways.as_ref().filter(|ways| ways.node == node);
    let Some(ways) = answer.and_then(|answer| answer.ways.as_ref()) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    for way in ways {
        let text = format!("to bring it back: {}, {} more", way.what, way.costs);
        lines.extend(fit::wrap(&words::printable(&text), usize::from(width)));
    }
    lines
}

fn facts(desk: &Desk, node: Node, width: u16) -> Vec<String> {
    let facts = match node {
        Node::Package(id) => package_facts(desk, id),
        Node::File(file) => file_facts(desk, file),
    };
    let mut lines = vec![String::new()];
    for fact in facts.iter().filter(|fact| !fact.is_empty()) {
        lines.extend(fit::wrap(fact, usize::from(width)));
    }
    lines
}

fn package_facts(desk: &Desk, id: PackageId) -> Vec<String> {
    let package = desk.session.inventory().package(id);
    let text = |text: &str| escape(text.as_bytes()).into_owned();
    vec![
        text(&package.summary),
        format!(
            "version {}, section {}",
            text(&package.version),
            text(&package.section)
        ),
        format!(
            "installed size {}, retained size {}",
            package.installed_size,
            desk.session.plan().retained[id.index()]
        ),
        format!("{} files", words::count(package.files.len() as u64)),
        dependents(desk, id),
    ]
}

/// Which packages that stay need this one.
fn dependents(desk: &Desk, id: PackageId) -> String {
    let (loaded, plan) = (desk.session.loaded(), desk.session.plan());
    let mut names: Vec<PackageId> = loaded
        .graph
        .needed_by(id)
        .filter_map(|edge| match loaded.graph.need(edge).from {
            Node::Package(from) if plan.keeps_package(from) && from != id => Some(from),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    let count = match names.len() {
        0 => return "no package that stays needs it".to_owned(),
        1 => "1 package that stays".to_owned(),
        count => format!("{count} packages that stay"),
    };
    let shown: Vec<&str> = names
        .iter()
        .take(SHOWN)
        .map(|&id| desk.packages.label(id))
        .collect();
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    format!("needed by {count}: {}{more}", shown.join(", "))
}

fn file_facts(desk: &Desk, file: FileId) -> Vec<String> {
    let tree = &desk.session.inventory().tree;
    let (uid, gid) = tree.owner(file);
    let below = tree.subtree(file).len() - 1;
    let inside = if below == 0 {
        String::new()
    } else {
        format!("{} files in it", words::count(below as u64))
    };
    vec![
        format!("mode {:04o}, user {uid}, group {gid}", tree.mode(file)),
        format!(
            "{} on disk, {} stay",
            Bytes(desk.files.size(file)),
            Bytes(desk.files.stays(file))
        ),
        inside,
        names(desk, file),
    ]
}

/// The other names of an inode that has several.
fn names(desk: &Desk, file: FileId) -> String {
    let tree = &desk.session.inventory().tree;
    let others: Vec<String> = tree
        .names(file)
        .iter()
        .filter(|&&name| name != file)
        .take(SHOWN)
        .map(|&name| escape(&tree.path(name)).into_owned())
        .collect();
    if others.is_empty() {
        String::new()
    } else {
        format!("also named {}", others.join(", "))
    }
}
