//! From missing files to what brings them back: a package's files into the trace where the profile has one; else marks, on the
//! package where that is not much dearer, else on each path.
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
    let traced = owner.and_then(|owner| traced(&trial.session, owner, files));
    if let Some(traced) = traced
        && let Some(price) = trial.price(&traced, files)
    {
        return (traced, price);
    }
    let by_path = marked(path_marks(&trial.session, files));
    let paths = trial.price(&by_path, files);
    let by_package = owner.map(|package| {
        let mark = keep(&trial.session, Node::Package(package), Level::Trimmed);
        marked(vec![mark])
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

fn marked(marks: Vec<Mark>) -> Remedy {
    Remedy {
        marks,
        ..Remedy::default()
    }
}

/// A package's files as paths of the trace, where there is one and the profile does not drop the package.
fn traced(session: &Session, owner: PackageId, files: &[FileId]) -> Option<Remedy> {
    let wish = session.wish_of(Node::Package(owner));
    let is_dropped = wish.is_some_and(|(_, wish)| wish == Wish::Drop);
    let has_trace = !session.intent().trace.is_empty();
    (has_trace && !is_dropped).then(|| Remedy {
        trace: leaders(session, files)
            .map(|file| escape(&session.inventory().tree.path(file)).into_owned())
            .collect(),
        ..Remedy::default()
    })
}

/// The files, but for what stays anyhow with the file that it is made from.
fn leaders<'a>(session: &'a Session, files: &'a [FileId]) -> impl Iterator<Item = FileId> + 'a {
    let follows = |file: FileId| session.inventory().follows[file.index()];
    let is_led = move |file: FileId| follows(file).is_some_and(|leader| files.contains(&leader));
    files.iter().copied().filter(move |&file| !is_led(file))
}

fn path_marks(session: &Session, files: &[FileId]) -> Vec<Mark> {
    leaders(session, files)
        .map(|file| keep(session, Node::File(file), Level::Whole))
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
