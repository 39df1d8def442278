//! The projected size against the source, after every edit.
//!
//! ```text
//! ██████████░░░░░░░░░░░░░░  512.3 MB of 1.31 GB stays (39 %), about 190 MB compressed
//! ```

use super::put;
use crate::plan::Plan;
use crate::tui::app::App;
use crate::tui::desk::Desk;
use crate::tui::fit;
use crate::tui::look::Role;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the bar and the figures.
pub fn render(app: &App, desk: &Desk, area: Rect, buf: &mut Buffer) {
    let plan = desk.session.plan();
    let bar = (area.width / 6).clamp(8, 48);
    let full = filled(plan, bar);
    let rest = usize::from(bar - full);
    put(
        buf,
        area.x,
        area.y,
        full,
        &"█".repeat(usize::from(full)),
        app.look.of(Role::Whole),
    );
    put(
        buf,
        area.x + full,
        area.y,
        bar,
        &"░".repeat(rest),
        app.look.of(Role::Faint),
    );
    let at = area.x + bar + 2;
    let room = area.right().saturating_sub(at);
    let figures = figures(plan);
    put(
        buf,
        at,
        area.y,
        room,
        &fit::cut(&figures, usize::from(room)),
        app.look.of(Role::Title),
    );
}

/// The figures in words, also for the small view.
pub fn figures(plan: &Plan) -> String {
    let (before, after) = (plan.before.allocated, plan.after.allocated);
    let percent = (after.0 * 100).checked_div(before.0).unwrap_or(0);
    format!(
        "{after} of {before} stays ({percent} %), about {} compressed",
        plan.after.compressed
    )
}

fn filled(plan: &Plan, bar: u16) -> u16 {
    let (before, after) = (plan.before.allocated.0, plan.after.allocated.0);
    let full = u128::from(after) * u128::from(bar);
    let full = (full + u128::from(before) / 2).checked_div(u128::from(before));
    full.map_or(0, |full| full.min(u128::from(bar)) as u16)
}
