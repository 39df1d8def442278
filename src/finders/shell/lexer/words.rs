//! Within a command: words with their quotes, substitutions, redirections, here-documents, and what is skipped.

use super::{Lexer, MAX_DEPTH};

impl Lexer<'_> {
    /// Reads one word; `None` when it is more than plain text. Commands inside it are read on the way.
    pub(super) fn word(&mut self) -> Option<Vec<u8>> {
        let mut word = Vec::new();
        let mut is_plain = true;
        while let Some(byte) = self.peek(0) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => {
                    break;
                }
                b'`' if self.backticks > 0 => break,
                b'\\' => {
                    word.extend(self.peek(1).filter(|&next| next != b'\n'));
                    self.at = (self.at + 2).min(self.text.len());
                }
                b'\'' => self.single_quotes(&mut word),
                b'"' => is_plain &= self.double_quotes(&mut word),
                b'$' | b'`' => {
                    is_plain = false;
                    self.substitution(byte);
                }
                b'*' | b'?' => {
                    is_plain = false;
                    self.at += 1;
                }
                _ => {
                    word.push(byte);
                    self.at += 1;
                }
            }
        }
        (is_plain && !word.is_empty()).then_some(word)
    }

    fn single_quotes(&mut self, word: &mut Vec<u8>) {
        self.at += 1;
        let start = self.at;
        self.skip_to(b'\'');
        word.extend(&self.text[start..self.at]);
        self.at = (self.at + 1).min(self.text.len());
    }

    /// Reads a quoted part; tells whether it is plain text.
    fn double_quotes(&mut self, word: &mut Vec<u8>) -> bool {
        let mut is_plain = true;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'"' => {
                    self.at += 1;
                    break;
                }
                b'`' if self.backticks > 0 => break,
                b'\\' => {
                    word.extend(self.peek(1));
                    self.at = (self.at + 2).min(self.text.len());
                }
                b'$' | b'`' => {
                    is_plain = false;
                    self.substitution(byte);
                }
                _ => {
                    word.push(byte);
                    self.at += 1;
                }
            }
        }
        is_plain
    }

    /// What `$` or a backtick begins.
    fn substitution(&mut self, byte: u8) {
        self.at += 1;
        if byte == b'`' {
            self.backticks += 1;
            self.list(Some(b'`'));
            self.backticks -= 1;
            return;
        }
        match (self.peek(0), self.peek(1)) {
            (Some(b'('), Some(b'(')) => {
                self.at += 1;
                self.skip_group(b'(', b')');
            }
            (Some(b'('), _) => {
                self.at += 1;
                let backticks = std::mem::take(&mut self.backticks);
                self.list(Some(b')'));
                self.backticks = backticks;
            }
            (Some(b'{'), _) => {
                self.at += 1;
                self.skip_group(b'{', b'}');
            }
            (Some(b'$' | b'#' | b'*' | b'?'), _) => self.at += 1,
            _ => {}
        }
    }

    /// Skips to behind the bracket that closes a group; commands in `$(...)` and backticks inside count.
    pub(super) fn skip_group(&mut self, open: u8, close: u8) {
        if self.depth >= MAX_DEPTH {
            self.at = self.text.len();
            return;
        }
        self.depth += 1;
        let mut level = 1;
        let mut ignored = Vec::new();
        while let Some(byte) = self.peek(0)
            && level > 0
        {
            match byte {
                b'\\' => self.at = (self.at + 2).min(self.text.len()),
                b'\'' if open == b'(' => self.single_quotes(&mut ignored),
                b'"' => {
                    self.double_quotes(&mut ignored);
                }
                b'`' if self.backticks > 0 => break,
                b'$' | b'`' => self.substitution(byte),
                _ => {
                    level += usize::from(byte == open);
                    level -= usize::from(byte == close);
                    self.at += 1;
                }
            }
            ignored.clear();
        }
        self.depth -= 1;
    }

    /// Skips the inside of `[[ ... ]]`, which ends on its line in every honest script.
    pub(super) fn skip_condition(&mut self) {
        while let Some(byte) = self.peek(0) {
            if byte == b'\n' || self.text[self.at..].starts_with(b" ]]") {
                return;
            }
            if byte == b'$' || (byte == b'`' && self.backticks == 0) {
                self.substitution(byte);
            } else {
                self.at += 1;
            }
        }
    }

    /// Skips a redirection with its target, and notes a here-document.
    pub(super) fn redirect(&mut self) {
        let rest = &self.text[self.at..];
        if rest.starts_with(b"<(") || rest.starts_with(b">(") {
            self.at += 2;
            self.list(Some(b')'));
            return;
        }
        let is_document = rest.starts_with(b"<<") && !rest.starts_with(b"<<<");
        while matches!(self.peek(0), Some(b'<' | b'>' | b'&' | b'|')) {
            self.at += 1;
        }
        let has_tabs = is_document && self.peek(0) == Some(b'-');
        self.at += usize::from(has_tabs);
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let word = self.word();
        if let Some(word) = word.filter(|_| is_document) {
            self.documents.push_back((word, has_tabs));
        }
    }

    pub(super) fn skip_documents(&mut self) {
        while let Some((end, has_tabs)) = self.documents.pop_front() {
            while self.at < self.text.len() {
                let start = self.at;
                self.skip_to(b'\n');
                let mut line = &self.text[start..self.at];
                self.at = (self.at + 1).min(self.text.len());
                while has_tabs && let Some(rest) = line.strip_prefix(b"\t") {
                    line = rest;
                }
                if line == end {
                    break;
                }
            }
        }
    }

    pub(super) fn skip_to(&mut self, byte: u8) {
        let rest = &self.text[self.at..];
        self.at += rest
            .iter()
            .position(|&other| other == byte)
            .unwrap_or(rest.len());
    }
}
