//! Ways to bring back something that goes: changes of the intent that would keep it, each with its price.

use super::{Edit, Intent, Session, decide};
use crate::job::{Cancelled, Job};
use crate::model::text::escape;
use crate::model::{Bytes, FileId, Node, PackageId};
use crate::plan::{Level, Plan, Reason, Wish, mark_subject, next};

/// How many packages that would need a dropped one are weighed.
const NEEDERS: usize = 5;

/// A change that would bring a thing back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The change as a safe phrase: `keep package vim trimmed`.
    pub what: String,
    /// The intent with it done.
    pub intent: Intent,
    /// Room on disk that the plan would take more.
    pub costs: Bytes,
    /// Files that would stay more.
    pub files: u64,
}

impl Session {
    /// The marks that would keep something that goes or is hollowed, the cheapest first. Each is tried by deciding again, and
    /// only those that bring the thing back are returned.
    ///
    /// # Errors
    /// When the job was cancelled.
    pub fn ways_back(&self, node: Node, job: &Job) -> Result<Vec<Way>, Cancelled> {
        let mut ways = Vec::new();
        if !self.is_gone(node) {
            return Ok(ways);
        }
        let mut selected = self.selected.clone();
        for (what, edit) in self.changes_about(node) {
            job.check()?;
            let intent = edit.on(&self.intent);
            let plan = decide(&self.loaded, &intent, &mut selected);
            let is_way = stays_more(&self.plan, &plan, node);
            if is_way && !ways.iter().any(|way: &Way| way.intent == intent) {
                ways.push(Way {
                    what,
                    intent,
                    costs: plan.after.allocated - self.plan.after.allocated,
                    files: plan.after.files.saturating_sub(self.plan.after.files),
                });
            }
        }
        ways.sort_by(|a, b| a.costs.cmp(&b.costs).then_with(|| a.what.cmp(&b.what)));
        Ok(ways)
    }

    /// Whether a thing goes, or of a package only the record stays.
    pub fn is_gone(&self, node: Node) -> bool {
        match node {
            Node::Package(id) => self.plan.packages[id.index()].level <= Some(Level::Hollowed),
            Node::File(file) => !self.plan.keeps_file(file),
        }
    }

    /// All changes that may bring it back: marks on the thing itself, what decides about it, and what would need it.
    fn changes_about(&self, node: Node) -> Vec<(String, Edit)> {
        let mut changes = vec![self.keep(node)];
        let reason = match node {
            Node::Package(id) => {
                let needers = self.needers(id).into_iter();
                changes.extend(needers.map(|id| self.keep(Node::Package(id))));
                self.plan.packages[id.index()].reason
            }
            Node::File(file) => {
                changes.extend(self.keep_owner(file));
                self.plan.reasons[file.index()]
            }
        };
        match reason {
            Reason::Mark(at) => changes.extend(self.unmark(at)),
            Reason::Rule(rule) => changes.push((
                format!("switch rule {} off", rule.rule().id),
                Edit::Rule(rule, false),
            )),
            Reason::FollowsGone(_) => {
                changes.extend(next(&self.loaded.graph, reason).map(|to| self.keep(to)));
            }
            _ => {}
        }
        changes
    }

    fn keep(&self, node: Node) -> (String, Edit) {
        let level = match node {
            Node::Package(_) => Level::Trimmed,
            Node::File(_) => Level::Whole,
        };
        self.keep_at(node, level)
    }

    fn keep_at(&self, node: Node, level: Level) -> (String, Edit) {
        let inventory = self.inventory();
        let what = match node {
            Node::Package(id) => {
                let name = inventory.package_label(id);
                format!("keep package {} {}", escape(name.as_bytes()), level.word())
            }
            Node::File(file) => format!("keep path {}", escape(&inventory.tree.path(file))),
        };
        let selector = self.selector_for(node);
        (what, Edit::Mark(selector, Wish::Keep(level)))
    }

    /// The package of a file, trimmed and whole.
    fn keep_owner(&self, file: FileId) -> Vec<(String, Edit)> {
        let owner = self.inventory().owner(file).map(Node::Package);
        let levels = [Level::Trimmed, Level::Whole];
        owner.map_or_else(Vec::new, |owner| {
            levels.map(|level| self.keep_at(owner, level)).to_vec()
        })
    }

    fn unmark(&self, at: u32) -> Option<(String, Edit)> {
        if let Some(mark) = self.intent.marks.get(at as usize) {
            let subject = mark_subject(&self.intent, &self.plan, at);
            let what = format!("remove the mark on {subject}");
            return Some((what, Edit::Unmark(mark.selector.clone())));
        }
        let class = self.intent.accept?.word();
        let what = format!("accept no suggestions (now: all of class {class})");
        Some((what, Edit::Accept(None)))
    }

    /// Packages that go and declare this one, the smallest first.
    fn needers(&self, package: PackageId) -> Vec<PackageId> {
        let graph = &self.loaded.graph;
        let froms = graph.needed_by(package).map(|edge| graph.need(edge).from);
        let mut needers: Vec<PackageId> = froms
            .filter_map(|from| match from {
                Node::Package(id) if !self.plan.keeps_package(id) => Some(id),
                _ => None,
            })
            .collect();
        needers.sort_unstable();
        needers.dedup();
        needers.sort_by_key(|id| self.inventory().package(*id).installed_size);
        needers.truncate(NEEDERS);
        needers
    }
}

fn stays_more(before: &Plan, after: &Plan, node: Node) -> bool {
    match node {
        Node::Package(id) => after.packages[id.index()].level > before.packages[id.index()].level,
        Node::File(file) => after.keeps_file(file),
    }
}
