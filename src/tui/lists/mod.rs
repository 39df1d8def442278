//! The rows of the lists, computed once per change of plan, filter or order, never per frame.

mod files;
mod filter;
mod packages;

pub use files::{FileList, FileRow, Owner};
pub use filter::Filter;
pub use packages::PackageList;

/// A place in a list and the first row on the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The selected row.
    pub at: usize,
    /// The first visible row.
    pub top: usize,
}

impl Cursor {
    /// Goes to row `at` of `len`, `height` of which are visible.
    pub fn go(&mut self, at: usize, len: usize, height: usize) {
        let height = height.max(1);
        self.at = at.min(len.saturating_sub(1));
        let lowest = (self.at + 1).saturating_sub(height);
        let highest = self.at.min(len.saturating_sub(height));
        self.top = self.top.clamp(lowest, highest.max(lowest));
    }

    /// Goes `by` rows down, up when negative.
    pub fn step(&mut self, by: isize, len: usize, height: usize) {
        self.go(self.at.saturating_add_signed(by), len, height);
    }

    /// The visible rows of `len`.
    pub fn window(&self, len: usize, height: usize) -> std::ops::Range<usize> {
        let top = self.top.min(len);
        top..len.min(top + height)
    }
}

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Name.
    #[default]
    Name,
    /// Installed size, or a folder's size with all that is in it; biggest first.
    Size,
    /// Retained size, or what of a folder stays; biggest first.
    Retained,
    /// Verdict: what stays whole first, what goes last.
    Verdict,
}

impl Order {
    /// The order that follows in the cycle.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Name => Self::Size,
            Self::Size => Self::Retained,
            Self::Retained => Self::Verdict,
            Self::Verdict => Self::Name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_window_follows_the_cursor() {
        let mut cursor = Cursor::default();
        cursor.step(5, 10, 4);
        assert_eq!(cursor, Cursor { at: 5, top: 2 });
        cursor.step(-4, 10, 4);
        assert_eq!(cursor, Cursor { at: 1, top: 1 });
        cursor.go(usize::MAX, 10, 4);
        assert_eq!(cursor, Cursor { at: 9, top: 6 });
        cursor.go(9, 3, 4);
        assert_eq!(cursor, Cursor { at: 2, top: 0 });
        cursor.go(2, 0, 4);
        assert_eq!(cursor, Cursor { at: 0, top: 0 });
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_visible(moves in proptest::collection::vec((0usize..60, 0usize..50, 0usize..20), 1..20)) {
            let mut cursor = Cursor::default();
            for (at, len, height) in moves {
                cursor.go(at, len, height);
                let window = cursor.window(len, height.max(1));
                prop_assert!(len == 0 || window.contains(&cursor.at));
                prop_assert_eq!(window.len(), len.min(height.max(1)));
            }
        }
    }
}
