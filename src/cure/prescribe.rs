//! From missing files to the change that brings them back. Files of a package are added to the trace where the profile has one.
//! Otherwise the change is a mark: on the package where that costs little more, or else on each path.
//!
//! A mark on a package holds when a file of the next build has another name; one on a path, or a path in the trace, costs
//! nothing but the path. The price of either is what the plan says with it.

use super::{Lack, Remedy};
use crate::model::text::escape;
use crate::model::{FileId, Node, PackageId};
use crate::plan::{Intent, Level, Mark, Wish};
use crate::session::{Edit, Loaded, Session};
use crate::trace::component;
use std::collections::BTreeMap;
use std::sync::Arc;

/// More paths than this are no list that a person wants to keep in a profile.
const MOST_PATHS: usize = 8;

/// Tries marks on one guest.
struct Trial {
    session: Session,
    /// The projection without any of them.
    before: u64,
}

impl Trial {
    /// What this adds to the projection; `None` when it does not bring all of the files back.
    fn price(&mut self, remedy: &Remedy, files: &[FileId]) -> Option<u64> {
        let intent = remedy.on(self.session.intent());
        let is_changed = self.session.apply(Edit::Replace(intent));
        let plan = self.session.plan();
        let after = plan.after.allocated.0;
        let are_back = files.iter().all(|&file| plan.keeps_file(file));
        if is_changed {
            self.session.undo();
        }
        are_back.then(|| after.saturating_sub(self.before))
    }

    /// A remedy that names each path, and its price. What is made from another file comes back with that one and is not
    /// named, unless something (a rule) keeps it away.
    fn each_path(
        &mut self,
        name: fn(&Session, &[FileId]) -> Remedy,
        files: &[FileId],
    ) -> (Remedy, Option<u64>) {
        let follows = &self.session.inventory().follows;
        let is_led =
            |file: FileId| follows[file.index()].is_some_and(|leader| files.contains(&leader));
        let leaders: Vec<FileId> = files
            .iter()
            .copied()
            .filter(|&file| !is_led(file))
            .collect();
        let few = name(&self.session, &leaders);
        if let Some(price) = self.price(&few, files) {
            return (few, Some(price));
        }
        let all = name(&self.session, files);
        match self.price(&all, files) {
            Some(price) => (all, Some(price)),
            None => (few, None),
        }
    }
}

/// Groups missing files of the source by component and finds each group's remedy; largest price first.
pub fn prescribe(loaded: &Arc<Loaded>, intent: &Intent, missing: &[FileId]) -> Vec<Lack> {
    let session = Session::new(Arc::clone(loaded), intent.clone());
    let before = session.plan().after.allocated.0;
    let mut trial = Trial { session, before };
    let inventory = &loaded.inventory;
    let mut groups: BTreeMap<String, Vec<FileId>> = BTreeMap::new();
    for &file in missing {
        groups
            .entry(component(inventory, file))
            .or_default()
            .push(file);
    }
    let mut lacks: Vec<Lack> = groups
        .into_iter()
        .map(|(component, files)| {
            let (remedy, adds) = choose(&mut trial, &files);
            let path = |&file: &FileId| escape(&inventory.tree.path(file)).into_owned();
            Lack {
                component,
                paths: files.iter().map(path).collect(),
                remedy,
                adds,
            }
        })
        .collect();
    lacks.sort_by_key(|lack| std::cmp::Reverse(lack.adds));
    lacks
}

fn choose(trial: &mut Trial, files: &[FileId]) -> (Remedy, u64) {
    if trial.price(&Remedy::default(), files).is_some() {
        return (Remedy::default(), 0);
    }
    let owner = files.iter().find_map(|&file| owner(&trial.session, file));
    if owner.is_some_and(|owner| may_be_traced(&trial.session, owner))
        && let (traced, Some(price)) = trial.each_path(traced, files)
    {
        return (traced, price);
    }
    let (by_path, paths) = trial.each_path(marked, files);
    let by_package = owner.map(|package| Remedy {
        marks: vec![keep(&trial.session, Node::Package(package), Level::Trimmed)],
        ..Remedy::default()
    });
    let package = by_package
        .as_ref()
        .and_then(|remedy| trial.price(remedy, files));
    match (by_package, package, paths) {
        (Some(remedy), Some(price), paths)
            if by_path.marks.len() > MOST_PATHS || paths.is_none_or(|paths| price <= 2 * paths) =>
        {
            (remedy, price)
        }
        (_, _, paths) => (by_path, paths.unwrap_or(0)),
    }
}

/// Whether a package's files come back by the profile's trace: there is one, and no mark drops the package.
fn may_be_traced(session: &Session, owner: PackageId) -> bool {
    let wish = session.wish_of(Node::Package(owner));
    let is_dropped = wish.is_some_and(|(_, wish)| wish == Wish::Drop);
    !session.intent().trace.is_empty() && !is_dropped
}

fn traced(session: &Session, files: &[FileId]) -> Remedy {
    let path = |&file: &FileId| escape(&session.inventory().tree.path(file)).into_owned();
    Remedy {
        trace: files.iter().map(path).collect(),
        ..Remedy::default()
    }
}

fn marked(session: &Session, files: &[FileId]) -> Remedy {
    let mark = |&file: &FileId| keep(session, Node::File(file), Level::Whole);
    Remedy {
        marks: files.iter().map(mark).collect(),
        ..Remedy::default()
    }
}

fn keep(session: &Session, node: Node, level: Level) -> Mark {
    Mark {
        selector: session.selector_for(node),
        wish: Wish::Keep(level),
    }
}

/// The package that owns a file, or what the file is made from.
pub(super) fn owner(session: &Session, file: FileId) -> Option<PackageId> {
    let inventory = session.inventory();
    let made_from = inventory.follows[file.index()].unwrap_or(file);
    inventory.owner(file).or_else(|| inventory.owner(made_from))
}
