//! Changes the screen's state for each message and says what else must happen. No input or output here.
//!
//! A plan is recomputed right here after an edit: it takes a few milliseconds, less than a frame. All that may take
//! longer (opening, saving, exporting, prices) is an [`Effect`] for the worker.

mod lists;
mod naming;
mod panels;
mod prompts;
mod proofs;
mod reports;
mod suggestions;
mod traces;
mod ways;

use super::actions::{Action, Place, action_of};
use super::app::{App, Ending, INTERRUPTED, Stage};
use super::desk::{Desk, Overlay, View};
use super::keys::Key;
use super::layout::Regions;
use super::lists::Cursor;
use super::message::{Effect, Msg};

/// Takes in one message.
pub fn update(app: &mut App, msg: Msg) -> Vec<Effect> {
    let mut effects = react(app, msg);
    effects.extend(ways::ask(app));
    effects
}

fn react(app: &mut App, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => press(app, key),
        Msg::Paste(text) => prompts::paste(app, &text),
        Msg::Resize(columns, rows) => {
            app.size = (columns, rows);
            if let Some(desk) = app.desk_mut() {
                desk.refresh((columns, rows));
            }
            Vec::new()
        }
        Msg::Terminate => vec![Effect::Quit(Ending::Code(INTERRUPTED))],
        Msg::WorkerLost => vec![Effect::Quit(Ending::Failed(anyhow::anyhow!(
            "the thread that reads the guest stopped: this is a defect of guestslim"
        )))],
        Msg::Report(job, report) => reports::take(app, job, report),
    }
}

fn press(app: &mut App, key: Key) -> Vec<Effect> {
    if let Some(desk) = app.desk_mut() {
        desk.notice = None;
    }
    let Some(action) = action_of(app, key) else {
        return prompts::type_key(app, key);
    };
    match app.place() {
        Place::Working => stop(app),
        Place::Text if matches!(app.stage, Stage::Failed(_)) => leave_failed(app, action),
        Place::Text => read(app, action),
        Place::List => lists::act(app, action),
        Place::Panel => panels::act(app, action),
        Place::Prompt => prompts::act(app, action),
        Place::Confirm => prompts::answer(app, action),
    }
}

/// Asks the work to stop; asked a second time, leaves without waiting for it where nothing can be lost.
fn stop(app: &mut App) -> Vec<Effect> {
    match &app.stage {
        Stage::Opening(running) if running.is_stopping() => {
            return vec![Effect::Quit(Ending::Code(INTERRUPTED))];
        }
        Stage::Opening(running) => running.cancel.cancel(),
        Stage::Open(desk) => {
            if let Some(Overlay::Working { running, .. }) = &desk.overlay {
                running.cancel.cancel();
            }
        }
        Stage::Failed(_) => {}
    }
    Vec::new()
}

fn leave_failed(app: &mut App, action: Action) -> Vec<Effect> {
    if !matches!(action, Action::Back | Action::Done) {
        return Vec::new();
    }
    match &mut app.stage {
        Stage::Failed(trouble) => vec![Effect::Quit(trouble.ending())],
        _ => Vec::new(),
    }
}

/// Keys for help, reports and errors.
fn read(app: &mut App, action: Action) -> Vec<Effect> {
    let size = app.size;
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    if matches!(action, Action::Back | Action::Done) {
        desk.overlay = None;
        return Vec::new();
    }
    match action {
        Action::Verify => return proofs::verify(app),
        Action::Heal => {
            proofs::ask_to_heal(desk);
            return Vec::new();
        }
        _ => {}
    }
    let (lines, height) = super::views::text_extent(size, desk);
    if let Some(Overlay::Help(cursor) | Overlay::Text(super::desk::Text { cursor, .. })) =
        &mut desk.overlay
    {
        scroll(cursor, action, lines, height);
    }
    Vec::new()
}

/// Moves a text's first visible line; the last line stays at the bottom.
fn scroll(cursor: &mut Cursor, action: Action, lines: usize, height: usize) {
    let last = lines.saturating_sub(height);
    let page = height.saturating_sub(1).max(1);
    cursor.top = match action {
        Action::Up => cursor.top.saturating_sub(1),
        Action::Down => cursor.top + 1,
        Action::PageUp => cursor.top.saturating_sub(page),
        Action::PageDown => cursor.top + page,
        Action::Top => 0,
        Action::Bottom => last,
        _ => cursor.top,
    }
    .min(last);
}

/// Moves a list's cursor; `false` when the action is no movement.
fn travel(cursor: &mut Cursor, action: Action, len: usize, height: usize) -> bool {
    let page = height.saturating_sub(1).max(1).cast_signed();
    match action {
        Action::Up => cursor.step(-1, len, height),
        Action::Down => cursor.step(1, len, height),
        Action::PageUp => cursor.step(-page, len, height),
        Action::PageDown => cursor.step(page, len, height),
        Action::Top => cursor.go(0, len, height),
        Action::Bottom => cursor.go(usize::MAX, len, height),
        _ => return false,
    }
    true
}

/// Shows this package or file in its list and selects it; a filter that hides it is taken away.
fn go_to(desk: &mut Desk, node: crate::model::Node, size: (u16, u16)) {
    use crate::model::Node;
    let height = Regions::of(size, desk).list_height();
    match node {
        Node::Package(id) => {
            desk.view = View::Packages;
            if !desk.packages.select(id, height) {
                desk.set_filter("", size);
                desk.packages.select(id, height);
            }
        }
        Node::File(file) => {
            desk.view = View::Files;
            let inventory = desk.session.inventory();
            desk.files.reveal(&inventory.tree, file);
            desk.refresh(size);
            if !desk.files.select(file, height) {
                desk.set_filter("", size);
                desk.files.select(file, height);
            }
        }
    }
}
