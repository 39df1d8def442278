//! The lists over the lists: rules, findings, marks, levels, suggestions.

use super::{go_to, lists, suggestions, travel};
use crate::model::text::unescape;
use crate::model::{Inventory, Node};
use crate::plan::hardware::{HYPERVISORS, HypervisorId};
use crate::plan::{Level, RULES, RuleId, Selector, Wish};
use crate::session::{Edit, Intent};
use crate::tui::actions::Action;
use crate::tui::app::App;
use crate::tui::desk::{Desk, Overlay, Panel, PanelKind, Prices};
use crate::tui::lists::Cursor;
use crate::tui::message::{Effect, Work};
use crate::tui::views;

/// Opens a panel.
pub fn open(app: &mut App, kind: PanelKind) -> Vec<Effect> {
    if let Some(desk) = app.desk_mut() {
        let mut panel = Panel {
            kind,
            cursor: Cursor::default(),
        };
        if kind == PanelKind::Levels {
            panel.cursor.at = current_level(desk);
        }
        desk.overlay = Some(Overlay::Panel(panel));
    }
    ask(app, kind)
}

/// Does what was asked in the open panel.
pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let size = app.size;
    let Some(desk) = app.desk_mut() else {
        return Vec::new();
    };
    let Some(Overlay::Panel(mut panel)) = desk.overlay.take_if(|o| matches!(o, Overlay::Panel(_)))
    else {
        return Vec::new();
    };
    let (len, height) = (
        views::panel_length(desk, panel.kind),
        views::panel_height(size, desk, panel.kind),
    );
    if travel(&mut panel.cursor, action, len, height) {
        desk.overlay = Some(Overlay::Panel(panel));
        return Vec::new();
    }
    match action {
        Action::Choose => choose(desk, panel, size),
        Action::AcceptClass => {
            suggestions::accept_class(desk, panel.cursor.at, size);
            keep_open(desk, panel, size);
        }
        Action::Unmark => {
            lists::unmark(desk, panel.cursor.at, size);
            keep_open(desk, panel, size);
        }
        Action::Undo | Action::Redo => {
            lists::step_back_or_forth(desk, action, size);
            keep_open(desk, panel, size);
        }
        Action::Help => desk.overlay = Some(Overlay::Help(Cursor::default())),
        _ => {}
    }
    match &app.desk().and_then(|desk| desk.overlay.as_ref()) {
        Some(Overlay::Panel(panel)) => ask(app, panel.kind),
        _ => forget(app),
    }
}

/// Has the worker find out what an open panel shows; what was asked before is forgotten.
fn ask(app: &mut App, kind: PanelKind) -> Vec<Effect> {
    if kind == PanelKind::Suggestions {
        return suggestions::ask(app);
    }
    ask_prices(app, kind)
}

fn forget(app: &mut App) -> Vec<Effect> {
    if let Some(desk) = app.desk_mut() {
        suggestions::forget(desk);
    }
    forget_prices(app)
}

pub fn keep_open(desk: &mut Desk, mut panel: Panel, size: (u16, u16)) {
    let len = views::panel_length(desk, panel.kind);
    panel.cursor.go(
        panel.cursor.at,
        len,
        views::panel_height(size, desk, panel.kind),
    );
    desk.overlay = Some(Overlay::Panel(panel));
}

fn choose(desk: &mut Desk, panel: Panel, size: (u16, u16)) {
    let at = panel.cursor.at;
    match panel.kind {
        PanelKind::Rules => {
            let edit = rule_edit(desk.session.intent(), at);
            desk.apply(edit, size);
            keep_open(desk, panel, size);
        }
        PanelKind::Levels => {
            if let (Some(node), Some(&wish)) = (desk.selected(), desk.offers().get(at)) {
                let selector = desk.session.selector_for(node);
                desk.apply(Edit::Mark(selector, wish), size);
            }
        }
        PanelKind::Suggestions => {
            suggestions::accept(desk, at, size);
            keep_open(desk, panel, size);
        }
        PanelKind::Findings => {
            let finding = desk.session.plan().findings.get(at);
            match finding.and_then(|finding| finding.node) {
                Some(node) => go_to(desk, node, size),
                None => keep_open(desk, panel, size),
            }
        }
        PanelKind::Marks => {
            let mark = desk.session.intent().marks.get(at);
            match mark.and_then(|mark| only_node(desk.session.inventory(), &mark.selector)) {
                Some(node) => go_to(desk, node, size),
                None => keep_open(desk, panel, size),
            }
        }
    }
}

