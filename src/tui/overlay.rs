//! What lies over the lists: help, panels, lines to type, questions, work under way, lines to read.

use super::app::Running;
use super::input::Input;
use super::lists::Cursor;
use super::message::Export;
use crate::model::Bytes;
use crate::plan::Level;
use crate::session::Matches;
use std::path::PathBuf;

/// What lies over the lists.
pub enum Overlay {
    /// All keys; the first visible line.
    Help(Cursor),
    /// A list of its own.
    Panel(Panel),
    /// A line to type.
    Prompt(Prompt),
    /// A question.
    Confirm(Confirm),
    /// Work under way.
    Working {
        /// What is done.
        title: String,
        /// How far it is.
        running: Running,
    },
    /// Lines to read.
    Text(Text),
}

/// Lines to read.
pub struct Text {
    /// Heading.
    pub title: &'static str,
    /// The lines; long ones are wrapped.
    pub lines: Vec<String>,
    /// Whether something failed.
    pub is_trouble: bool,
    /// The first visible line.
    pub cursor: Cursor,
}

/// A list over the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panel {
    /// What it lists.
    pub kind: PanelKind,
    /// Its cursor.
    pub cursor: Cursor,
}

/// What a panel lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelKind {
    /// The level of what is only needed, and the rules with their switches.
    Rules,
    /// Findings of the plan.
    Findings,
    /// Marks.
    Marks,
    /// Levels for the selected thing, with their prices.
    Levels,
    /// What could still go.
    Suggestions,
}

/// A line to type and what it is for.
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// The line.
    pub input: Input,
    /// What the name that is typed means so far, where a module is named.
    pub naming: Option<Naming>,
}

/// A module being named: what fits, and what a mark on it would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// The level of the mark.
    pub level: Level,
    /// What fits so far.
    pub matches: Matches,
    /// What would stay on disk with the mark, once something is named.
    pub after: Option<Bytes>,
}

/// What a typed line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The filter of the list.
    Filter,
    /// Where to save the profile.
    Save,
    /// Where to export to.
    Export,
    /// What to trace.
    Trace,
    /// The name of a module to keep.
    Module,
}

/// A question that `y` and `n` answer.
pub struct Confirm {
    /// Heading.
    pub title: &'static str,
    /// What is asked, with all that matters for the answer.
    pub lines: Vec<String>,
    /// What `y` does.
    pub then: Then,
}

/// What happens after a yes.
pub enum Then {
    /// Leave without saving.
    Quit,
    /// Replace the file of this name with the profile.
    Replace(PathBuf),
    /// Export.
    Export(Export),
    /// Heal the last export.
    Heal {
        /// Whether a healed profile that is there may be replaced.
        may_replace: bool,
    },
}
