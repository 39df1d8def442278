//! The one table of what a person can do: it gives the enum, the keys, the help screen, the footer and the manual's keys.

use super::app::App;
use super::available::{
    can_change_way, can_save_first, has_mark, has_modules, has_output, has_owner, has_redo,
    has_selection, has_suggestion, has_undo, in_files, is_curable, is_filtered, is_naming,
};
use super::keys::Key;
use crossterm::event::KeyCode;
use std::fmt::Write as _;

/// Where keys go; an action is listed with the places where it has a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The package list or the file tree.
    List,
    /// A list over the lists.
    Panel,
    /// A question.
    Confirm,
    /// A line to type.
    Prompt,
    /// Work under way.
    Working,
    /// Something to read.
    Text,
}

/// Under which heading the help lists an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Moving about.
    Moving,
    /// What is shown.
    Looking,
    /// Marks.
    Marking,
    /// Results and leaving.
    Working,
    /// Answers to questions and panels.
    Answering,
}

impl Group {
    /// All groups in the help's order.
    pub const ALL: [Self; 5] = [
        Self::Marking,
        Self::Looking,
        Self::Moving,
        Self::Working,
        Self::Answering,
    ];

    /// The heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Marking => "Mark",
            Self::Looking => "Look",
            Self::Moving => "Move",
            Self::Working => "Save, export, verify, leave",
            Self::Answering => "In panels and questions",
        }
    }
}

/// One row of the table.
pub struct Row {
    /// What it does.
    pub action: Action,
    /// Its default keys.
    pub keys: &'static [Key],
    /// One sentence for the help.
    pub help: &'static str,
    /// Its word in the footer; empty for none.
    pub label: &'static str,
    /// Its heading in the help.
    pub group: Group,
    /// Where it has a meaning.
    pub places: &'static [Place],
    /// Whether it can be done now.
    pub is_available: fn(&App) -> bool,
}

