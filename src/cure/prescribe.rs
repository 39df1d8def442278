//! From missing files to the marks that bring them back: on the package where that is not much dearer, else on each path.
//!
//! A mark on a package holds when a file of the next build has another name; one on a path costs nothing but the path. The
//! price of either is what the plan says with it.

use super::{Lack, with_marks};
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
    /// What these marks add to the projection; `None` when they do not bring all of the files back.
    fn price(&mut self, marks: &[Mark], files: &[FileId]) -> Option<u64> {
        let intent = with_marks(self.session.intent(), marks);
        let is_changed = self.session.apply(Edit::Replace(intent));
        let plan = self.session.plan();
        let after = plan.after.allocated.0;
        let are_back = files.iter().all(|&file| plan.keeps_file(file));
        if is_changed {
            self.session.undo();
        }
        are_back.then(|| after.saturating_sub(self.before))
    }
}

/// Groups missing files of the source by component and finds each group's marks; largest price first.
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
            let (marks, adds) = choose(&mut trial, &files);
            let path = |&file: &FileId| escape(&inventory.tree.path(file)).into_owned();
            Lack {
                component,
                paths: files.iter().map(path).collect(),
                marks,
                adds,
            }
        })
        .collect();
    lacks.sort_by_key(|lack| std::cmp::Reverse(lack.adds));
    lacks
}

fn choose(trial: &mut Trial, files: &[FileId]) -> (Vec<Mark>, u64) {
    if trial.price(&[], files).is_some() {
        return (Vec::new(), 0);
    }
    let by_path = path_marks(&trial.session, files);
    let paths = trial.price(&by_path, files);
    let owner = files.iter().find_map(|&file| owner(&trial.session, file));
    let by_package =
        owner.map(|package| keep(&trial.session, Node::Package(package), Level::Trimmed));
    let package = by_package
        .as_ref()
        .and_then(|mark| trial.price(std::slice::from_ref(mark), files));
    match (by_package, package, paths) {
        (Some(mark), Some(price), paths)
            if by_path.len() > MOST_PATHS || paths.is_none_or(|paths| price <= 2 * paths) =>
        {
            (vec![mark], price)
        }
        (_, _, paths) => (by_path, paths.unwrap_or(0)),
    }
}

/// A mark a path, but for what stays anyhow with the file that it is made from.
fn path_marks(session: &Session, files: &[FileId]) -> Vec<Mark> {
    let follows = |file: FileId| session.inventory().follows[file.index()];
    let is_led = |file: FileId| follows(file).is_some_and(|leader| files.contains(&leader));
    let own = files.iter().filter(|&&file| !is_led(file));
    own.map(|&file| keep(session, Node::File(file), Level::Whole))
        .collect()
}

fn keep(session: &Session, node: Node, level: Level) -> Mark {
    Mark {
        selector: session.selector_for(node),
        wish: Wish::Keep(level),
    }
}

fn owner(session: &Session, file: FileId) -> Option<PackageId> {
    let inventory = session.inventory();
    let made_from = inventory.follows[file.index()].unwrap_or(file);
    inventory.owner(file).or_else(|| inventory.owner(made_from))
}
