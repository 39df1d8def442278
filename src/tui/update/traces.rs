//! What a trace adds to the marks on the screen.

use super::reports::{fail, finish, show};
use crate::session::Lesson;
use crate::tui::app::App;
use crate::tui::host::Traced;
use crate::tui::message::Effect;
use crate::tui::words;

/// Unites the evidence of a complete trace with what is known, and says what that changed; `u` takes it back.
pub fn traced(app: &mut App, result: anyhow::Result<Traced>) -> Vec<Effect> {
    let size = app.size;
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    let was_stopping = finish(desk);
    match result {
        Err(_) if was_stopping => {
            desk.notice = Some("the trace was cancelled; nothing was added".to_owned());
        }
        Err(error) => fail(desk, "Not traced", &error),
        Ok(traced) => {
            let mut lines = vec![traced.ended];
            let is_trouble = traced.incomplete.is_some();
            if let Some(why) = traced.incomplete {
                lines.push(format!("The trace is not complete: {why}."));
                lines.push("Nothing was added.".to_owned());
            } else {
                let lesson = desk.session.learn(&traced.evidence);
                desk.replan(size);
                lines.extend(learned(&lesson));
            }
            show(desk, "Traced", lines, is_trouble);
        }
    }
    Vec::new()
}

fn learned(lesson: &Lesson) -> [String; 4] {
    let change = words::change(lesson.before, lesson.after);
    [
        format!(
            "{} paths were touched that no trace had before; {} in all.",
            words::count(lesson.added as u64),
            words::count(lesson.paths as u64)
        ),
        format!("The projection is {}{change}.", lesson.after),
        format!("Of that, {} no trace ever touched.", lesson.never_read),
        "u takes it back; s saves it in the profile.".to_owned(),
    ]
}
