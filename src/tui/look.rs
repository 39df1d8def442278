//! Colours and text attributes. Each accompanies a sign or a word, so nothing is lost without colour.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Plain,
    /// Names of views, columns, panels.
    Title,
    /// What matters less.
    Faint,
    /// A key.
    Key,
    /// Stays whole.
    Whole,
    /// Stays trimmed.
    Trimmed,
    /// Stays as far as it is needed.
    NeededOnly,
    /// Its record stays.
    Hollowed,
    /// Goes.
    Dropped,
    /// The scientist's mark.
    Mark,
    /// Something may break, or failed.
    Warning,
}

/// How roles look on this terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    has_colour: bool,
}

impl Look {
    /// A look with or without colours; `NO_COLOR` set to anything means without.
    pub const fn new(has_colour: bool) -> Self {
        Self { has_colour }
    }

    /// The style of a role: the terminal's own sixteen colours, so that its theme decides.
    pub fn of(self, role: Role) -> Style {
        let (colour, modifier) = match role {
            Role::Plain => (None, Modifier::empty()),
            Role::Title => (None, Modifier::BOLD),
            Role::Faint => (Some(Color::DarkGray), Modifier::DIM),
            Role::Key => (Some(Color::Cyan), Modifier::BOLD),
            Role::Whole => (Some(Color::Green), Modifier::empty()),
            Role::Trimmed => (Some(Color::Cyan), Modifier::empty()),
            Role::NeededOnly => (Some(Color::Blue), Modifier::empty()),
            Role::Hollowed => (Some(Color::Magenta), Modifier::empty()),
            Role::Dropped => (Some(Color::Red), Modifier::empty()),
            Role::Mark => (Some(Color::Yellow), Modifier::BOLD),
            Role::Warning => (Some(Color::Red), Modifier::BOLD),
        };
        match colour {
            Some(colour) if self.has_colour && role == Role::Faint => Style::new().fg(colour),
            Some(colour) if self.has_colour => Style::new().fg(colour).add_modifier(modifier),
            _ => Style::new().add_modifier(modifier),
        }
    }

    /// The style that is laid over the selected row: one even bar, whatever stands in it.
    pub fn selected(self) -> Style {
        Style::new()
            .fg(Color::Reset)
            .bg(Color::Reset)
            .add_modifier(Modifier::REVERSED)
            .remove_modifier(Modifier::DIM)
    }
}
