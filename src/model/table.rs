//! Columns of text, for every report that people read.

use unicode_width::UnicodeWidthStr;

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Names, sentences.
    Left,
    /// Sizes, counts.
    Right,
}

/// Rows with as wide columns as they need, two blanks apart, indented by two; the last column is not filled.
pub fn table(columns: &[Align], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, align), width) in row.iter().zip(columns).zip(&widths) {
            let gap = " ".repeat(width - cell.width());
            line.push_str("  ");
            match align {
                Align::Left => line.extend([cell, gap.as_str()]),
                Align::Right => line.extend([gap.as_str(), cell]),
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A heading, a table below it, and an empty line; nothing when there are no rows.
pub fn section(heading: &str, columns: &[Align], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("{heading}\n{}\n", table(columns, rows))
}

/// A number with commas: `61,812`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 file`, `2 files`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [
            vec!["a".to_owned(), "1 B".to_owned(), "x".to_owned()],
            vec![
                "\u{e9}\u{e9}\u{e9}".to_owned(),
                "10 kB".to_owned(),
                String::new(),
            ],
        ];
        let text = table(&[Align::Left, Align::Right, Align::Left], &rows);
        assert_eq!(text, "  a      1 B  x\n  \u{e9}\u{e9}\u{e9}  10 kB\n");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
