//! The package list's rows.

use super::{Cursor, Filter, Order};
use crate::model::{Inventory, PackageId};
use crate::plan::Plan;
use crate::tui::words;

/// All packages, those that pass the filter in the chosen order, and the cursor.
#[derive(Debug)]
pub struct PackageList {
    /// One element a package: how people name it, safe to show.
    labels: Vec<String>,
    rows: Vec<PackageId>,
    order: Order,
    filter: Filter,
    /// The cursor.
    pub cursor: Cursor,
}

impl PackageList {
    /// The list of a guest's packages.
    pub fn new(inventory: &Inventory, plan: &Plan) -> Self {
        let ids = inventory.package_ids();
        let mut list = Self {
            labels: ids.map(|id| words::package(inventory, id)).collect(),
            rows: Vec::new(),
            order: Order::Name,
            filter: Filter::default(),
            cursor: Cursor::default(),
        };
        list.refresh(inventory, plan, 1);
        list
    }

    /// The packages in their rows.
    pub fn rows(&self) -> &[PackageId] {
        &self.rows
    }

    /// The selected package.
    pub fn selected(&self) -> Option<PackageId> {
        self.rows.get(self.cursor.at).copied()
    }

    /// A package's name, safe to show.
    pub fn label(&self, id: PackageId) -> &str {
        &self.labels[id.index()]
    }

    /// What the rows are ordered by.
    pub fn order(&self) -> Order {
        self.order
    }

    /// Orders the rows; the selected package stays selected.
    pub fn set_order(&mut self, order: Order) {
        self.order = order;
    }

    /// Shows only what passes.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
    }

    /// Selects this package if it is shown.
    pub fn select(&mut self, id: PackageId, height: usize) -> bool {
        let found = self.rows.iter().position(|&row| row == id);
        if let Some(at) = found {
            self.cursor.go(at, self.rows.len(), height);
        }
        found.is_some()
    }

    /// Computes the rows anew, after a change of plan, order or filter.
    pub fn refresh(&mut self, inventory: &Inventory, plan: &Plan, height: usize) {
        let selected = self.selected();
        let passes = |id: &PackageId| self.filter.matches(self.labels[id.index()].as_bytes());
        self.rows = inventory.package_ids().filter(passes).collect();
        // Packages are in the order of their names, and the sort is stable.
        match self.order {
            Order::Name => {}
            Order::Size => self
                .rows
                .sort_by_key(|&id| std::cmp::Reverse(inventory.package(id).installed_size)),
            Order::Retained => self
                .rows
                .sort_by_key(|&id| std::cmp::Reverse(plan.retained[id.index()])),
            Order::Verdict => self
                .rows
                .sort_by_key(|&id| std::cmp::Reverse(plan.packages[id.index()].level)),
        }
        if !selected.is_some_and(|id| self.select(id, height)) {
            self.cursor.go(self.cursor.at, self.rows.len(), height);
        }
    }
}
