//! The panel of suggestions: weighed by the worker, accepted one at a time or a whole risk class.

use crate::model::Bytes;
use crate::session::{Edit, Offers};
use crate::tui::app::App;
use crate::tui::desk::{Desk, Suggested};
use crate::tui::message::{Effect, Work};
use crate::tui::words;

/// Has the suggestions of the plan weighed anew; those of before stay on the screen until then.
pub fn ask(app: &mut App) -> Vec<Effect> {
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    let offers = match desk.suggested.take() {
        Some(old) => {
            old.cancel();
            old.offers
        }
        None => Offers::default(),
    };
    let work = Work::Suggest {
        loaded: desk.session.loaded().clone(),
        intent: desk.session.intent().clone(),
    };
    let (running, effect) = app.start(work);
    if let Some(desk) = app.desk_mut() {
        desk.suggested = Some(Suggested {
            running: Some(running),
            offers,
        });
    }
    vec![effect]
}

/// Stops weighing.
pub fn forget(desk: &mut Desk) {
    if let Some(suggested) = desk.suggested.take() {
        suggested.cancel();
    }
}

/// Accepts the suggestion in this row.
pub fn accept(desk: &mut Desk, at: usize, size: (u16, u16)) {
    let Some(suggested) = &mut desk.suggested else {
        return;
    };
    if at >= suggested.offers.list.len() {
        return;
    }
    let suggestion = suggested.offers.list.remove(at).suggestion;
    let intent = suggestion.on(desk.session.inventory(), desk.session.intent());
    change(desk, Edit::Replace(intent), &suggestion.subject, size);
}

/// Accepts the risk class of the suggestion in this row, and those below it.
pub fn accept_class(desk: &mut Desk, at: usize, size: (u16, u16)) {
    let Some(suggested) = &mut desk.suggested else {
        return;
    };
    let Some(class) = suggested.offers.list.get(at).map(|it| it.suggestion.risk) else {
        return;
    };
    let offers = &mut suggested.offers.list;
    offers.retain(|offer| offer.suggestion.risk > class);
    let class = desk.session.intent().accept.max(Some(class));
    let what = class.map_or("", crate::plan::Risk::word);
    change(
        desk,
        Edit::Accept(class),
        &format!("all that is {what}"),
        size,
    );
}

fn change(desk: &mut Desk, edit: Edit, what: &str, size: (u16, u16)) {
    let before: Bytes = desk.session.plan().after.allocated;
    desk.apply(edit, size);
    let change = words::change(before, desk.session.plan().after.allocated);
    desk.notice = Some(format!("accepted: {what}{change}"));
}
