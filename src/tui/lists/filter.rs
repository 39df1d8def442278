//! The filter: words that must all occur.
//!
//! It is not a fuzzy matcher: a list that a person is about to mark must hold exactly what the words say, in the order that the
//! person chose.

/// Words that must all occur in a row's text, whatever their case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    words: Vec<Vec<u8>>,
}

impl Filter {
    /// Takes what was typed; words are separated by spaces.
    pub fn new(text: &str) -> Self {
        let words = text.split_whitespace();
        Self {
            words: words.map(|word| word.to_lowercase().into_bytes()).collect(),
        }
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a word holds a slash, so that whole paths must be looked at.
    pub fn is_about_paths(&self) -> bool {
        self.words.iter().any(|word| word.contains(&b'/'))
    }

    /// Whether all words occur in the text.
    pub fn matches(&self, text: &[u8]) -> bool {
        self.words.iter().all(|word| contains(text, word))
    }
}

/// Whether `word` (lower case) occurs in `text`, ASCII letters of either case taken as one.
fn contains(text: &[u8], word: &[u8]) -> bool {
    let Some((&first, rest)) = word.split_first() else {
        return true;
    };
    let Some(last_start) = text.len().checked_sub(word.len()) else {
        return false;
    };
    (0..=last_start).any(|at| {
        text[at].to_ascii_lowercase() == first
            && text[at + 1..at + word.len()].eq_ignore_ascii_case(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_occur_in_any_case() {
        let cases = [
            ("", "anything", true),
            ("numpy", "python3-numpy", true),
            ("NUMPY py", "python3-numpy", true),
            ("numpy dev", "python3-numpy", false),
            ("numpy", "nump", false),
            ("lib/py", "/usr/lib/python3", true),
        ];
        for (filter, text, wanted) in cases {
            let filter = Filter::new(filter);
            assert_eq!(
                filter.matches(text.as_bytes()),
                wanted,
                "{filter:?} in {text}"
            );
        }
    }
}
