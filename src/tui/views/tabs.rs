//! The views with their counts, and what narrows them.
//!
//! ```text
//! [Packages 112/349] Files 8,211/61,812   filter: numpy  findings 3  marks 2  rules 7
//! ```

use crate::plan::{Plan, RuleId};
use crate::tui::app::App;
use crate::tui::desk::{Desk, View};
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the line of views, as much of it as there is room for: what narrows the list comes first.
pub fn render(app: &App, desk: &Desk, area: Rect, buf: &mut Buffer) {
    let look = app.look;
    let (intent, plan) = (desk.session.intent(), desk.session.plan());
    let findings = plan.findings.len();
    let rules = RuleId::all()
        .filter(|&rule| intent.rules.contains(rule))
        .count();
    let mut spans = Vec::new();
    for (view, text) in [(View::Packages, packages(plan)), (View::Files, files(plan))] {
        spans.push(if desk.view == view {
            Span::styled(format!("[{text}]"), look.of(Role::Title))
        } else {
            Span::styled(format!(" {text} "), look.of(Role::Faint))
        });
    }
    if !desk.filter().is_empty() {
        let filter = format!("  filter: {}", words::printable(desk.filter()));
        spans.push(Span::styled(filter, look.of(Role::Mark)));
    }
    let severity = if findings == 0 {
        Role::Faint
    } else {
        Role::Warning
    };
    for (word, count, role) in [
        ("findings", findings, severity),
        ("marks", intent.marks.len(), Role::Faint),
        ("rules", rules, Role::Faint),
    ] {
        spans.push(Span::styled(format!("  {word} {count}"), look.of(role)));
    }
    let mut used = 0;
    spans.retain(|span| {
        used += span.width();
        used <= usize::from(area.width)
    });
    buf.set_line(area.x, area.y, &Line::from(spans), area.width);
}

fn packages(plan: &Plan) -> String {
    let stay = plan
        .packages
        .iter()
        .filter(|package| package.level.is_some())
        .count();
    format!(
        "Packages {stay}/{}",
        words::count(plan.packages.len() as u64)
    )
}

fn files(plan: &Plan) -> String {
    let (after, before) = (plan.after.files, plan.before.files);
    format!("Files {}/{}", words::count(after), words::count(before))
}
