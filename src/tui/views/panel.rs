//! The lists over the lists: rules, findings, marks, levels, suggestions.
//!
//! ```text
//! + Rules -----------------------------------------------------------+
//! | level of what is only needed: trimmed                            |
//! | [x] documentation    saves 23.4 MB  documentation, but for ...   |
//! | [ ] byte-code        saves 11.0 MB  Python's byte-code caches    |
//! |                                                                  |
//! | A program that shows its own documentation finds none.           |
//! | Enter choose  u undo  Esc close                                  |
//! +------------------------------------------------------------------+
//! ```

use super::{footer, frame, put, rows, select, suggestions};
use crate::model::Bytes;
use crate::plan::hardware::{HYPERVISORS, HypervisorId};
use crate::plan::{Level, RULES, RuleId, Severity, Wish};
use crate::tui::app::App;
use crate::tui::desk::{Desk, Panel, PanelKind};
use crate::tui::fit;
use crate::tui::layout;
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const WIDTH: u16 = 110;
/// Lines below the rows: a gap, what the selected row means, the keys.
const BELOW: u16 = 4;

/// How many rows a panel has.
pub fn length(desk: &Desk, kind: PanelKind) -> usize {
    match kind {
        PanelKind::Rules => 2 + RULES.len() + HYPERVISORS.len(),
        PanelKind::Findings => desk.session.plan().findings.len(),
        PanelKind::Marks => desk.session.intent().marks.len(),
        PanelKind::Levels => desk.offers().len(),
        PanelKind::Suggestions => desk
            .suggested
            .as_ref()
            .map_or(0, |suggested| suggested.offers.list.len()),
    }
}

/// How many rows are visible.
pub fn height(size: (u16, u16), length: usize) -> usize {
    usize::from(area(size, length).height.saturating_sub(2 + BELOW)).max(1)
}

fn area(size: (u16, u16), length: usize) -> Rect {
    let rows = u16::try_from(length.max(1)).unwrap_or(size.1);
    layout::middle(size, WIDTH, rows.saturating_add(2 + BELOW))
}

/// Draws a panel.
pub fn render(app: &App, desk: &Desk, panel: Panel, size: (u16, u16), buf: &mut Buffer) {
    let title = title(desk, panel.kind);
    let length = length(desk, panel.kind);
    let inner = frame(buf, area(size, length), &title, app.look.of(Role::Title));
    let below = BELOW.min(inner.height.saturating_sub(1));
    let list = Rect {
        height: inner.height - below,
        ..inner
    };
    let window = panel.cursor.window(length, usize::from(list.height));
    for (at, row) in window.zip(rows(list)) {
        let (text, role) = line(desk, panel.kind, at);
        let text = fit::cut(&text, usize::from(row.width));
        put(buf, row.x, row.y, row.width, &text, app.look.of(role));
        if at == panel.cursor.at {
            select(buf, row, app.look);
        }
    }
    if length == 0 {
        put(
            buf,
            list.x,
            list.y,
            list.width,
            nothing(desk, panel.kind),
            app.look.of(Role::Faint),
        );
    }
    let meaning = match &desk.notice {
        Some(notice) => words::printable(notice),
        None => meaning(desk, panel),
    };
    let notes = Rect {
        y: list.bottom() + 1,
        height: below.saturating_sub(2),
        ..inner
    };
    for (row, text) in rows(notes).zip(fit::wrap(&meaning, usize::from(inner.width))) {
        put(
            buf,
            row.x,
            row.y,
            row.width,
            &text,
            app.look.of(Role::Faint),
        );
    }
    let keys = Rect {
        y: inner.bottom().saturating_sub(1),
        height: inner.height.min(1),
        ..inner
    };
    footer::render(app, keys, buf);
}

fn title(desk: &Desk, kind: PanelKind) -> String {
    match kind {
        PanelKind::Rules => "Rules".to_owned(),
        PanelKind::Findings => "Findings".to_owned(),
        PanelKind::Marks => "Marks".to_owned(),
        PanelKind::Suggestions => suggestions::title(desk),
        PanelKind::Levels => match desk.selected() {
            Some(node) => format!(
                "Level of {}",
                fit::cut_start(&words::node(desk.session.inventory(), node), 50)
            ),
            None => "Level".to_owned(),
        },
    }
}

fn nothing(desk: &Desk, kind: PanelKind) -> &'static str {
    match kind {
        PanelKind::Findings => "Nothing was found that may break.",
        PanelKind::Marks => "There are no marks: k keeps, d drops what is selected in a list.",
        PanelKind::Suggestions => suggestions::nothing(desk),
        PanelKind::Rules | PanelKind::Levels => "",
    }
}

fn line(desk: &Desk, kind: PanelKind, at: usize) -> (String, Role) {
    match kind {
        PanelKind::Rules => rule(desk, at),
        PanelKind::Findings => match desk.session.plan().findings.get(at) {
            Some(finding) if finding.severity == Severity::Warning => (
                format!("! {}", words::printable(&finding.message)),
                Role::Warning,
            ),
            Some(finding) => (
                format!("i {}", words::printable(&finding.message)),
                Role::Plain,
            ),
            None => (String::new(), Role::Plain),
        },
        PanelKind::Marks => {
            let sign = desk
                .session
                .intent()
                .marks
                .get(at)
                .map_or("", |mark| words::wish_sign(mark.wish));
            (format!("{sign} {}", mark(desk, at)), Role::Plain)
        }
        PanelKind::Levels => level(desk, at),
        PanelKind::Suggestions => suggestions::line(desk, at),
    }
}

