//! What the worker reports.

use super::{proofs, traces};
use crate::model::Bytes;
use crate::session::{Offers, Session, Way};
use crate::tui::app::{App, Ending, INTERRUPTED, Running, Stage, Trouble};
use crate::tui::desk::{Confirm, Desk, Output, Overlay, Suggested, Text, Then};
use crate::tui::host::{Outline, Saved};
use crate::tui::lists::Cursor;
use crate::tui::message::{Effect, Export, JobId, Report};
use crate::tui::words;
use std::path::PathBuf;

/// Takes in a report; one of a job that nobody waits for any more is dropped.
pub fn take(app: &mut App, job: JobId, report: Report) -> Vec<Effect> {
    let report = match report {
        Report::Priced(sizes) => return price(app, job, sizes),
        Report::WaysBack(ways) => return ways_back(app, job, ways),
        other => other,
    };
    let Some(running) = waiting_for(app, job) else {
        return Vec::new();
    };
    match report {
        Report::Progress(progress) => {
            running.advance(progress);
            Vec::new()
        }
        Report::Printed(lines) => {
            running.print(lines);
            Vec::new()
        }
        Report::Traced(result) => traces::traced(app, result),
        Report::Opened(result) => opened(app, result),
        Report::Saved(result) => saved(app, result),
        Report::Outlined(result) => outlined(app, result),
        Report::Exported(result) => exported(app, result),
        Report::Verified(result) => proofs::verified(app, result),
        Report::Healed(result) => proofs::healed(app, result),
        Report::Suggested(offers) => suggested(app, offers),
        Report::Priced(_) | Report::WaysBack(_) => Vec::new(),
    }
}

fn waiting_for(app: &mut App, job: JobId) -> Option<&mut Running> {
    let running = match &mut app.stage {
        Stage::Opening(running) => running,
        Stage::Open(desk) => match &mut desk.overlay {
            Some(Overlay::Working { running, .. }) => running,
            _ => desk.suggested.as_mut()?.running.as_mut()?,
        },
        Stage::Failed(_) => return None,
    };
    (running.job == job).then_some(running)
}

fn ways_back(app: &mut App, job: JobId, ways: Vec<Way>) -> Vec<Effect> {
    if let Some(asked) = app.desk_mut().and_then(|desk| desk.ways.as_mut())
        && asked.job == job
    {
        asked.ways = Some(ways);
    }
    Vec::new()
}

fn suggested(app: &mut App, offers: Offers) -> Vec<Effect> {
    let size = app.size;
    if let Some(desk) = app.desk_mut() {
        desk.suggested = Some(Suggested {
            running: None,
            offers,
        });
        // The list may be shorter than the one before.
        if let Some(Overlay::Panel(panel)) = &desk.overlay {
            let panel = *panel;
            super::panels::keep_open(desk, panel, size);
        }
    }
    Vec::new()
}

fn price(app: &mut App, job: JobId, sizes: Vec<Bytes>) -> Vec<Effect> {
    if let Some(prices) = app.desk_mut().and_then(|desk| desk.prices.as_mut())
        && prices.job == job
    {
        prices.sizes = sizes;
    }
    Vec::new()
}

fn opened(app: &mut App, result: anyhow::Result<Box<Session>>) -> Vec<Effect> {
    let is_stopping = matches!(&app.stage, Stage::Opening(running) if running.is_stopping());
    if is_stopping {
        return vec![Effect::Quit(Ending::Code(INTERRUPTED))];
    }
    match result {
        Ok(session) => {
            let mut desk = Desk::new(*session, app.profile.clone());
            desk.refresh(app.size);
            app.stage = Stage::Open(Box::new(desk));
        }
        Err(error) => app.stage = Stage::Failed(Trouble::new(error)),
    }
    Vec::new()
}

/// Takes the work's box away and tells whether it was asked to stop.
pub(super) fn finish(desk: &mut Desk) -> bool {
    let was_stopping =
        matches!(&desk.overlay, Some(Overlay::Working { running, .. }) if running.is_stopping());
    desk.overlay = None;
    was_stopping
}

