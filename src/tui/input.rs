//! One line of text that a person types: a path or a filter.

use super::keys::Key;
use crossterm::event::KeyCode;

/// A line with a cursor. Positions are in characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    text: Vec<char>,
    at: usize,
}

/// Longest line that is taken; a pasted book is no path.
const MAX_CHARS: usize = 1024;

impl Input {
    /// A line that holds `text`, the cursor at its end.
    pub fn new(text: &str) -> Self {
        let mut line = Self::default();
        line.insert(text);
        line
    }

    /// What was typed.
    pub fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// The text before and after the cursor.
    pub fn halves(&self) -> (String, String) {
        let (before, after) = self.text.split_at(self.at);
        (before.iter().collect(), after.iter().collect())
    }

    /// Inserts text at the cursor; control characters (a pasted newline) are left out.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.text.len() >= MAX_CHARS {
                return;
            }
            self.text.insert(self.at, c);
            self.at += 1;
        }
    }

    /// Acts on a key; `false` when it means nothing here.
    pub fn press(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c.encode_utf8(&mut [0; 4]));
            return true;
        }
        match key {
            key if key == Key::code(KeyCode::Backspace) => self.delete_before(1),
            key if key == Key::code(KeyCode::Delete) => self.delete_after(),
            key if key == Key::code(KeyCode::Left) => self.at = self.at.saturating_sub(1),
            key if key == Key::code(KeyCode::Right) => {
                self.at = (self.at + 1).min(self.text.len());
            }
            key if key == Key::code(KeyCode::Home) || key == Key::ctrl('a') => self.at = 0,
            key if key == Key::code(KeyCode::End) || key == Key::ctrl('e') => {
                self.at = self.text.len();
            }
            key if key == Key::ctrl('u') => self.delete_before(self.at),
            key if key == Key::ctrl('w') => self.delete_before(self.word_length()),
            _ => return false,
        }
        true
    }

    fn delete_before(&mut self, count: usize) {
        let from = self.at.saturating_sub(count);
        self.text.drain(from..self.at);
        self.at = from;
    }

    fn delete_after(&mut self) {
        if self.at < self.text.len() {
            self.text.remove(self.at);
        }
    }

    /// The characters back to the start of the word (or path part) before the cursor.
    fn word_length(&self) -> usize {
        let is_break = |c: &char| c.is_whitespace() || *c == '/';
        let before = &self.text[..self.at];
        let breaks = before.iter().rev().take_while(|c| is_break(c)).count();
        let word = before[..self.at - breaks].iter().rev();
        breaks + word.take_while(|c| !is_break(c)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(start: &str, keys: &[Key]) -> String {
        let mut line = Input::new(start);
        for &key in keys {
            line.press(key);
        }
        let (before, after) = line.halves();
        format!("{before}|{after}")
    }

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        let code = Key::code;
        let cases: &[(&str, &[Key], &str)] = &[
            ("ab", &[Key::char('c')], "abc|"),
            ("ab", &[code(KeyCode::Left), Key::char('x')], "ax|b"),
            ("ab", &[code(KeyCode::Home), code(KeyCode::Delete)], "|b"),
            ("ab", &[code(KeyCode::Backspace)], "a|"),
            ("", &[code(KeyCode::Backspace), code(KeyCode::Left)], "|"),
            ("a/bc", &[Key::ctrl('w')], "a/|"),
            ("a b ", &[Key::ctrl('w')], "a |"),
            ("abc", &[Key::ctrl('u')], "|"),
            (
                "é水",
                &[code(KeyCode::Left), code(KeyCode::Backspace)],
                "|水",
            ),
        ];
        for (start, keys, wanted) in cases {
            assert_eq!(typed(start, keys), *wanted, "from {start:?}");
        }
    }

    #[test]
    fn pasted_control_characters_are_left_out() {
        let mut line = Input::default();
        line.insert("a\n\u{1b}[31mb");
        assert_eq!(line.text(), "a[31mb");
    }
}