fn rule(desk: &Desk, row: usize) -> (String, Role) {
    let intent = desk.session.intent();
    let Some(at) = row.checked_sub(1) else {
        let level = intent.needed_level.word();
        return (
            format!("level of what stays only because something needs it: {level}"),
            Role::Title,
        );
    };
    let (is_on, name, heading) = match at.checked_sub(RULES.len()) {
        None => {
            let is_on = intent.rules.contains(RuleId(at as u8));
            (is_on, RULES[at].id.to_owned(), RULES[at].heading)
        }
        Some(host) if host == HYPERVISORS.len() => {
            let sign = sign(intent.rebuilds_initramfs);
            let name = "initramfs";
            let price = "when it is exported";
            return (
                format!("{sign} {name:<17} {price:<20} {REBUILT}"),
                shade(intent.rebuilds_initramfs),
            );
        }
        Some(host) => {
            let is_on = intent.hypervisors.contains(&HypervisorId(host as u8));
            let host = &HYPERVISORS[host];
            (is_on, format!("on {}", host.id), host.doc)
        }
    };
    let sign = sign(is_on);
    let now = desk.session.plan().after.allocated;
    let price = match price(desk, at) {
        Some(other) if is_on && other < now => format!("takes {}", now - other),
        Some(other) if is_on => format!("saves {}", other - now),
        Some(other) if other > now => format!("would take {}", other - now),
        Some(other) => format!("would save {}", now - other),
        None => "...".to_owned(),
    };
    (
        format!("{sign} {name:<17} {price:<20} {heading}"),
        shade(is_on),
    )
}

const fn sign(is_on: bool) -> &'static str {
    if is_on { "[x]" } else { "[ ]" }
}

const fn shade(is_on: bool) -> Role {
    if is_on { Role::Plain } else { Role::Faint }
}

fn level(desk: &Desk, at: usize) -> (String, Role) {
    let Some(&wish) = desk.offers().get(at) else {
        return (String::new(), Role::Plain);
    };
    let price = match price(desk, at) {
        Some(size) => {
            let change = words::change(desk.session.plan().after.allocated, size);
            format!("projected size {size}{change}")
        }
        None => "...".to_owned(),
    };
    let word = words::wish(wish);
    (
        format!("{} {word:<18} {price}", words::wish_sign(wish)),
        Role::Plain,
    )
}

/// What another intent would leave on disk, once the worker has answered.
fn price(desk: &Desk, at: usize) -> Option<Bytes> {
    desk.prices.as_ref()?.sizes.get(at).copied()
}

const RUNS_ON: &str = "Where the output will run. Once one is declared, drivers and firmware that none of the declared ones \
    needs are removed; on other hypervisors the guest then misses its devices.";

const REBUILT: &str = "rebuilt smaller by the guest's own tools";
const REBUILDS: &str = "A throw-away machine boots the source, and its initramfs-tools rebuild the initramfs with the \
    drivers of the disks that the declared hypervisors show (of all known ones when none is declared). \
    guestslim verify proves that it boots.";

/// What the selected row means, below the rows.
fn meaning(desk: &Desk, panel: Panel) -> String {
    let at = panel.cursor.at;
    match panel.kind {
        PanelKind::Rules => match at.checked_sub(1) {
            None => {
                "The level of packages that are not marked and that something needs.".to_owned()
            }
            Some(at) => match at.checked_sub(RULES.len()) {
                None => format!("{}: {}", RULES[at].heading, RULES[at].risk),
                Some(host) => HYPERVISORS.get(host).map_or_else(
                    || REBUILDS.to_owned(),
                    |host| format!("{}: {RUNS_ON}", host.doc),
                ),
            },
        },
        PanelKind::Findings => {
            let finding = desk.session.plan().findings.get(at);
            finding
                .map(|finding| words::printable(&finding.message))
                .unwrap_or_default()
        }
        PanelKind::Marks => mark(desk, at),
        PanelKind::Suggestions => suggestions::meaning(desk, at),
        PanelKind::Levels => desk
            .offers()
            .get(at)
            .map(|&wish| price_of(wish))
            .unwrap_or_default()
            .to_owned(),
    }
}

/// What a person gets for a wish.
const fn price_of(wish: Wish) -> &'static str {
    match wish {
        Wish::Keep(Level::Whole) => "Everything of it stays, whatever the rules say.",
        Wish::Keep(Level::Trimmed) => "Everything stays except what the rules that are on remove.",
        Wish::Keep(Level::NeededOnly) => {
            "Only what a finder, a mark or a trace names stays; check the result with a trace."
        }
        Wish::Keep(Level::Hollowed) => {
            "Its record stays, so that the package manager stays consistent; its files go."
        }
        Wish::Drop => "It goes, unless something that stays needs it.",
    }
}

/// A mark and how much it selects.
fn mark(desk: &Desk, at: usize) -> String {
    let Some(mark) = desk.session.intent().marks.get(at) else {
        return String::new();
    };
    let count = match desk.session.mark_matches(at) {
        0 => "selects nothing".to_owned(),
        count => format!("selects {}", words::count(count as u64)),
    };
    let (wish, selector) = (words::wish(mark.wish), words::selector(&mark.selector));
    format!("{wish} {selector} ({count})")
}
