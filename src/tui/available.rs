//! When an action of the table can be done.

use super::app::{App, Stage};
use super::desk::{Desk, Output, Overlay, PanelKind, Then, View};
use crate::model::Node;

fn desk(app: &App) -> Option<&Desk> {
    match &app.stage {
        Stage::Open(desk) => Some(desk),
        _ => None,
    }
}

pub(super) fn has_selection(app: &App) -> bool {
    desk(app).is_some_and(|desk| desk.selected().is_some())
}

pub(super) fn has_mark(app: &App) -> bool {
    desk(app).is_some_and(|desk| match &desk.overlay {
        Some(Overlay::Panel(panel)) => {
            panel.kind == PanelKind::Marks && !desk.session.intent().marks.is_empty()
        }
        _ => desk
            .selected()
            .is_some_and(|node| desk.session.wish_of(node).is_some()),
    })
}

pub(super) fn has_suggestion(app: &App) -> bool {
    desk(app)
        .and_then(|desk| desk.suggested.as_ref())
        .is_some_and(|suggested| !suggested.offers.list.is_empty())
}

pub(super) fn has_modules(app: &App) -> bool {
    desk(app).is_some_and(|desk| !desk.session.inventory().components.modules.is_empty())
}

/// What was exported last, where its results are shown or nothing lies over the lists.
fn output(app: &App) -> Option<&Output> {
    let desk = desk(app)?;
    let is_shown = matches!(desk.overlay, None | Some(Overlay::Text(_)));
    desk.output.as_ref().filter(|_| is_shown)
}

pub(super) fn has_output(app: &App) -> bool {
    output(app).is_some()
}

pub(super) fn is_curable(app: &App) -> bool {
    output(app).is_some_and(|output| output.is_curable)
}

pub(super) fn is_naming(app: &App) -> bool {
    desk(app).is_some_and(|desk| match &desk.overlay {
        Some(Overlay::Prompt(prompt)) => prompt.naming.is_some(),
        _ => false,
    })
}

pub(super) fn has_undo(app: &App) -> bool {
    desk(app).is_some_and(|desk| desk.session.history().0 > 0)
}

pub(super) fn has_redo(app: &App) -> bool {
    desk(app).is_some_and(|desk| desk.session.history().1 > 0)
}

pub(super) fn in_files(app: &App) -> bool {
    desk(app).is_some_and(|desk| desk.view == View::Files)
}

pub(super) fn has_owner(app: &App) -> bool {
    desk(app).is_some_and(|desk| match desk.selected() {
        Some(Node::File(file)) => desk.session.inventory().owner(file).is_some(),
        _ => false,
    })
}

pub(super) fn is_filtered(app: &App) -> bool {
    desk(app).is_some_and(|desk| !desk.filter().is_empty())
}

pub(super) fn can_change_way(app: &App) -> bool {
    desk(app).is_some_and(|desk| match &desk.overlay {
        Some(Overlay::Confirm(confirm)) => matches!(confirm.then, Then::Export(_)),
        _ => false,
    })
}

pub(super) fn can_save_first(app: &App) -> bool {
    desk(app).is_some_and(|desk| match &desk.overlay {
        Some(Overlay::Confirm(confirm)) => matches!(confirm.then, Then::Quit),
        _ => false,
    })
}
