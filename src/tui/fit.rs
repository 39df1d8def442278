//! Cuts, pads and wraps texts by their width on a terminal.

use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text cut to `columns`, with `…` at its end where something is missing.
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let fits = |end: &usize| width(&text[..*end]) < columns;
    let ends = text.char_indices().map(|(at, _)| at);
    let end = ends.take_while(fits).last().unwrap_or(0);
    let dots = if columns > 0 { "…" } else { "" };
    Cow::Owned(format!("{}{dots}", &text[..end]))
}

/// The text cut at its start to `columns`: of a path the end tells more.
pub fn cut_start(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let fits = |from: &usize| width(&text[*from..]) < columns;
    let starts = text.char_indices().map(|(at, _)| at).rev();
    let from = starts.take_while(fits).last().unwrap_or(text.len());
    let dots = if columns > 0 { "…" } else { "" };
    Cow::Owned(format!("{dots}{}", &text[from..]))
}

/// The text in exactly `columns`, at their left.
pub fn left(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns).into_owned();
    let used = width(&out);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

/// The text in exactly `columns`, at their right.
pub fn right(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let mut out = " ".repeat(columns.saturating_sub(width(&text)));
    out.push_str(&text);
    out
}

/// The text in lines of at most `columns`, broken between words where that is possible.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = format!("{line} {word}");
        if !line.is_empty() && width(&longer) <= columns {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        line = break_word(word, columns, &mut lines);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Like [`wrap`] for a line of a table: what its columns are set apart by stays, and further lines begin where the last
/// column does.
pub fn wrap_table(text: &str, columns: usize) -> Vec<String> {
    if width(text) <= columns {
        return vec![text.to_owned()];
    }
    let start = last_column(text);
    let (head, rest) = text.split_at(start);
    let indent = width(head);
    if indent > columns / 2 {
        return wrap(text, columns);
    }
    let mut lines = wrap(rest, columns - indent);
    for (at, line) in lines.iter_mut().enumerate() {
        *line = match at {
            0 => format!("{head}{line}"),
            _ => format!("{:indent$}{line}", ""),
        };
    }
    lines
}

/// Where the text after the last gap of two or more spaces begins.
fn last_column(text: &str) -> usize {
    let end = text.trim_end().len();
    text[..end].rfind("  ").map_or(0, |at| at + 2)
}

/// Pushes the full lines of a word that is longer than a line and returns its rest.
fn break_word(word: &str, columns: usize, lines: &mut Vec<String>) -> String {
    let mut line = String::new();
    for c in word.chars() {
        line.push(c);
        // A character may widen the one before it, so that only the whole has a width.
        if width(&line) > columns {
            line.pop();
            lines.push(std::mem::replace(&mut line, c.to_string()));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_cut_by_columns_not_by_characters() {
        assert_eq!(cut("numpy", 5), "numpy");
        assert_eq!(cut("numpy", 4), "num…");
        assert_eq!(cut("水水水", 4), "水…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut_start("/usr/lib/x", 6), "…lib/x");
        assert_eq!(left("水", 4), "水  ");
        assert_eq!(right("12 MB", 7), "  12 MB");
    }

    #[test]
    fn texts_wrap_between_words() {
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("abcdef g", 4), ["abcd", "ef g"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("ab0\u{fe0f}c", 4), ["ab0\u{fe0f}", "c"]);
        assert_eq!(wrap("abc0\u{fe0f}", 4).len(), 2);
        assert_eq!(wrap_table("k   one two", 8), ["k   one", "    two"]);
        assert_eq!(wrap_table("disk   6 GB   5 GB", 18), ["disk   6 GB   5 GB"]);
        assert_eq!(wrap_table("  a b", 4), ["  a", "  b"]);
        assert_eq!(wrap_table("plain text", 5), ["plain", "text"]);
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be(text in "\\PC{0,40}", columns in 0usize..20) {
            prop_assert!(width(&cut(&text, columns)) <= columns);
            prop_assert!(width(&cut_start(&text, columns)) <= columns);
            for line in wrap(&text, columns.max(2)).into_iter().chain(wrap_table(&text, columns.max(4))) {
                prop_assert!(width(&line) <= columns.max(4));
            }
        }
    }
}
