//! Which words of a shell script stand where a command stands.
//!
//! Not a shell: it knows words, quotes, comments, here-documents, substitutions, `case` patterns and functions, and nothing
//! of what a variable holds. What is no plain word is skipped. Every byte is looked at a bounded number of times, and
//! nesting is bounded, so that no text can stop it.

use std::collections::{BTreeSet, VecDeque};

/// Deepest nesting of substitutions and groups that is followed.
const MAX_DEPTH: usize = 48;

/// Words that are followed by another command.
const BEFORE_COMMAND: [&[u8]; 10] = [
    b"if", b"then", b"elif", b"else", b"while", b"until", b"do", b"!", b"{", b"time",
];

/// Commands whose first plain argument is a command, or a script for `.`.
const WRAPPERS: [&[u8]; 14] = [
    b"exec", b"command", b"builtin", b"nice", b"nohup", b"env", b"sudo", b"setsid", b"ionice",
    b"timeout", b"xargs", b".", b"source", b"chronic",
];

/// What shells do themselves.
const BUILTINS: &str = ". : [ [[ alias bg bind break builtin caller case cd command compgen complete compopt \
    continue coproc declare dirs disown do done echo elif else enable esac eval exec exit export false fc fg fi for \
    function getopts hash help history if in jobs kill let local logout mapfile popd printf pushd pwd read readarray \
    readonly return select set shift shopt source suspend test then time times trap true type typeset ulimit umask \
    unalias unset until wait while { } !";

/// The names and absolute paths that a script calls, each once: not builtins, nor functions that it defines itself.
pub fn commands(text: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut lexer = Lexer {
        text,
        at: 0,
        depth: 0,
        backticks: 0,
        named: BTreeSet::new(),
        functions: BTreeSet::new(),
        documents: VecDeque::new(),
    };
    while lexer.at < text.len() {
        lexer.list(None);
    }
    let is_builtin = |word: &[u8]| BUILTINS.split(' ').any(|name| name.as_bytes() == word);
    let functions = lexer.functions;
    lexer
        .named
        .into_iter()
        .filter(|word| !is_builtin(word) && !functions.contains(word))
        .filter(|word| word.first() == Some(&b'/') || !word.contains(&b'/'))
        .collect()
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    backticks: usize,
    named: BTreeSet<Vec<u8>>,
    functions: BTreeSet<Vec<u8>>,
    /// Here-documents that begin on the next line: delimiter, and whether tabs before it count.
    documents: VecDeque<(Vec<u8>, bool)>,
}

