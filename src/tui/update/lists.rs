//! Actions on the package list and the file tree.

use super::{go_to, panels, prompts, proofs, travel};
use crate::model::{Bytes, FileKind, Node};
use crate::plan::{Level, Wish};
use crate::session::Edit;
use crate::tui::actions::Action;
use crate::tui::app::{App, Stage};
use crate::tui::desk::{Desk, Overlay, PanelKind, Purpose, View};
use crate::tui::layout::{Regions, shows_why};
use crate::tui::lists::Cursor;
use crate::tui::message::Effect;
use crate::tui::words;

/// Does what was asked on the list that is shown.
pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let size = app.size;
    let Stage::Open(desk) = &mut app.stage else {
        return Vec::new();
    };
    let height = Regions::of(size, desk).list_height();
    let rows = desk.row_count();
    if travel(desk.cursor_mut(), action, rows, height) {
        return Vec::new();
    }
    match action {
        Action::Keep | Action::Drop | Action::Flip | Action::Unmark => mark(desk, action, size),
        Action::Undo | Action::Redo => step_back_or_forth(desk, action, size),
        Action::Switch => {
            desk.view = match desk.view {
                View::Packages => View::Files,
                View::Files => View::Packages,
            };
        }
        Action::Why => {
            desk.why = Some(!shows_why(size, desk));
            desk.refresh(size);
        }
        Action::ClearFilter => desk.set_filter("", size),
        Action::Order => {
            let order = desk.order().next();
            desk.set_order(order, size);
            desk.notice = Some(format!("ordered by {}", words::order(order, desk.view)));
        }
        Action::Open => open(desk, size),
        Action::Close => close(desk, size),
        Action::Owner => go_to_owner(desk, size),
        Action::Help => desk.overlay = Some(Overlay::Help(Cursor::default())),
        Action::Filter => prompts::ask(desk, Purpose::Filter, &app.image),
        Action::Save => prompts::ask(desk, Purpose::Save, &app.image),
        Action::Export => prompts::ask(desk, Purpose::Export, &app.image),
        Action::Trace => prompts::ask(desk, Purpose::Trace, &app.image),
        Action::Module => prompts::ask(desk, Purpose::Module, &app.image),
        Action::Rules => return panels::open(app, PanelKind::Rules),
        Action::Findings => return panels::open(app, PanelKind::Findings),
        Action::Marks => return panels::open(app, PanelKind::Marks),
        Action::Suggest => return panels::open(app, PanelKind::Suggestions),
        Action::Levels => return panels::open(app, PanelKind::Levels),
        Action::Verify => return proofs::verify(app),
        Action::Heal => proofs::ask_to_heal(desk),
        Action::Quit => return prompts::ask_to_quit(desk),
        _ => {}
    }
    Vec::new()
}

fn mark(desk: &mut Desk, action: Action, size: (u16, u16)) {
    let Some(node) = desk.selected() else { return };
    let old = desk.session.wish_of(node);
    let wish = match (action, old) {
        (Action::Keep, Some((_, old))) => Wish::Keep(next_level(node, old)),
        (Action::Drop, _) => Wish::Drop,
        (Action::Flip, None) if stays(desk, node) => Wish::Drop,
        (Action::Keep | Action::Flip, None) => Wish::Keep(Level::Whole),
        (_, Some((at, _))) => return unmark(desk, at, size),
        (_, None) => return,
    };
    let edit = Edit::Mark(desk.session.selector_for(node), wish);
    let before = desk.session.plan().after.allocated;
    desk.apply(edit, size);
    desk.notice = Some(outcome(desk, node, wish, before));
}

/// The level that follows for a thing that has this wish; only packages have more than one.
fn next_level(node: Node, old: Wish) -> Level {
    match (node, old) {
        (Node::Package(_), Wish::Keep(Level::Whole)) => Level::Trimmed,
        (Node::Package(_), Wish::Keep(Level::Trimmed)) => Level::NeededOnly,
        (Node::Package(_), Wish::Keep(Level::NeededOnly)) => Level::Hollowed,
        _ => Level::Whole,
    }
}

fn stays(desk: &Desk, node: Node) -> bool {
    match node {
        Node::Package(id) => desk.session.plan().keeps_package(id),
        Node::File(file) => desk.session.plan().keeps_file(file) && desk.files.stays(file) > 0,
    }
}

/// Takes the mark at this position away.
pub fn unmark(desk: &mut Desk, at: usize, size: (u16, u16)) {
    let Some(mark) = desk.session.intent().marks.get(at).cloned() else {
        return;
    };
    let before = desk.session.plan().after.allocated;
    let selector = words::selector(&mark.selector);
    desk.apply(Edit::Unmark(mark.selector), size);
    let change = words::change(before, desk.session.plan().after.allocated);
    desk.notice = Some(format!("no mark on {selector} any more{change}"));
}

/// What a mark did, and when it did not do what a person expects, why.
fn outcome(desk: &Desk, node: Node, wish: Wish, before: Bytes) -> String {
    let name = words::node(desk.session.inventory(), node);
    let words = words::wish(wish);
    if wish == Wish::Drop && stays(desk, node) && matches!(node, Node::Package(_)) {
        let reason = words::reason(&desk.session, node);
        return format!("{words} {name}: it stays all the same ({reason})");
    }
    let change = words::change(before, desk.session.plan().after.allocated);
    format!("{words} {name}{change}")
}

/// Undo or redo, also from a panel.
pub fn step_back_or_forth(desk: &mut Desk, action: Action, size: (u16, u16)) {
    let before = desk.session.plan().after.allocated;
    let word = match action {
        Action::Undo if desk.session.undo() => "undo",
        Action::Redo if desk.session.redo() => "redo",
        _ => return,
    };
    desk.replan(size);
    let change = words::change(before, desk.session.plan().after.allocated);
    desk.notice = Some(format!("{word}{change}"));
}

fn open(desk: &mut Desk, size: (u16, u16)) {
    match desk.selected() {
        Some(Node::Package(id)) => {
            let tree = &desk.session.inventory().tree;
            let files = &desk.session.inventory().package(id).files;
            let first = files
                .iter()
                .find(|&&file| tree.kind(file) != FileKind::Directory);
            match first.or(files.first()) {
                Some(&file) => go_to(desk, Node::File(file), size),
                None => desk.notice = Some("this package has no files".to_owned()),
            }
        }
        Some(Node::File(file)) => {
            if !desk.session.inventory().tree.is_directory(file) {
                return;
            }
            if desk.files.is_open(file) {
                let height = Regions::of(size, desk).list_height();
                let rows = desk.row_count();
                desk.cursor_mut().step(1, rows, height);
            } else {
                desk.files.set_open(file, true);
                desk.refresh(size);
            }
        }
        None => {}
    }
}

fn close(desk: &mut Desk, size: (u16, u16)) {
    let Some(Node::File(file)) = desk.selected() else {
        return;
    };
    let tree = &desk.session.inventory().tree;
    if tree.is_directory(file) && desk.files.is_open(file) {
        desk.files.set_open(file, false);
        desk.refresh(size);
    } else {
        let height = Regions::of(size, desk).list_height();
        let parent = tree.parent(file);
        desk.files.select(parent, height);
    }
}

fn go_to_owner(desk: &mut Desk, size: (u16, u16)) {
    if let Some(Node::File(file)) = desk.selected()
        && let Some(owner) = desk.session.inventory().owner(file)
    {
        go_to(desk, Node::Package(owner), size);
    }
}
