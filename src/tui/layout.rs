//! The layout of the terminal, shared by drawing and by moving a page.

use super::desk::Desk;
use ratatui::layout::Rect;

/// From this width on the reasons stand beside the list.
const WIDE: u16 = 120;
/// Below this size the small view is shown.
const SMALL: (u16, u16) = (60, 16);
/// Rows of the reasons where they stand below the list.
const WHY_ROWS: u16 = 8;

/// The regions of the screen.
///
/// ```text
/// +--------------------------------------------+
/// | header: image, operating system, format    |
/// | gauge: projected size against the source   |
/// | tabs: views, counts, filter, order         |
/// | columns                                    |
/// | list                        | why (wide)   |
/// | ...                         |              |
/// | why (narrow)                               |
/// | detail: the selected thing, or a notice    |
/// | footer: keys                               |
/// +--------------------------------------------+
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Regions {
    /// Image, operating system, format.
    pub header: Rect,
    /// Projected size.
    pub gauge: Rect,
    /// Views, counts, filter, order.
    pub tabs: Rect,
    /// The list's headings.
    pub columns: Rect,
    /// The list's rows.
    pub list: Rect,
    /// The reasons, where they are shown.
    pub why: Option<Rect>,
    /// One line about the selected thing.
    pub detail: Rect,
    /// Keys.
    pub footer: Rect,
}

/// Whether the terminal is smaller than the layout.
pub fn is_small(size: (u16, u16)) -> bool {
    size.0 < SMALL.0 || size.1 < SMALL.1
}

/// Whether the reasons have room beside the list.
pub fn is_wide(size: (u16, u16)) -> bool {
    size.0 >= WIDE
}

/// Whether the reasons are shown.
pub fn shows_why(size: (u16, u16), desk: &Desk) -> bool {
    !is_small(size) && desk.why.unwrap_or(is_wide(size))
}

impl Regions {
    /// The regions for a terminal of this size.
    pub fn of(size: (u16, u16), desk: &Desk) -> Self {
        if is_small(size) {
            return Self::small(size);
        }
        let (columns, rows) = size;
        let line = |y| Rect::new(0, y, columns, 1);
        let body = Rect::new(0, 3, columns, rows.saturating_sub(5));
        let (main, why) = match shows_why(size, desk) {
            false => (body, None),
            true if is_wide(size) => {
                let aside = (columns * 2 / 5).min(90);
                let main = Rect {
                    width: columns - aside,
                    ..body
                };
                let why = Rect {
                    x: main.width,
                    width: aside,
                    ..body
                };
                (main, Some(why))
            }
            true => {
                let below = WHY_ROWS.max(rows / 3).min(rows.saturating_sub(12));
                let main = Rect {
                    height: body.height - below,
                    ..body
                };
                let why = Rect {
                    y: main.bottom(),
                    height: below,
                    ..body
                };
                (main, Some(why))
            }
        };
        Self {
            header: line(0),
            gauge: line(1),
            tabs: line(2),
            columns: Rect { height: 1, ..main },
            list: Rect {
                y: main.y + 1,
                height: main.height - 1,
                ..main
            },
            why,
            detail: line(rows - 2),
            footer: line(rows - 1),
        }
    }

    /// A gauge, a list and one line of keys: what a tiny terminal has room for.
    fn small((columns, rows): (u16, u16)) -> Self {
        let line = |y: u16| Rect::new(0, y.min(rows), columns, u16::from(y < rows));
        let none = Rect::default();
        Self {
            header: none,
            gauge: line(0),
            tabs: none,
            columns: none,
            list: Rect::new(0, 1.min(rows), columns, rows.saturating_sub(2)),
            why: None,
            detail: none,
            footer: if rows > 1 { line(rows - 1) } else { none },
        }
    }

    /// How many rows of the list are visible.
    pub fn list_height(&self) -> usize {
        usize::from(self.list.height)
    }
}

/// A box of at most this size in the middle of the terminal; all of a small one.
pub fn middle(size: (u16, u16), width: u16, height: u16) -> Rect {
    if is_small(size) {
        return Rect::new(0, 0, size.0, size.1);
    }
    let width = width.min(size.0 - 4);
    let height = height.min(size.1 - 2);
    Rect::new((size.0 - width) / 2, (size.1 - height) / 2, width, height)
}
