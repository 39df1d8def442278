//! How long a plan takes after an edit, at the size that the screen must bear: 100,000 files in 3,000 packages.
//!
//! `cargo bench --bench plan`; the budget is one frame, 8 ms, for each of the two plans of a round.

mod guest;

use guest::{PACKAGES, guest, scatter};
use guestslim::plan::{Level, Selector, Wish};
use guestslim::session::{Edit, Intent, Session};
use std::sync::Arc;

fn main() {
    divan::main();
}

fn rounds(bencher: divan::Bencher<'_, '_>, needed_level: Level) {
    let mut session = Session::new(
        Arc::new(guest()),
        Intent {
            needed_level,
            ..Intent::default()
        },
    );
    let mut at = 0;
    bencher.bench_local(|| {
        at = (at + 1) % PACKAGES;
        let selector = Selector::Package(format!("package-{:04}", scatter(at) % PACKAGES));
        session.apply(Edit::Mark(selector.clone(), Wish::Keep(Level::Whole)));
        session.apply(Edit::Unmark(selector));
    });
}

/// A mark made and taken back: two plans.
#[divan::bench(sample_count = 50)]
fn mark_and_unmark_trimmed(bencher: divan::Bencher<'_, '_>) {
    rounds(bencher, Level::Trimmed);
}

/// The same at needed only.
#[divan::bench(sample_count = 50)]
fn mark_and_unmark_needed_only(bencher: divan::Bencher<'_, '_>) {
    rounds(bencher, Level::NeededOnly);
}
