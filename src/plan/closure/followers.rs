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
        if stays
            && !self.is_marked_drop(file)
            && self.rule_about(file).is_none()
            && !self.kept.put(file.index())
        {
            self.reasons[file.index()] = Reason::Follows(target);
        }
    }
}