/// Where in a command the next word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The command itself.
    Command,
    /// Behind a command that starts another.
    Wrapped,
    /// Between `case` and `in`.
    Case,
    /// The pattern of a `case`.
    Pattern,
    /// The name behind `function`.
    Function,
    /// Anything else.
    Argument,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// Reads commands up to `close` on this level, or to the end.
    fn list(&mut self, close: Option<u8>) {
        if self.depth >= MAX_DEPTH {
            self.at = self.text.len();
            return;
        }
        self.depth += 1;
        let mut place = Place::Command;
        let mut cases = 0usize;
        while let Some(byte) = self.peek(0) {
            if close == Some(byte) && place != Place::Pattern {
                self.at += 1;
                break;
            }
            place = self.step(byte, place, &mut cases);
        }
        self.depth -= 1;
    }

    fn step(&mut self, byte: u8, place: Place, cases: &mut usize) -> Place {
        match byte {
            b'\n' => {
                self.at += 1;
                self.skip_documents();
                after_end(place)
            }
            b' ' | b'\t' | b'\r' => {
                self.at += 1;
                place
            }
            b'#' => {
                self.skip_to(b'\n');
                place
            }
            b';' if self.peek(1) == Some(b';') || self.peek(1) == Some(b'&') => {
                self.at += 2;
                if *cases > 0 {
                    Place::Pattern
                } else {
                    Place::Command
                }
            }
            b'&' if self.peek(1) == Some(b'>') => {
                self.at += 1;
                self.redirect();
                place
            }
            b';' | b'&' | b'|' => {
                self.at += 1;
                after_end(place)
            }
            b'<' | b'>' => {
                self.redirect();
                place
            }
            b'(' => self.open(place),
            b')' => {
                self.at += 1;
                Place::Command
            }
            _ => self.place_word(place, cases),
        }
    }

    fn open(&mut self, place: Place) -> Place {
        self.at += 1;
        match place {
            Place::Pattern => place,
            Place::Command if self.peek(0) != Some(b'(') => {
                self.list(Some(b')'));
                Place::Argument
            }
            _ => {
                self.skip_group(b'(', b')');
                Place::Argument
            }
        }
    }

    fn place_word(&mut self, place: Place, cases: &mut usize) -> Place {
        let start = self.at;
        let word = self.word();
        if self.at == start {
            self.at += 1;
            return place;
        }
        let is_number = self.text[start..self.at].iter().all(u8::is_ascii_digit);
        if is_number && matches!(self.peek(0), Some(b'<' | b'>')) {
            return place;
        }
        let Some(word) = word else {
            return match place {
                Place::Command | Place::Function => Place::Argument,
                other => other,
            };
        };
        match place {
            Place::Case if word == b"in" => Place::Pattern,
            Place::Pattern if word == b"esac" => {
                *cases = cases.saturating_sub(1);
                Place::Argument
            }
            Place::Function => {
                self.functions.insert(word);
                Place::Command
            }
            Place::Wrapped if word[0] == b'-' || word[0].is_ascii_digit() => place,
            Place::Command | Place::Wrapped => self.command(word, cases),
            _ => place,
        }
    }

    fn command(&mut self, word: Vec<u8>, cases: &mut usize) -> Place {
        if let Some(value) = assigned(&word) {
            if value.first() == Some(&b'/') {
                self.named.insert(value.to_vec());
            }
            if value.is_empty() && self.peek(0) == Some(b'(') {
                self.at += 1;
                self.skip_group(b'(', b')');
            }
            return Place::Command;
        }
        let blanks = self.text[self.at..]
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        if self.peek(blanks) == Some(b'(') && self.peek(blanks + 1) == Some(b')') {
            self.at += blanks + 2;
            self.functions.insert(word);
            return Place::Command;
        }
        match word.as_slice() {
            word if BEFORE_COMMAND.contains(&word) => Place::Command,
            b"case" => {
                *cases += 1;
                Place::Case
            }
            b"esac" => {
                *cases = cases.saturating_sub(1);
                Place::Argument
            }
            b"function" => Place::Function,
            b"[[" => {
                self.skip_condition();
                Place::Argument
            }
            _ => {
                let is_wrapper = WRAPPERS.contains(&word.as_slice());
                self.named.insert(word);
                if is_wrapper {
                    Place::Wrapped
                } else {
                    Place::Argument
                }
            }
        }
    }

    /// Reads one word; `None` when it is more than plain text. Commands inside it are read on the way.
    fn word(&mut self) -> Option<Vec<u8>> {
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
    fn skip_group(&mut self, open: u8, close: u8) {
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
    fn skip_condition(&mut self) {
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
    fn redirect(&mut self) {
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

    fn skip_documents(&mut self) {
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

    fn skip_to(&mut self, byte: u8) {
        let rest = &self.text[self.at..];
        self.at += rest
            .iter()
            .position(|&other| other == byte)
            .unwrap_or(rest.len());
    }
}

/// Behind a line's end, `;`, `&` or `|`: a pattern's bars and the line ends before it change nothing.
fn after_end(place: Place) -> Place {
    match place {
        Place::Pattern | Place::Case => place,
        _ => Place::Command,
    }
}

/// The value of `NAME=value` or `NAME+=value`.
fn assigned(word: &[u8]) -> Option<&[u8]> {
    let at = word.iter().position(|&byte| byte == b'=')?;
    let name = word[..at].strip_suffix(b"+").unwrap_or(&word[..at]);
    let is_name = !name.is_empty()
        && !name[0].is_ascii_digit()
        && name
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(&word[at + 1..])
}

#[cfg(test)]
#[path = "lexer_tests.rs"]
mod tests;