pub(super) fn fail(desk: &mut Desk, title: &'static str, error: &anyhow::Error) {
    desk.quits_when_saved = false;
    show(desk, title, words::trouble(error), true);
}

/// Shows lines to read.
pub(super) fn show(desk: &mut Desk, title: &'static str, lines: Vec<String>, is_trouble: bool) {
    desk.overlay = Some(Overlay::Text(Text {
        title,
        lines,
        is_trouble,
        cursor: Cursor::default(),
    }));
}

fn saved(app: &mut App, result: anyhow::Result<Saved>) -> Vec<Effect> {
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    finish(desk);
    match result {
        Ok(Saved::Written(path)) => {
            desk.saved = desk.session.intent().clone();
            let shown = words::path(&path);
            desk.notice = Some(format!(
                "saved as {shown}; replay it with: guestslim replay {shown} IMAGE -o OUT"
            ));
            desk.profile = Some(path.clone());
            desk.written = Some(path);
            if desk.quits_when_saved {
                return vec![Effect::Quit(Ending::Code(0))];
            }
        }
        Ok(Saved::Exists(path)) => {
            let question = format!("{} exists. Replace it?", words::path(&path));
            desk.overlay = Some(Overlay::Confirm(Confirm {
                title: "Save",
                lines: vec![question],
                then: Then::Replace(path),
            }));
        }
        Err(error) => fail(desk, "Not saved", &error),
    }
    Vec::new()
}

fn outlined(app: &mut App, result: anyhow::Result<(Export, Outline)>) -> Vec<Effect> {
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    if finish(desk) {
        return Vec::new();
    }
    match result {
        Ok((mut export, outline)) => {
            export.may_replace = outline.exists;
            export.way = Some(outline.way);
            desk.overlay = Some(Overlay::Confirm(Confirm {
                title: "Export",
                lines: summary(desk, &export, &outline),
                then: Then::Export(export),
            }));
        }
        Err(error) => fail(desk, "This cannot be exported", &error),
    }
    Vec::new()
}

/// What a person should know before he says yes.
fn summary(desk: &Desk, export: &Export, outline: &Outline) -> Vec<String> {
    let plan = desk.session.plan();
    let gone = plan
        .packages
        .iter()
        .filter(|package| package.level.is_none())
        .count();
    let output = words::path(&export.output);
    let mut lines = vec![format!("Write {output}?")];
    lines.push(format!(
        "Way: {} ({}).",
        outline.way.name(),
        outline.way.promise()
    ));
    let refused = outline.refused.iter();
    lines.extend(refused.map(|why| format!("{why}.")));
    if outline.exists {
        lines.push("A file of this name exists and would be replaced.".to_owned());
    }
    lines.push(format!(
        "Projected: {} of {} on disk, about {} compressed.",
        plan.after.allocated, plan.before.allocated, plan.after.compressed
    ));
    lines.push(format!(
        "{gone} packages and {} files go.",
        plan.before.files.saturating_sub(plan.after.files)
    ));
    if !plan.findings.is_empty() {
        lines.push(format!("{} findings (f shows them).", plan.findings.len()));
    }
    lines.push("Steps:".to_owned());
    let numbered = outline.steps.iter().enumerate();
    lines.extend(numbered.map(|(at, step)| format!("{:>2}. {step}", at + 1)));
    lines
}

fn exported(app: &mut App, result: anyhow::Result<(PathBuf, Vec<String>)>) -> Vec<Effect> {
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    let was_stopping = finish(desk);
    match result {
        Ok((path, lines)) => {
            desk.output = Some(Output {
                path,
                is_curable: false,
            });
            show(desk, "Exported", lines, false);
        }
        Err(_) if was_stopping => {
            desk.notice = Some("the export was cancelled; nothing was written".to_owned());
        }
        Err(error) => fail(desk, "Not exported", &error),
    }
    Vec::new()
}
