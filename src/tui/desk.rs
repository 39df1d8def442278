//! The open guest: session, the two lists, and what lies over them.

use super::app::Running;
use super::layout::Regions;
use super::lists::{Cursor, FileList, Filter, Order, PackageList};
use super::message::JobId;
use crate::job::Cancel;
use crate::model::{Bytes, Node};
use crate::plan::{Level, Wish};
use crate::session::{Edit, Intent, Offers, Session, Way};
use std::path::PathBuf;

pub use super::overlay::{Confirm, Naming, Overlay, Panel, PanelKind, Prompt, Purpose, Text, Then};

/// Which list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Packages.
    Packages,
    /// The file tree.
    Files,
}

/// The open guest.
pub struct Desk {
    /// Guest, marks and plan.
    pub session: Session,
    /// Which list is shown.
    pub view: View,
    /// The package list.
    pub packages: PackageList,
    /// The file tree.
    pub files: FileList,
    /// The filter as typed, of each view.
    pub filters: [String; 2],
    /// Whether the reasons are shown; `None` leaves it to the terminal's width.
    pub why: Option<bool>,
    /// What lies over the lists.
    pub overlay: Option<Overlay>,
    /// One sentence about what just happened.
    pub notice: Option<String>,
    /// The intent that is on the disk, to know what would be lost.
    pub saved: Intent,
    /// Where the profile was read from or saved last.
    pub profile: Option<PathBuf>,
    /// The file that this screen wrote itself: it may be replaced without a question.
    pub written: Option<PathBuf>,
    /// Whether to leave once the profile is saved.
    pub quits_when_saved: bool,
    /// What was asked about prices, and the answer.
    pub prices: Option<Prices>,
    /// What could still go, while its panel is open.
    pub suggested: Option<Suggested>,
    /// What would bring the selected thing back, while its reasons are shown.
    pub ways: Option<WaysBack>,
    /// What was exported last.
    pub output: Option<Output>,
    /// Counts the plans, to know whether an answer is about the one that is shown.
    pub revision: u32,
}

/// The last export, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where it is.
    pub path: PathBuf,
    /// Whether its verification failed and something is known that would bring back what it lost.
    pub is_curable: bool,
}

/// Ways to bring a thing back, asked for or known.
pub struct WaysBack {
    /// The thing.
    pub node: Node,
    /// The plan that it goes from.
    pub revision: u32,
    /// The job that weighs them.
    pub job: JobId,
    /// Stops it.
    pub cancel: Cancel,
    /// The cheapest first, once known.
    pub ways: Option<Vec<Way>>,
}

/// Suggestions, weighed or being weighed.
pub struct Suggested {
    /// The work that weighs them; `None` when it is through.
    pub running: Option<Running>,
    /// What was weighed last.
    pub offers: Offers,
}

impl Suggested {
    /// Stops weighing.
    pub fn cancel(&self) {
        if let Some(running) = &self.running {
            running.cancel.cancel();
        }
    }
}

/// What other intents would leave on disk.
pub struct Prices {
    /// The job that computes them.
    pub job: JobId,
    /// Stops it.
    pub cancel: Cancel,
    /// One element an intent, once known.
    pub sizes: Vec<Bytes>,
}

impl Desk {
    /// A desk for a guest that has just been opened.
    pub fn new(session: Session, profile: Option<PathBuf>) -> Self {
        let (inventory, plan) = (session.inventory(), session.plan());
        let packages = PackageList::new(inventory, plan);
        let files = FileList::new(inventory, plan);
        let view = if inventory.packages.is_empty() {
            View::Files
        } else {
            View::Packages
        };
        Self {
            saved: session.intent().clone(),
            session,
            view,
            packages,
            files,
            filters: Default::default(),
            why: None,
            overlay: None,
            notice: None,
            profile,
            written: None,
            quits_when_saved: false,
            prices: None,
            suggested: None,
            ways: None,
            output: None,
            revision: 0,
        }
    }

    /// The selected package or file.
    pub fn selected(&self) -> Option<Node> {
        match self.view {
            View::Packages => self.packages.selected().map(Node::Package),
            View::Files => self.files.selected().map(Node::File),
        }
    }

    /// The filter of the list that is shown, as typed.
    pub fn filter(&self) -> &str {
        &self.filters[self.view as usize]
    }

    /// What the list that is shown is ordered by.
    pub fn order(&self) -> Order {
        match self.view {
            View::Packages => self.packages.order(),
            View::Files => self.files.order(),
        }
    }

    /// The wishes that can be chosen for the selected thing; only packages have levels.
    pub fn offers(&self) -> Vec<Wish> {
        let mut wishes = vec![Wish::Keep(Level::Whole)];
        if let Some(Node::Package(_)) = self.selected() {
            wishes.extend([Level::Trimmed, Level::NeededOnly, Level::Hollowed].map(Wish::Keep));
        }
        wishes.push(Wish::Drop);
        wishes
    }

    /// Whether leaving now would lose something.
    pub fn has_unsaved_marks(&self) -> bool {
        *self.session.intent() != self.saved
    }

    /// How many rows the list that is shown has.
    pub fn row_count(&self) -> usize {
        match self.view {
            View::Packages => self.packages.rows().len(),
            View::Files => self.files.rows().len(),
        }
    }

    /// The cursor of the list that is shown.
    pub fn cursor(&self) -> Cursor {
        match self.view {
            View::Packages => self.packages.cursor,
            View::Files => self.files.cursor,
        }
    }

    /// The cursor of the list that is shown, to move it.
    pub fn cursor_mut(&mut self) -> &mut Cursor {
        match self.view {
            View::Packages => &mut self.packages.cursor,
            View::Files => &mut self.files.cursor,
        }
    }

    /// Applies an edit and computes the rows anew; a few milliseconds, so it may run between two frames. `false` when
    /// nothing changed.
    pub fn apply(&mut self, edit: Edit, size: (u16, u16)) -> bool {
        let is_changed = self.session.apply(edit);
        if is_changed {
            self.replan(size);
        }
        is_changed
    }

    /// Takes over the session's new plan.
    pub fn replan(&mut self, size: (u16, u16)) {
        self.revision += 1;
        let (inventory, plan) = (self.session.inventory(), self.session.plan());
        self.files.replan(&inventory.tree, plan);
        self.refresh(size);
    }

    /// Computes the rows of both lists anew and keeps the cursors on what they were on.
    pub fn refresh(&mut self, size: (u16, u16)) {
        let height = Regions::of(size, self).list_height();
        let (inventory, plan) = (self.session.inventory(), self.session.plan());
        self.packages.refresh(inventory, plan, height);
        self.files.refresh(&inventory.tree, height);
    }

    /// Filters the list that is shown by what was typed.
    pub fn set_filter(&mut self, text: &str, size: (u16, u16)) {
        text.clone_into(&mut self.filters[self.view as usize]);
        let filter = Filter::new(text);
        match self.view {
            View::Packages => self.packages.set_filter(filter),
            View::Files => {
                let tree = &self.session.inventory().tree;
                self.files.set_filter(tree, &filter);
            }
        }
        self.refresh(size);
    }

    /// Orders the list that is shown.
    pub fn set_order(&mut self, order: Order, size: (u16, u16)) {
        match self.view {
            View::Packages => self.packages.set_order(order),
            View::Files => self.files.set_order(order),
        }
        self.refresh(size);
    }
}
