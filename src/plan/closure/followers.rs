//! Links and made files stay with what they come from; nothing needs them, so nothing follows from them.

use super::Closure;
use crate::model::FileId;
use crate::plan::{Level, Reason};

impl Closure<'_> {
    /// Adds the followers of everything that stays by now.
    pub(super) fn add_followers(&mut self) {
        let inventory = self.inputs.inventory;
        for &(link, target) in &self.inputs.facets.links {
            let is_cut = inventory
                .owner(link)
                .is_some_and(|owner| self.levels[owner.index()] == Some(Level::NeededOnly));
            if is_cut {
                self.keep_follower(link, target);
            }
        }
        for (at, target) in inventory.follows.iter().enumerate() {
            if let Some(target) = *target {
                self.keep_follower(FileId(at as u32), target);
            }
        }
    }

    fn keep_follower(&mut self, file: FileId, target: FileId) {
        let stays = if self.is_folder(target) {
            self.inputs.inventory.owner(target).is_none() || self.claimed.contains(target.index())
        } else {
            self.kept.contains(target.index())
        };
        let mut passed = self.inputs.facets.passed(file);
        if stays
            && self.may_stay(file)
            && passed.all(|link| self.is_passable(link))
            && !self.kept.put(file.index())
        {
            self.reasons[file.index()] = Reason::Follows(target);
        }
    }

    fn may_stay(&self, file: FileId) -> bool {
        !self.is_marked_drop(file) && self.rule_about(file).is_none()
    }

    /// Whether a link on the way to something that stays does so, too, now or as a follower itself. A rule may have taken it
    /// although a need brought its target back.
    fn is_passable(&self, link: FileId) -> bool {
        let inventory = self.inputs.inventory;
        let follows = || match inventory.owner(link) {
            Some(owner) => self.levels[owner.index()] == Some(Level::NeededOnly),
            None => inventory.follows[link.index()].is_some(),
        };
        self.kept.contains(link.index()) || (follows() && self.may_stay(link))
    }
}
