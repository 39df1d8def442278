//! The ways to bring the selected thing back, shown with its reasons: weighed by the worker, once per selection.

use crate::model::Node;
use crate::tui::app::App;
use crate::tui::desk::{Desk, WaysBack};
use crate::tui::layout::shows_why;
use crate::tui::message::{Effect, Work};

/// Asks for the ways back of what is selected, where they are shown and not known yet.
pub fn ask(app: &mut App) -> Option<Effect> {
    let size = app.size;
    let desk = app.desk_mut()?;
    let wanted = wanted(desk, size);
    let known = desk.ways.as_ref().map(|ways| (ways.node, ways.revision));
    if known == wanted {
        return None;
    }
    if let Some(old) = desk.ways.take() {
        old.cancel.cancel();
    }
    let (node, revision) = wanted?;
    let work = Work::Ways {
        loaded: desk.session.loaded().clone(),
        intent: desk.session.intent().clone(),
        node,
    };
    let (running, effect) = app.start(work);
    let ways = WaysBack {
        node,
        revision,
        job: running.job,
        cancel: running.cancel,
        ways: None,
    };
    app.desk_mut()?.ways = Some(ways);
    Some(effect)
}

/// What the reasons are shown of, where it goes and nothing lies over it.
fn wanted(desk: &Desk, size: (u16, u16)) -> Option<(Node, u32)> {
    let node = desk.selected()?;
    let is_shown = desk.overlay.is_none() && shows_why(size, desk);
    (is_shown && desk.session.is_gone(node)).then_some((node, desk.revision))
}