macro_rules! actions {
    ($($(#[doc = $help:literal])+ $group:ident $action:ident $label:literal [$($key:expr),+] in $($place:ident)|+ $(if $when:expr)?;)+) => {
        /// Something that a person can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Action {
            $($(#[doc = $help])+ $action,)+
        }

        /// All actions, in the order of the footer.
        pub static ACTIONS: &[Row] = &[$(Row {
            action: Action::$action,
            keys: &[$($key),+],
            help: concat!($($help),+),
            label: $label,
            group: Group::$group,
            places: &[$(Place::$place),+],
            is_available: actions!(@when $($when)?),
        }),+];
    };
    (@when) => { |_| true };
    (@when $when:expr) => { $when };
}

const fn on(c: char) -> Key {
    Key::char(c)
}

const fn code(code: KeyCode) -> Key {
    Key::code(code)
}

actions! {
    /// Shows all keys.
    Looking Help "help" [on('?')] in List | Panel;
    /// Keeps the selected thing whole; again: the next level (trimmed, needed only, hollowed).
    Marking Keep "keep" [on('k')] in List if has_selection;
    /// Drops the selected thing, unless something that stays needs it.
    Marking Drop "drop" [on('d')] in List if has_selection;
    /// Switches between packages and files.
    Looking Switch "view" [code(KeyCode::Tab)] in List;
    /// Shows why the selected thing stays or goes.
    Looking Why "why" [on('w'), code(KeyCode::Enter)] in List if has_selection;
    /// Shows only what holds all of the words.
    Looking Filter "filter" [on('/')] in List;
    /// Saves the profile.
    Working Save "save" [on('s')] in List;
    /// Exports the image.
    Working Export "export" [on('x')] in List;
    /// Verifies the last export against the source: files, boot, units, checks.
    Working Verify "verify" [on('v')] in List | Text if has_output;
    /// Heals the last export: adds what it lacks, exports and verifies again.
    Working Heal "heal" [on('h')] in List | Text if is_curable;
    /// Leaves; asks when something is not saved.
    Working Quit "quit" [on('q'), Key::ctrl('c')] in List;
    /// Shows everything again.
    Looking ClearFilter "all" [code(KeyCode::Esc)] in List if is_filtered;
    /// Undoes the last change.
    Marking Undo "undo" [on('u')] in List | Panel if has_undo;
    /// Does again what was undone.
    Marking Redo "redo" [Key::ctrl('r')] in List | Panel if has_redo;
    /// Marks against the verdict: drops what stays, keeps what goes; takes a mark away.
    Marking Flip "flip" [on(' ')] in List if has_selection;
    /// Chooses the level at which the selected thing stays, each with its price.
    Marking Levels "level" [on('l')] in List if has_selection;
    /// Takes the mark of the selected thing away.
    Marking Unmark "unmark" [code(KeyCode::Backspace), code(KeyCode::Delete)] in List | Panel if has_mark;
    /// Shows what could still go, with what each would save.
    Looking Suggest "could go" [on('c')] in List;
    /// Switches rules and the level of what is only needed.
    Looking Rules "rules" [on('r')] in List;
    /// Shows what may break.
    Looking Findings "findings" [on('f')] in List;
    /// Shows all marks.
    Looking Marks "marks" [on('m')] in List;
    /// Keeps a language's module by its name, as in python:scipy.linalg.
    Marking Module "module" [on('n')] in List if has_modules;
    /// Traces: runs a command in a throw-away machine; what it touches stays.
    Marking Trace "trace" [on('t')] in List;
    /// Orders by name, size, retained size (files: what stays), verdict.
    Looking Order "order" [on('o')] in List;
    /// One row up.
    Moving Up "" [code(KeyCode::Up)] in List | Panel | Text;
    /// One row down.
    Moving Down "" [code(KeyCode::Down)] in List | Panel | Text;
    /// One page up.
    Moving PageUp "" [code(KeyCode::PageUp), Key::ctrl('b')] in List | Panel | Text;
    /// One page down.
    Moving PageDown "" [code(KeyCode::PageDown), Key::ctrl('f')] in List | Panel | Text;
    /// To the first row.
    Moving Top "" [code(KeyCode::Home), on('g')] in List | Panel | Text;
    /// To the last row.
    Moving Bottom "" [code(KeyCode::End), on('G')] in List | Panel | Text;
    /// Opens a folder; of a package: goes to its first file.
    Moving Open "" [code(KeyCode::Right)] in List if has_selection;
    /// Closes a folder; of a file: goes to its folder.
    Moving Close "" [code(KeyCode::Left)] in List if in_files;
    /// Goes to the package that owns the selected file.
    Moving Owner "" [on('p')] in List if has_owner;
    /// Switches, chooses, accepts or goes to the selected row.
    Answering Choose "choose" [code(KeyCode::Enter), on(' ')] in Panel;
    /// Accepts all suggestions of the selected one's risk class and below.
    Answering AcceptClass "all of its class" [on('a')] in Panel if has_suggestion;
    /// Yes.
    Answering Yes "yes" [on('y')] in Confirm;
    /// Saves the profile first.
    Answering SaveFirst "save first" [on('s')] in Confirm if can_save_first;
    /// Shows what another way of writing the image would do.
    Answering OtherWay "other way" [on('w')] in Confirm if can_change_way;
    /// No.
    Answering No "no" [on('n'), code(KeyCode::Esc)] in Confirm;
    /// Leaves at once.
    Answering Leave "" [Key::ctrl('c')] in Confirm;
    /// Completes the name, as far as there is only one way.
    Answering Complete "complete" [code(KeyCode::Tab)] in Prompt if is_naming;
    /// Takes the next level for what is named.
    Answering NextLevel "level" [code(KeyCode::Down), code(KeyCode::Up)] in Prompt if is_naming;
    /// Takes what was typed.
    Answering Accept "ok" [code(KeyCode::Enter)] in Prompt;
    /// Forgets what was typed.
    Answering Abandon "cancel" [code(KeyCode::Esc), Key::ctrl('c')] in Prompt;
    /// Stops the work.
    Answering Stop "cancel" [code(KeyCode::Esc), on('q'), Key::ctrl('c')] in Working;
    /// Closes.
    Answering Back "close" [code(KeyCode::Esc), on('q'), Key::ctrl('c')] in Panel | Text;
    /// Closes what was read.
    Answering Done "" [code(KeyCode::Enter), on('?')] in Text;
}

/// What a key does here and now.
pub fn action_of(app: &App, key: Key) -> Option<Action> {
    let place = app.place();
    let row = ACTIONS
        .iter()
        .find(|row| row.places.contains(&place) && row.keys.contains(&key))?;
    (row.is_available)(app).then_some(row.action)
}

/// What can be done here and now and has a word for it, for the footer.
pub fn available(app: &App) -> impl Iterator<Item = &'static Row> {
    let place = app.place();
    ACTIONS.iter().filter(move |row| {
        !row.label.is_empty() && row.places.contains(&place) && (row.is_available)(app)
    })
}

/// The keys of a row as a person reads them: `q, Ctrl-C`.
pub fn keys_of(row: &Row) -> String {
    let keys: Vec<String> = row.keys.iter().map(ToString::to_string).collect();
    keys.join(", ")
}

/// The tables of keys as the manual has them, a heading a group.
pub fn markdown() -> String {
    let mut out = String::new();
    for group in Group::ALL {
        let heading = group.heading();
        write!(out, "## {heading}\n\n| key | what it does |\n|---|---|\n").expect(NEVER);
        for row in ACTIONS.iter().filter(|row| row.group == group) {
            let (keys, help) = (keys_of(row), row.help.trim());
            writeln!(out, "| `{keys}` | {help} |").expect(NEVER);
        }
        out.push('\n');
    }
    out
}

const NEVER: &str = "a String takes every write";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        let mut seen = Vec::new();
        for row in ACTIONS {
            for &place in row.places {
                for &key in row.keys {
                    assert!(
                        !seen.contains(&(place, key)),
                        "{key} is taken twice in {place:?}, by {:?} too",
                        row.action
                    );
                    seen.push((place, key));
                }
            }
        }
    }

    #[test]
    fn every_help_text_is_one_sentence() {
        for row in ACTIONS {
            let help = row.help.trim();
            assert!(help.ends_with('.') && help.len() < 100, "{help}");
        }
    }

    #[test]
    fn no_typed_character_is_an_action_while_typing() {
        for row in ACTIONS
            .iter()
            .filter(|row| row.places.contains(&Place::Prompt))
        {
            assert!(
                row.keys.iter().all(|key| key.typed().is_none()),
                "{:?}",
                row.action
            );
        }
    }
}
