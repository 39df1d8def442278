//! Lines to type and questions to answer.

use super::naming;
use crate::export::Way;
use crate::tui::actions::Action;
use crate::tui::app::{App, Ending, INTERRUPTED};
use crate::tui::desk::{Confirm, Desk, Overlay, Prompt, Purpose, Then};
use crate::tui::input::Input;
use crate::tui::keys::Key;
use crate::tui::message::{Effect, Export, Work};
use std::path::{Path, PathBuf};

/// Opens a line to type, with the answer that most want in it.
pub fn ask(desk: &mut Desk, purpose: Purpose, image: &str) {
    let text = match purpose {
        Purpose::Filter => desk.filter().to_owned(),
        Purpose::Save => match &desk.profile {
            Some(path) => path.display().to_string(),
            None => format!("{}.ron", stem(image)),
        },
        Purpose::Export => format!("{}-slim.qcow2", stem(image)),
        Purpose::Trace => String::new(),
        Purpose::Module => naming::start(desk),
    };
    let mut prompt = Prompt {
        purpose,
        input: Input::new(&text),
        naming: None,
    };
    if purpose == Purpose::Module {
        naming::look(desk, &mut prompt);
    }
    desk.overlay = Some(Overlay::Prompt(prompt));
}

fn stem(image: &str) -> String {
    let stem = Path::new(image).file_stem();
    stem.map_or_else(
        || "guest".into(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// Leaves, or asks when something would be lost.
pub fn ask_to_quit(desk: &mut Desk) -> Vec<Effect> {
    if !desk.has_unsaved_marks() {
        return vec![Effect::Quit(Ending::Code(0))];
    }
    desk.overlay = Some(Overlay::Confirm(Confirm {
        title: "Quit",
        lines: vec!["The marks and rules are not saved. Quit without saving?".to_owned()],
        then: Then::Quit,
    }));
    Vec::new()
}

/// A key that is no action: text, while something is being typed.
pub fn type_key(app: &mut App, key: Key) -> Vec<Effect> {
    edit_line(app, |input| input.press(key))
}

/// Pasted text goes where text is typed, and nowhere else.
pub fn paste(app: &mut App, text: &str) -> Vec<Effect> {
    edit_line(app, |input| {
        input.insert(text);
        true
    })
}

fn edit_line(app: &mut App, edit: impl FnOnce(&mut Input) -> bool) -> Vec<Effect> {
    let size = app.size;
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    let Some(Overlay::Prompt(prompt)) = &mut desk.overlay else {
        return Vec::new();
    };
    if !edit(&mut prompt.input) {
        return Vec::new();
    }
    match prompt.purpose {
        Purpose::Filter => {
            let text = prompt.input.text();
            desk.set_filter(&text, size);
        }
        Purpose::Module => naming::again(desk),
        _ => {}
    }
    Vec::new()
}

/// Takes or forgets what was typed.
pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let size = app.size;
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    let Some(Overlay::Prompt(prompt)) = desk.overlay.take_if(|o| matches!(o, Overlay::Prompt(_)))
    else {
        return Vec::new();
    };
    let text = prompt.input.text();
    let is_accepted = action == Action::Accept;
    match prompt.purpose {
        Purpose::Module => {
            naming::act(desk, prompt, action, size);
            Vec::new()
        }
        Purpose::Filter if is_accepted => Vec::new(),
        Purpose::Filter => {
            desk.set_filter("", size);
            Vec::new()
        }
        _ if !is_accepted => {
            desk.quits_when_saved = false;
            Vec::new()
        }
        Purpose::Trace => {
            let line = text.trim().to_owned();
            work_on(app, "Tracing", Work::Trace(line))
        }
        _ if text.trim().is_empty() => {
            desk.quits_when_saved = false;
            desk.notice = Some("no path, so nothing was written".to_owned());
            Vec::new()
        }
        Purpose::Save => save(app, PathBuf::from(text)),
        Purpose::Export => outline(app, PathBuf::from(text), None),
    }
}

/// Saves; only a file that this screen wrote itself is replaced without a question.
fn save(app: &mut App, path: PathBuf) -> Vec<Effect> {
    let may_replace = app
        .desk()
        .is_some_and(|desk| desk.written.as_ref() == Some(&path));
    write_profile(app, path, may_replace)
}

fn write_profile(app: &mut App, path: PathBuf, may_replace: bool) -> Vec<Effect> {
    let Some(desk) = app.desk() else {
        return Vec::new();
    };
    let work = Work::Save {
        path,
        intent: desk.session.intent().clone(),
        loaded: desk.session.loaded().clone(),
        may_replace,
    };
    work_on(app, "Saving the profile", work)
}

fn outline(app: &mut App, output: PathBuf, way: Option<Way>) -> Vec<Effect> {
    let Some(desk) = app.desk() else {
        return Vec::new();
    };
    let export = Export {
        output,
        intent: desk.session.intent().clone(),
        way,
        may_replace: false,
    };
    work_on(
        app,
        "Looking at what the export would do",
        Work::Outline(export),
    )
}

/// Starts work and shows it.
pub fn work_on(app: &mut App, title: &str, work: Work) -> Vec<Effect> {
    let (running, effect) = app.start(work);
    if let Some(desk) = app.desk_mut() {
        let title = title.to_owned();
        desk.overlay = Some(Overlay::Working { title, running });
    }
    vec![effect]
}

/// Answers a question.
pub fn answer(app: &mut App, action: Action) -> Vec<Effect> {
    let image = app.image.clone();
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    let Some(Overlay::Confirm(confirm)) =
        desk.overlay.take_if(|o| matches!(o, Overlay::Confirm(_)))
    else {
        return Vec::new();
    };
    match (action, confirm.then) {
        (Action::Leave, _) => vec![Effect::Quit(Ending::Code(INTERRUPTED))],
        (Action::Yes, Then::Quit) => vec![Effect::Quit(Ending::Code(0))],
        (Action::SaveFirst, Then::Quit) => {
            ask(desk, Purpose::Save, &image);
            desk.quits_when_saved = true;
            Vec::new()
        }
        (Action::Yes, Then::Replace(path)) => write_profile(app, path, true),
        (Action::Yes, Then::Export(export)) => {
            let title = format!("Exporting to {}", export.output.display());
            // A new output is written: what was known of the one before says nothing of it.
            desk.output = None;
            work_on(app, &title, Work::Export(export))
        }
        (Action::Yes, Then::Heal { may_replace }) => {
            work_on(app, "Healing", Work::Heal { may_replace })
        }
        (Action::OtherWay, Then::Export(export)) => {
            let way = export.way.unwrap_or_default().next();
            outline(app, export.output, Some(way))
        }
        _ => {
            desk.quits_when_saved = false;
            Vec::new()
        }
    }
}
