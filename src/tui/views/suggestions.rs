//! Rows of the panel of suggestions.
//!
//! ```text
//! | low     48.28 MB  switch on byte-code                            |
//! | ask     30.07 MB  hollow libperl5.36                             |
//! |                                                                  |
//! | perl declares it; no kept file needs a file of it (387 files)    |
//! ```

use crate::plan::Risk;
use crate::tui::desk::{Desk, Suggested};
use crate::tui::look::Role;
use crate::tui::words;

/// The heading: the projected size, and how far weighing is.
pub fn title(desk: &Desk) -> String {
    let size = desk.session.plan().after.allocated;
    let running = desk.suggested.as_ref().and_then(|it| it.running.as_ref());
    let state = match running.map(|running| &running.progress) {
        None => String::new(),
        Some(None) => ", weighing".to_owned(),
        Some(Some(progress)) => {
            let total = progress.total.unwrap_or(progress.done);
            format!(", weighing {} of {total}", progress.done)
        }
    };
    format!("Suggestions: {size} stays{state}")
}

/// What stands where there are no rows.
pub fn nothing(desk: &Desk) -> &'static str {
    match &desk.suggested {
        Some(Suggested { running: None, .. }) => "Nothing is left that could go.",
        _ => "Weighing what could still go ...",
    }
}

/// One row.
pub fn line(desk: &Desk, at: usize) -> (String, Role) {
    let Some(offer) = desk
        .suggested
        .as_ref()
        .and_then(|it| it.offers.list.get(at))
    else {
        return (String::new(), Role::Plain);
    };
    let risk = offer.suggestion.risk;
    let role = match risk {
        Risk::Safe => Role::Plain,
        Risk::Low => Role::Trimmed,
        Risk::Ask => Role::Warning,
    };
    let subject = words::printable(&offer.suggestion.subject);
    (
        format!("{:<5} {:>10}  {subject}", risk.word(), offer.saves),
        role,
    )
}

/// What the selected row means: its evidence, and what its risk class would save.
pub fn meaning(desk: &Desk, at: usize) -> String {
    let Some(suggested) = &desk.suggested else {
        return String::new();
    };
    let Some(offer) = suggested.offers.list.get(at) else {
        return String::new();
    };
    let risk = offer.suggestion.risk;
    format!(
        "{}; {}: {}, all of it saves {}",
        words::printable(&offer.suggestion.evidence),
        risk.word(),
        risk.meaning(),
        suggested.offers.classes[risk as usize]
    )
}
