//! A key as the actions table writes it and as a person reads it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::fmt;

/// A key with its modifiers; Shift is part of the character (`R`), never a modifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// A key without modifiers.
    pub const fn code(code: KeyCode) -> Self {
        Self {
            code,
            modifiers: KeyModifiers::NONE,
        }
    }

    /// A character.
    pub const fn char(c: char) -> Self {
        Self::code(KeyCode::Char(c))
    }

    /// A character with Ctrl.
    pub const fn ctrl(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            modifiers: KeyModifiers::CONTROL,
        }
    }

    /// The character that this key types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() && !c.is_control() => Some(c),
            _ => None,
        }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        let modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        let code = match event.code {
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            code => code,
        };
        Self { code, modifiers }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            text.push_str("Ctrl-");
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            text.push_str("Alt-");
        }
        match self.code {
            KeyCode::Char(' ') => text.push_str("Space"),
            KeyCode::Char(c) if self.modifiers.is_empty() => text.push(c),
            KeyCode::Char(c) => text.push(c.to_ascii_uppercase()),
            KeyCode::Up => text.push('↑'),
            KeyCode::Down => text.push('↓'),
            KeyCode::Left => text.push('←'),
            KeyCode::Right => text.push('→'),
            KeyCode::PageUp => text.push_str("PgUp"),
            KeyCode::PageDown => text.push_str("PgDn"),
            KeyCode::Delete => text.push_str("Del"),
            code => text.push_str(&code.to_string()),
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_as_on_a_keyboard() {
        let keys = [
            Key::char('k'),
            Key::char('?'),
            Key::char(' '),
            Key::ctrl('r'),
            Key::code(KeyCode::Up),
            Key::code(KeyCode::Tab),
        ];
        let read: Vec<String> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(read, ["k", "?", "Space", "Ctrl-R", "↑", "Tab"]);
    }

    #[test]
    fn shift_is_part_of_the_character_and_ctrl_ignores_case() {
        let shifted = KeyEvent::new(KeyCode::Char('R'), KeyModifiers::SHIFT);
        assert_eq!(Key::from(shifted), Key::char('R'));
        let both = KeyEvent::new(
            KeyCode::Char('C'),
            KeyModifiers::SHIFT | KeyModifiers::CONTROL,
        );
        assert_eq!(Key::from(both), Key::ctrl('c'));
    }
}
