//! The output of `guestslim trace`, for people and as JSON.

use super::table::{Align, plural, section};
use crate::model::text::escape;
use crate::model::{Bytes, Inventory};
use crate::session::Lesson;
use crate::trace::Trace;
use crate::vm::wire::End;
use serde::Serialize;

/// The result of a trace.
#[derive(Debug, Serialize)]
pub struct Report {
    pub kernel: String,
    /// `running`, `degraded`, `login` ...
    pub state: String,
    /// Why it is not complete; null when it is.
    pub incomplete: Option<String>,
    pub command: Option<String>,
    /// The command's exit code; null when it did not end by itself.
    pub exit: Option<i32>,
    pub stdout: Option<String>,
    pub stderr: Option<String>,
    pub files: usize,
    pub allocated: u64,
    pub components: Vec<Component>,
    pub learned: Option<Learned>,
    pub console: Vec<String>,
    pub seconds: f64,
}

#[derive(Debug, Serialize)]
pub struct Component {
    pub name: String,
    pub files: u64,
    pub allocated: u64,
}

#[derive(Debug, Serialize)]
pub struct Learned {
    pub profile: String,
    /// Paths that the profile did not have.
    pub added: usize,
    pub paths: usize,
    /// The projection without and with them.
    pub before: u64,
    pub after: u64,
    /// Files that the plan keeps and no trace touched.
    pub never_read: u64,
}

impl Report {
    pub fn of(trace: &Trace, inventory: &Inventory, line: Option<&str>) -> Self {
        let outcome = trace.outcomes.first();
        let text = |bytes: &[u8]| escape(bytes).into_owned();
        let components = trace.components(inventory).into_iter();
        let mut components: Vec<Component> = components
            .map(|(name, (files, bytes))| Component {
                name,
                files,
                allocated: bytes.0,
            })
            .collect();
        components.sort_by_key(|component| std::cmp::Reverse(component.allocated));
        Self {
            kernel: trace.kernel.clone(),
            state: trace.state.clone(),
            incomplete: trace.incomplete.clone(),
            command: line.map(|line| text(line.as_bytes())),
            exit: outcome.and_then(|outcome| match outcome.end {
                Some(End::Code(code)) => Some(code),
                _ => None,
            }),
            stdout: outcome.map(|outcome| text(&outcome.stdout)),
            stderr: outcome.map(|outcome| text(&outcome.stderr)),
            files: trace.files.len(),
            allocated: components.iter().map(|component| component.allocated).sum(),
            components,
            learned: None,
            console: trace.console.last_lines(40),
            seconds: trace.time.as_secs_f64(),
        }
    }

    pub fn text(&self) -> String {
        const TOP: usize = 15;
        let row = |component: &Component| {
            let files = plural(component.files, "file", "files");
            vec![
                Bytes(component.allocated).to_string(),
                files,
                component.name.clone(),
            ]
        };
        let rows: Vec<_> = self.components.iter().take(TOP).map(row).collect();
        let total = format!(
            "Touched: {} with {} of {}, in {:.0} s",
            plural(self.files as u64, "file", "files"),
            Bytes(self.allocated),
            plural(self.components.len() as u64, "component", "components"),
            self.seconds
        );
        let mut text = section(&total, &[Align::Right, Align::Right, Align::Left], &rows);
        match (&self.command, self.exit) {
            (Some(command), Some(code)) => text += &format!("{command}: returned {code}\n"),
            (Some(command), None) => text += &format!("{command}: did not end by itself\n"),
            (None, _) => text += &format!("no command; the guest came up: {}\n", self.state),
        }
        match &self.learned {
            Some(learned) => text += &learned.text(),
            None => text += "Nothing was added to a profile.\n",
        }
        text
    }
}

impl Learned {
    /// The changes that a trace made to a profile.
    pub fn of(profile: String, lesson: Lesson) -> Self {
        Self {
            profile,
            added: lesson.added,
            paths: lesson.paths,
            before: lesson.before.0,
            after: lesson.after.0,
            never_read: lesson.never_read.0,
        }
    }

    fn text(&self) -> String {
        format!(
            "{}: {} added, {} now; the projection goes from {} to {}, of which {} no trace ever touched\n",
            self.profile,
            plural(self.added as u64, "path", "paths"),
            self.paths,
            Bytes(self.before),
            Bytes(self.after),
            Bytes(self.never_read)
        )
    }
}
