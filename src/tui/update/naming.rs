//! Marks a module by its name: matches while it is typed, price, completion.

use crate::plan::{Level, Selector, Wish};
use crate::session::Edit;
use crate::tui::actions::Action;
use crate::tui::desk::{Desk, Naming, Overlay, Prompt};
use crate::tui::input::Input;
use crate::tui::words;

/// The levels that a module can stay at, in the order of the key.
const LEVELS: [Level; 3] = [Level::NeededOnly, Level::Trimmed, Level::Whole];

/// What the line begins with: the first language that has modules here.
pub fn start(desk: &Desk) -> String {
    let modules = &desk.session.inventory().components.modules;
    let first = modules.iter().find(|module| module.language == "python");
    let first = first.or(modules.first());
    first.map_or(String::new(), |module| format!("{}:", module.language))
}

/// Finds out what the line means.
pub fn look(desk: &Desk, prompt: &mut Prompt) {
    let level = prompt
        .naming
        .as_ref()
        .map_or(LEVELS[0], |naming| naming.level);
    let matches = desk.session.modules_like(&prompt.input.text());
    let after = matches.selector.clone().map(|selector| {
        let edit = Edit::Mark(selector, Wish::Keep(level));
        desk.session.weigh(edit)
    });
    prompt.naming = Some(Naming {
        level,
        matches,
        after,
    });
}

/// The same for the line that is open.
pub fn again(desk: &mut Desk) {
    if let Some(Overlay::Prompt(mut prompt)) = desk.overlay.take() {
        look(desk, &mut prompt);
        desk.overlay = Some(Overlay::Prompt(prompt));
    }
}

/// Completes, takes the next level, or marks; a name that selects nothing marks nothing and can be mended.
pub fn act(desk: &mut Desk, mut prompt: Prompt, action: Action, size: (u16, u16)) {
    let Some(naming) = &mut prompt.naming else {
        return;
    };
    match action {
        Action::Complete => prompt.input = Input::new(&naming.matches.completed),
        Action::NextLevel => {
            let at = LEVELS.iter().position(|&level| level == naming.level);
            naming.level = LEVELS[(at.unwrap_or(0) + 1) % LEVELS.len()];
        }
        Action::Accept => {
            if let Some(selector) = naming.matches.selector.take() {
                let wish = Wish::Keep(naming.level);
                return mark(desk, selector, wish, size);
            }
        }
        _ => return,
    }
    look(desk, &mut prompt);
    desk.overlay = Some(Overlay::Prompt(prompt));
}

fn mark(desk: &mut Desk, selector: Selector, wish: Wish, size: (u16, u16)) {
    let before = desk.session.plan().after.allocated;
    let words = format!("{} {}", words::wish(wish), words::selector(&selector));
    desk.apply(Edit::Mark(selector, wish), size);
    let change = words::change(before, desk.session.plan().after.allocated);
    desk.notice = Some(format!("{words}{change}"));
}
