//! The one place that compiles a glob, a guest's or a profile's: a hostile one is an error, never a panic.
//!
//! `globset` parses and matches. What it is given is bounded first, because its parser recurses once a brace, and it is
//! asked for a set, because only a set's compilation can fail: `Glob::compile_matcher` panics above its own size limit.

use globset::{GlobBuilder, GlobSet};

/// Longest glob in bytes: the longest path that Linux opens.
pub const MAX_LENGTH: usize = 4096;
/// Most opening braces, whether nested or side by side.
const MAX_BRACES: usize = 64;
/// Most commas, each of which may part two alternatives.
const MAX_COMMAS: usize = 1024;

/// What stars and backslashes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A selector over escaped text: a star stays within a path's part, a backslash is just itself.
    Selector,
    /// A file's name in a guest's configuration: a star stays within a path's part, a backslash takes the next character
    /// as it is.
    FileName,
    /// Any name in a guest's configuration: a star crosses slashes.
    Name,
}

/// Why a text is not a usable glob; none of the sentences repeats the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// Longer than [`MAX_LENGTH`].
    #[error("it has {0} bytes, and a glob may have {MAX_LENGTH}")]
    TooLong(usize),
    /// More braces than [`MAX_BRACES`].
    #[error("it has {0} braces, and a glob may have {MAX_BRACES}")]
    TooManyBraces(usize),
    /// More alternatives than [`MAX_COMMAS`].
    #[error("it has {0} commas, and a glob may have {MAX_COMMAS}")]
    TooManyCommas(usize),
    /// Compiled, it would take more memory than a glob may.
    #[error("it is too large")]
    TooLarge,
    /// Not a glob.
    #[error("{0}")]
    Syntax(String),
}

/// A compiled glob; matching takes time linear in the text.
#[derive(Debug, Clone)]
pub struct Glob(GlobSet);

impl Glob {
    /// Compiles a glob within the limits.
    pub fn new(pattern: &str, dialect: Dialect) -> Result<Self, GlobError> {
        let count = |byte| pattern.bytes().filter(|&b| b == byte).count();
        if pattern.len() > MAX_LENGTH {
            return Err(GlobError::TooLong(pattern.len()));
        }
        let (braces, commas) = (count(b'{'), count(b','));
        if braces > MAX_BRACES {
            return Err(GlobError::TooManyBraces(braces));
        }
        if commas > MAX_COMMAS {
            return Err(GlobError::TooManyCommas(commas));
        }
        let glob = GlobBuilder::new(pattern)
            .literal_separator(dialect != Dialect::Name)
            .backslash_escape(dialect != Dialect::Selector)
            .build()
            .map_err(|error| GlobError::from_kind(error.kind()))?;
        GlobSet::new([&glob])
            .map(Self)
            .map_err(|error| GlobError::from_kind(error.kind()))
    }

    /// Whether a text is what the glob says.
    pub fn is_match(&self, text: impl AsRef<str>) -> bool {
        self.0.is_match(text.as_ref())
    }
}

impl GlobError {
    fn from_kind(kind: &globset::ErrorKind) -> Self {
        match kind {
            // The text would be the whole regular expression.
            globset::ErrorKind::Regex(_) => Self::TooLarge,
            other => Self::Syntax(other.to_string()),
        }
    }
}

/// The glob that matches just this text.
pub fn escape(text: &str) -> String {
    globset::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIALECTS: [Dialect; 3] = [Dialect::Selector, Dialect::FileName, Dialect::Name];

    #[test]
    fn a_star_stays_within_a_part_unless_any_name_is_meant() {
        for (pattern, text, expected) in [
            ("/a/*.conf", "/a/b.conf", [true, true, true]),
            ("/a/*.conf", "/a/b/c.conf", [false, false, true]),
            ("/a/**/c", "/a/b/b/c", [true, true, true]),
            ("{x,y}[0-9]", "y7", [true, true, true]),
            ("a\\*", "a*", [false, true, true]),
            ("a\\*", "a\\b", [true, false, false]),
        ] {
            let found = DIALECTS.map(|dialect| Glob::new(pattern, dialect).unwrap().is_match(text));
            assert_eq!(found, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused_in_one_short_sentence() {
        let nested = |depth: usize| "{".repeat(depth) + "a" + &"}".repeat(depth);
        let many = |count: usize| format!("{{{}}}", vec!["a*b"; count].join(","));
        for pattern in [
            nested(65),
            nested(300),
            nested(100_000),
            many(1026),
            "?".repeat(500_000),
            "{".repeat(64),
            "}".into(),
            "[".into(),
            "[z-a]".into(),
        ] {
            for dialect in DIALECTS {
                let error = Glob::new(&pattern, dialect).expect_err("it is refused");
                assert!(error.to_string().len() < 80, "{error}");
            }
        }
        let most = [nested(64), many(1000), "?".repeat(4096), "*a".repeat(2048)];
        for pattern in most {
            let _ = Glob::new(&pattern, Dialect::Selector).map(|glob| glob.is_match("aab"));
        }
        assert!(Glob::new(&nested(9), Dialect::Name).unwrap().is_match("a"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_glob_or_an_error(pattern in "[{},\\[\\]!a-c*?/\\\\-]{0,80}", text in "[a-c/{]{0,12}") {
            for dialect in DIALECTS {
                let _ = Glob::new(&pattern, dialect).map(|glob| glob.is_match(&text));
            }
        }

        #[test]
        fn an_escaped_text_matches_itself(text in "\\PC{0,40}") {
            let glob = Glob::new(&escape(&text), Dialect::Selector);
            if let Ok(glob) = glob {
                prop_assert!(glob.is_match(&text) || text.contains('\\') && cfg!(windows));
            }
        }
    }
}
