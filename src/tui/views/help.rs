//! All keys, from the actions table, and what the signs mean.
//!
//! ```text
//! + Help --------------------------------------------+
//! | Mark                                             |
//! |   k              Keeps the selected thing whole  |
//! |   d              Drops the selected thing        |
//! ```

use super::text;
use crate::plan::{Level, Wish};
use crate::tui::actions::{ACTIONS, Group, keys_of};
use crate::tui::app::App;
use crate::tui::desk::Text;
use crate::tui::fit;
use crate::tui::lists::Cursor;
use crate::tui::look::Role;
use crate::tui::words;
use ratatui::buffer::Buffer;

/// Columns for the keys.
const KEYS: usize = 16;

/// How many lines the help has, and how many are visible.
pub fn extent(size: (u16, u16)) -> (usize, usize) {
    text::extent(&help(), size)
}

/// Draws the help from line `top` on.
pub fn render(app: &App, top: usize, size: (u16, u16), buf: &mut Buffer) {
    let help = help();
    text::boxed(app, help.title, Role::Title, &help.lines, top, size, buf);
}

fn help() -> Text {
    let mut lines = Vec::new();
    for group in Group::ALL {
        lines.push(group.heading().to_owned());
        let rows = ACTIONS.iter().filter(|row| row.group == group);
        lines.extend(rows.map(|row| {
            let keys = fit::left(&keys_of(row), KEYS);
            format!("  {keys}{}", row.help.trim())
        }));
        lines.push(String::new());
    }
    lines.push("Signs".to_owned());
    lines.extend(signs());
    Text {
        title: "Help",
        lines,
        is_trouble: false,
        cursor: Cursor::default(),
    }
}

fn signs() -> Vec<String> {
    let levels = Level::ALL
        .iter()
        .rev()
        .map(|&level| Some(level))
        .chain([None]);
    let mut lines: Vec<String> = levels
        .map(words::verdict)
        .map(|verdict| format!("  {}{}", fit::left(verdict.sign, KEYS), verdict.word))
        .collect();
    let wishes = [Wish::Keep(Level::Whole), Wish::Drop];
    lines.extend(wishes.map(|wish| {
        let sign = fit::left(words::wish_sign(wish), KEYS);
        format!("  {sign}marked {}", words::wish(wish))
    }));
    lines
}
