//! The manual as plain text for a terminal of 80 columns.

use super::blocks::{Block, Spans, Style};
use unicode_width::UnicodeWidthStr as _;

const WIDTH: usize = 80;
const INDENT: usize = 2;
/// A column with less room than this reads badly; the table then becomes a list.
const NARROWEST: usize = 24;

/// Headings at the margin, everything else indented.
pub(super) fn render(blocks: &[Block]) -> String {
    let mut out = String::new();
    let mut in_list = false;
    for block in blocks {
        let is_item = matches!(block, Block::Item(_));
        let is_next_item = is_item && in_list;
        if !out.is_empty() && !is_next_item {
            out.push('\n');
        }
        in_list = is_item;
        match block {
            Block::Heading(1, spans) => line(&mut out, 0, &flat(spans).to_uppercase()),
            Block::Heading(_, spans) => line(&mut out, 0, &flat(spans)),
            Block::Paragraph(spans) => paragraph(&mut out, INDENT, INDENT, &flat(spans)),
            Block::Item(spans) => {
                let text = format!("- {}", flat(spans));
                paragraph(&mut out, INDENT, INDENT + 2, &text);
            }
            Block::Code(code) => code
                .lines()
                .for_each(|text| line(&mut out, INDENT + 2, text)),
            Block::Table(heads, rows) => table(&mut out, heads, rows),
        }
    }
    out
}

/// A list of names and what they mean, in two columns.
pub(super) fn definitions(rows: &[(String, String)]) -> String {
    let mut out = String::new();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|(name, meaning)| vec![name.clone(), meaning.clone()])
        .collect();
    columns(&mut out, &rows, 1);
    out
}

/// Code keeps its backticks, so that it can be told from words.
fn flat(spans: &Spans) -> String {
    let pieces = spans.iter().map(|(style, text)| match style {
        Style::Code => format!("`{text}`"),
        Style::Plain | Style::Strong | Style::Emphasis => text.clone(),
    });
    pieces.collect()
}

fn line(out: &mut String, indent: usize, text: &str) {
    let padded = format!("{:indent$}{text}", "");
    out.push_str(padded.trim_end());
    out.push('\n');
}

fn paragraph(out: &mut String, first: usize, rest: usize, text: &str) {
    for (at, text) in wrap(text, WIDTH - rest).iter().enumerate() {
        line(out, if at == 0 { first } else { rest }, text);
    }
}

/// Lines of at most `width` columns; a longer word has a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("never empty");
        if last.is_empty() {
            last.push_str(word);
        } else if last.width() + 1 + word.width() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn table(out: &mut String, heads: &[Spans], rows: &[Vec<Spans>]) {
    let heads: Vec<String> = heads.iter().map(flat).collect();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(flat).collect())
        .collect();
    let widest = (0..heads.len()).max_by_key(|&at| natural(&rows, at));
    let Some(widest) = widest else { return };
    let others = (0..heads.len()).filter(|&at| at != widest);
    let taken: usize = others
        .map(|at| natural(&rows, at).max(heads[at].width()) + 2)
        .sum();
    if INDENT + taken + NARROWEST <= WIDTH {
        let mut all = vec![heads];
        all.extend(rows);
        columns(out, &all, widest);
    } else {
        for row in &rows {
            entry(out, &heads, row);
        }
    }
}

fn natural(rows: &[Vec<String>], at: usize) -> usize {
    let cells = rows.iter().filter_map(|row| row.get(at));
    cells.map(|cell| cell.width()).max().unwrap_or(0)
}

/// Rows in columns; the widest column is wrapped to what the others leave.
fn columns(out: &mut String, rows: &[Vec<String>], widest: usize) {
    let count = rows.first().map_or(0, Vec::len);
    let mut widths: Vec<usize> = (0..count).map(|at| natural(rows, at)).collect();
    let others: usize = (0..count)
        .filter(|&at| at != widest)
        .map(|at| widths[at])
        .sum();
    let left = WIDTH.saturating_sub(INDENT + others + 2 * count.saturating_sub(1));
    widths[widest] = widths[widest].min(left);
    for row in rows {
        let cells: Vec<Vec<String>> = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| wrap(cell, width.max(1)))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..height {
            let mut text = String::new();
            for (cell, &width) in cells.iter().zip(&widths) {
                let piece = cell.get(at).map_or("", String::as_str);
                text.push_str(piece);
                let padding = (width + 2).saturating_sub(piece.width());
                text.extend(std::iter::repeat_n(' ', padding));
            }
            line(out, INDENT, &text);
        }
    }
}

/// One row as a list: its first cell, then the others under their heads.
fn entry(out: &mut String, heads: &[String], row: &[String]) {
    let mut cells = heads.iter().zip(row);
    if let Some((_, name)) = cells.next() {
        paragraph(out, INDENT, INDENT + 2, name);
    }
    for (head, cell) in cells {
        paragraph(out, INDENT + 4, INDENT + 6, &format!("{head}: {cell}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::TOPICS;
    use super::super::blocks::parse;
    use super::*;

    #[test]
    fn a_table_that_fits_has_columns_and_another_becomes_a_list() {
        let narrow = "| a | b |\n|---|---|\n| `x` | one two |\n";
        assert_eq!(render(&parse(narrow)), "  a    b\n  `x`  one two\n");
        let long = "word ".repeat(12);
        let wide = format!("| a | b | c |\n|---|---|---|\n| `x` | {long} | {long}|\n");
        let text = render(&parse(&wide));
        assert!(text.starts_with("  `x`\n      b: word word"), "{text}");
        assert!(text.contains("\n      c: word"), "{text}");
    }

    #[test]
    fn every_topic_fits_on_the_terminal() {
        for topic in TOPICS {
            let text = render(&parse(topic.markdown));
            let prose = text.lines().filter(|line| !line.starts_with("    "));
            for line in prose {
                assert!(line.width() <= WIDTH, "{}: {line}", topic.name);
            }
        }
    }
}
