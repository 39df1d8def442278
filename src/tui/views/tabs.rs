//! The views with their counts, and what narrows them.
//!
//! ```text
//! [Packages 112 of 349]  Files 8,211 of 61,812   rules 7  marks 2  findings 3    filter: numpy
//! ```

use crate::plan::RuleId;
use crate::tui::app::App;
use crate::tui::desk::{Desk, View};
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Draws the line of views.
pub fn render(app: &App, desk: &Desk, area: Rect, buf: &mut Buffer) {
    let look = app.look;
    let (intent, plan) = (desk.session.intent(), desk.session.plan());
    let packages = plan
        .packages
        .iter()
        .filter(|package| package.level.is_some())
        .count();
    let tab = |view: View, text: String| {
        if desk.view == view {
            Span::styled(format!("[{text}]"), look.of(Role::Title))
        } else {
            Span::styled(format!(" {text} "), look.of(Role::Faint))
        }
    };
    let rules = RuleId::all()
        .filter(|&rule| intent.rules.contains(rule))
        .count();
    let mut spans = vec![
        tab(
            View::Packages,
            format!(
                "Packages {packages} of {}",
                words::count(plan.packages.len() as u64)
            ),
        ),
        tab(
            View::Files,
            format!(
                "Files {} of {}",
                words::count(plan.after.files),
                words::count(plan.before.files)
            ),
        ),
        Span::styled(
            format!("  rules {rules}  marks {}  ", intent.marks.len()),
            look.of(Role::Faint),
        ),
    ];
    let findings = plan.findings.len();
    let role = if findings == 0 {
        Role::Faint
    } else {
        Role::Warning
    };
    spans.push(Span::styled(format!("findings {findings}"), look.of(role)));
    if !desk.filter().is_empty() {
        spans.push(Span::styled(
            format!("  filter: {}", words::printable(desk.filter())),
            look.of(Role::Mark),
        ));
    }
    buf.set_line(area.x, area.y, &Line::from(spans), area.width);
}
