//! Verifying the last export, and healing it.

use super::prompts::work_on;
use super::reports::{fail, finish, show};
use crate::session::Edit;
use crate::tui::app::App;
use crate::tui::desk::{Confirm, Desk, Overlay, Then};
use crate::tui::host::{Treated, Verdict};
use crate::tui::message::{Effect, Work};
use crate::tui::words;

/// Starts verifying.
pub fn verify(app: &mut App) -> Vec<Effect> {
    let output = app.desk().and_then(|desk| desk.output.as_ref());
    match output.map(|output| words::path(&output.path)) {
        Some(path) => work_on(app, &format!("Verifying {path}"), Work::Verify),
        None => Vec::new(),
    }
}

/// Asks before anything is replaced.
pub fn ask_to_heal(desk: &mut Desk) {
    let Some(output) = &desk.output else { return };
    let path = words::path(&output.path);
    desk.overlay = Some(Overlay::Confirm(Confirm {
        title: "Heal",
        lines: vec![
            format!("Add what brings back what fails, and replace {path}?"),
            "A copy of the profile gets it, and so do the marks and the trace here; the profile itself is not \
             written. Then the image is exported and verified again, up to three times."
                .to_owned(),
        ],
        then: Then::Heal { may_replace: false },
    }));
}

/// Shows what a verification found.
pub fn verified(app: &mut App, result: anyhow::Result<Verdict>) -> Vec<Effect> {
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    let was_stopping = finish(desk);
    match result {
        Ok(verdict) => judge(desk, verdict),
        Err(_) if was_stopping => {
            desk.notice = Some("the verification was cancelled; nothing was found".to_owned());
        }
        Err(error) => fail(desk, "Not verified", &error),
    }
    Vec::new()
}

/// Takes over what healing added, which `u` takes back, and shows what the last verification found.
pub fn healed(app: &mut App, result: anyhow::Result<Treated>) -> Vec<Effect> {
    let size = app.size;
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    let was_stopping = finish(desk);
    match result {
        Ok(Treated::Exists(path)) => {
            let question = format!("{} exists. Replace it?", words::path(&path));
            desk.overlay = Some(Overlay::Confirm(Confirm {
                title: "Heal",
                lines: vec![question],
                then: Then::Heal { may_replace: true },
            }));
        }
        Ok(Treated::Done { remedies, verdict }) => {
            let intent = desk.session.intent().clone();
            let add = |intent, remedy: &crate::cure::Remedy| remedy.on(&intent);
            let intent = remedies.iter().fold(intent, add);
            desk.apply(Edit::Replace(intent), size);
            judge(desk, verdict);
        }
        Err(error) => {
            // Whatever is written by now, it was not verified.
            if let Some(output) = &mut desk.output {
                output.is_curable = false;
            }
            if was_stopping {
                let words = "healing was cancelled; v verifies what was written last";
                desk.notice = Some(words.to_owned());
            } else {
                fail(desk, "Not healed", &error);
            }
        }
    }
    Vec::new()
}

fn judge(desk: &mut Desk, verdict: Verdict) {
    if let Some(output) = &mut desk.output {
        output.is_curable = verdict.is_curable;
    }
    let title = if verdict.is_failed {
        "Verified: it fails"
    } else {
        "Verified"
    };
    show(desk, title, verdict.lines, verdict.is_failed);
}
