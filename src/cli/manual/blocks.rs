//! The manual's Markdown as blocks: headings, paragraphs, items, code and tables.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// How a piece of text is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Code,
    Strong,
    Emphasis,
}

/// Text in pieces of one style.
pub(super) type Spans = Vec<(Style, String)>;

/// A block of the manual.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading of this level.
    Heading(usize, Spans),
    /// Running text.
    Paragraph(Spans),
    /// An item of a list.
    Item(Spans),
    /// Lines that are printed as they are.
    Code(String),
    /// A table: the heads, then the rows.
    Table(Vec<Spans>, Vec<Vec<Spans>>),
}

/// Reads Markdown. Constructs that the manual does not use (images, HTML, quotes) keep only their text.
pub(super) fn parse(markdown: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        reader.read(event);
    }
    reader.blocks
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    spans: Spans,
    cells: Vec<Spans>,
    rows: Vec<Vec<Spans>>,
    styles: Vec<Style>,
    in_item: bool,
}

impl Reader {
    fn read(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Strong) => self.styles.push(Style::Strong),
            Event::Start(Tag::Emphasis) => self.styles.push(Style::Emphasis),
            Event::Start(Tag::Item) => self.in_item = true,
            Event::End(end) => self.end(end),
            Event::Text(text) => self.add(None, &text),
            Event::Code(text) => self.add(Some(Style::Code), &text),
            Event::SoftBreak | Event::HardBreak => self.add(None, " "),
            _ => {}
        }
    }

    fn add(&mut self, style: Option<Style>, text: &str) {
        let around = self.styles.last().copied().unwrap_or(Style::Plain);
        self.spans.push((style.unwrap_or(around), text.to_owned()));
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::Strong | TagEnd::Emphasis => {
                self.styles.pop();
            }
            TagEnd::Heading(level) => {
                let spans = self.take();
                self.blocks.push(Block::Heading(level as usize, spans));
            }
            TagEnd::Paragraph if !self.in_item => {
                let spans = self.take();
                self.blocks.push(Block::Paragraph(spans));
            }
            TagEnd::Item => {
                self.in_item = false;
                let spans = self.take();
                self.blocks.push(Block::Item(spans));
            }
            TagEnd::CodeBlock => {
                let text = plain(&self.take());
                self.blocks.push(Block::Code(text));
            }
            TagEnd::TableCell => {
                let spans = self.take();
                self.cells.push(spans);
            }
            TagEnd::TableHead | TagEnd::TableRow => self.rows.push(std::mem::take(&mut self.cells)),
            TagEnd::Table => {
                let mut rows = std::mem::take(&mut self.rows).into_iter();
                let heads = rows.next().unwrap_or_default();
                self.blocks.push(Block::Table(heads, rows.collect()));
            }
            _ => {}
        }
    }

    fn take(&mut self) -> Spans {
        std::mem::take(&mut self.spans)
    }
}

/// The text without its styles.
pub(super) fn plain(spans: &Spans) -> String {
    spans.iter().map(|(_, text)| text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_construct_becomes_its_block() {
        let blocks = parse(
            "# A `b`\n\nOne\ntwo **three**.\n\n- x\n- y\n\n```text\ncode\n```\n\n| h | i |\n|---|---|\n| a | b |\n",
        );
        let word = |text: &str| vec![(Style::Plain, text.to_owned())];
        let expected = [
            Block::Heading(
                1,
                vec![(Style::Plain, "A ".into()), (Style::Code, "b".into())],
            ),
            Block::Paragraph(vec![
                (Style::Plain, "One".into()),
                (Style::Plain, " ".into()),
                (Style::Plain, "two ".into()),
                (Style::Strong, "three".into()),
                (Style::Plain, ".".into()),
            ]),
            Block::Item(word("x")),
            Block::Item(word("y")),
            Block::Code("code\n".into()),
            Block::Table(vec![word("h"), word("i")], vec![vec![word("a"), word("b")]]),
        ];
        assert_eq!(blocks, expected);
    }
}