/// What a selector without wildcards names.
fn only_node(inventory: &Inventory, selector: &Selector) -> Option<Node> {
    match selector {
        Selector::Package(name) => inventory.find_package(name).map(Node::Package),
        Selector::Path(path) => inventory.tree.lookup(&unescape(path)).map(Node::File),
        Selector::Module { .. } | Selector::Feature(_) => None,
    }
}

/// The edit of a row of the rules' panel: first the level of what is only needed, then rules, hypervisors, and the
/// initramfs.
fn rule_edit(intent: &Intent, row: usize) -> Edit {
    match row.checked_sub(1) {
        None => Edit::NeededLevel(match intent.needed_level {
            Level::Whole => Level::Trimmed,
            Level::Trimmed => Level::NeededOnly,
            Level::NeededOnly | Level::Hollowed => Level::Whole,
        }),
        Some(row) => match row.checked_sub(RULES.len()) {
            None => rule_switch(intent, RuleId(row as u8)),
            Some(host) if host < HYPERVISORS.len() => {
                hypervisor_switch(intent, HypervisorId(host as u8))
            }
            Some(_) => Edit::Initramfs(!intent.rebuilds_initramfs),
        },
    }
}

fn rule_switch(intent: &Intent, id: RuleId) -> Edit {
    Edit::Rule(id, !intent.rules.contains(id))
}

fn hypervisor_switch(intent: &Intent, id: HypervisorId) -> Edit {
    Edit::Hypervisor(id, !intent.hypervisors.contains(&id))
}

/// The row of the levels' panel that says what is the case now.
fn current_level(desk: &Desk) -> usize {
    let Some(node) = desk.selected() else {
        return 0;
    };
    let wish = match (desk.session.wish_of(node), node) {
        (Some((_, wish)), _) => Some(wish),
        (None, Node::Package(id)) => desk.session.plan().packages[id.index()]
            .level
            .map(Wish::Keep),
        (None, Node::File(_)) => None,
    };
    let found = desk
        .offers()
        .iter()
        .position(|&offered| Some(offered) == wish);
    found.unwrap_or(0)
}

/// The intents whose prices a panel shows, one a row.
fn alternatives(desk: &Desk, kind: PanelKind) -> Vec<Intent> {
    let intent = desk.session.intent();
    match kind {
        PanelKind::Rules => {
            let rules = RuleId::all().map(|id| rule_switch(intent, id));
            let hypervisors = HypervisorId::all().map(|id| hypervisor_switch(intent, id));
            rules
                .chain(hypervisors)
                .map(|edit| edit.on(intent))
                .collect()
        }
        PanelKind::Levels => {
            let Some(node) = desk.selected() else {
                return Vec::new();
            };
            let selector = desk.session.selector_for(node);
            let marked = |wish| Edit::Mark(selector.clone(), wish).on(intent);
            desk.offers().into_iter().map(marked).collect()
        }
        PanelKind::Findings | PanelKind::Marks | PanelKind::Suggestions => Vec::new(),
    }
}

/// Starts computing the prices of an open panel; those of before are forgotten.
fn ask_prices(app: &mut App, kind: PanelKind) -> Vec<Effect> {
    forget_prices(app);
    let Some(desk) = app.desk() else {
        return Vec::new();
    };
    let intents = alternatives(desk, kind);
    if intents.is_empty() {
        return Vec::new();
    }
    let loaded = desk.session.loaded().clone();
    let (running, effect) = app.start(Work::Price { loaded, intents });
    if let Some(desk) = app.desk_mut() {
        desk.prices = Some(Prices {
            job: running.job,
            cancel: running.cancel,
            sizes: Vec::new(),
        });
    }
    vec![effect]
}

fn forget_prices(app: &mut App) -> Vec<Effect> {
    if let Some(prices) = app.desk_mut().and_then(|desk| desk.prices.take()) {
        prices.cancel.cancel();
    }
    Vec::new()
}
