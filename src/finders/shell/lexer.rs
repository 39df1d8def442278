//! Finds the words of a shell script that are in command position.
//!
//! It is not a shell: it knows words, quotes, comments, here-documents, substitutions, `case` patterns and functions, and no
//! values of variables. Anything but a plain word is skipped. Every byte is read a bounded number of times, and nesting is
//! bounded, so that every text ends.

mod words;

use std::collections::{BTreeSet, VecDeque};

/// Deepest nesting of substitutions and groups that is followed.
const MAX_DEPTH: usize = 48;

/// Words that are followed by another command.
const BEFORE_COMMAND: [&[u8]; 10] = [
    b"if", b"then", b"elif", b"else", b"while", b"until", b"do", b"!", b"{", b"time",
];

/// Commands whose first plain argument is a command, or a script for `.`, or what the initramfs tools copy.
const WRAPPERS: [&[u8]; 15] = [
    b"exec",
    b"command",
    b"builtin",
    b"nice",
    b"nohup",
    b"env",
    b"sudo",
    b"setsid",
    b"ionice",
    b"timeout",
    b"xargs",
    b".",
    b"source",
    b"chronic",
    b"copy_exec",
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
mod tests;
