//! A topic of the manual as a man page (section 7), in the macros of man(7).

use super::Topic;
use super::blocks::{Block, Spans, Style, parse, plain};

/// The page.
pub(super) fn page(topic: &Topic, version: &str) -> String {
    let title = format!("GUESTSLIM-{}", topic.name.to_uppercase());
    let mut out =
        format!(".TH \"{title}\" 7 \"\" \"guestslim {version}\" \"guestslim\"\n.SH NAME\n");
    let name = format!("guestslim-{} \\- {}", topic.name, topic.heading);
    out.push_str(&name);
    out.push('\n');
    out.push_str(".SH DESCRIPTION\n");
    for block in &parse(topic.markdown) {
        write(&mut out, block);
    }
    out.push_str(".SH SEE ALSO\n.BR guestslim (1)\n");
    out
}

fn write(out: &mut String, block: &Block) {
    match block {
        // The page's name says it.
        Block::Heading(1, _) => {}
        Block::Heading(_, spans) => {
            out.push_str(".SH \"");
            out.push_str(&escape(&plain(spans).to_uppercase()).replace('"', "\\(dq"));
            out.push_str("\"\n");
        }
        Block::Paragraph(spans) => {
            out.push_str(".PP\n");
            text(out, spans);
        }
        Block::Item(spans) => {
            out.push_str(".IP \\(bu 2\n");
            text(out, spans);
        }
        Block::Code(code) => {
            out.push_str(".PP\n.RS 4\n.nf\n");
            code.lines().for_each(|line| raw(out, &escape(line)));
            out.push_str(".fi\n.RE\n");
        }
        Block::Table(heads, rows) => rows.iter().for_each(|row| entry(out, heads, row)),
    }
}

/// A row as a tagged paragraph: its first cell is the tag; more than two cells are told apart by their heads.
fn entry(out: &mut String, heads: &[Spans], row: &[Spans]) {
    out.push_str(".TP\n");
    let Some((tag, cells)) = row.split_first() else {
        return;
    };
    raw(out, &format!("\\fB{}\\fR", escape(&plain(tag))));
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push_str(".br\n");
        }
        let mut spans = Spans::new();
        if let (true, Some(head)) = (cells.len() > 1, heads.get(at + 1)) {
            spans.push((Style::Plain, format!("{}: ", plain(head))));
        }
        spans.extend(cell.iter().cloned());
        text(out, &spans);
    }
}

fn text(out: &mut String, spans: &Spans) {
    let pieces = spans.iter().map(|(style, piece)| {
        let piece = escape(piece);
        match style {
            Style::Plain => piece,
            Style::Code | Style::Strong => format!("\\fB{piece}\\fR"),
            Style::Emphasis => format!("\\fI{piece}\\fR"),
        }
    });
    raw(out, &pieces.collect::<String>());
}

/// A line of text; one that begins like a request must not be one.
fn raw(out: &mut String, line: &str) {
    if line.starts_with(['.', '\'']) {
        out.push_str("\\&");
    }
    out.push_str(line);
    out.push('\n');
}

/// Plain ASCII: groff reads bytes, so other characters are named by their code points.
fn escape(text: &str) -> String {
    let pieces = text.chars().map(|c| match c {
        '\\' => "\\e".to_owned(),
        '-' => "\\-".to_owned(),
        c if c.is_ascii() => c.to_string(),
        c => format!("\\[u{:04X}]", u32::from(c)),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_looks_like_a_request_is_text() {
        let topic = Topic {
            name: "x",
            heading: "y",
            markdown: "# X\n\n.so /etc/passwd `\\xNN`\n\n    .code\n\n| a | b |\n|---|---|\n| `-p` | ↑ |\n",
        };
        let page = page(&topic, "1");
        assert!(
            page.contains("\n\\&.so /etc/passwd \\fB\\exNN\\fR\n"),
            "{page}"
        );
        assert!(page.contains("\n\\&.code\n"), "{page}");
        assert!(page.contains("\n.TP\n\\fB\\-p\\fR\n\\[u2191]\n"), "{page}");
    }
}
