//! Each finder on real files of Debian: something that stays because of this finder alone, and goes when its needs are left
//! out.

mod rows;

use crate::built;
use guestslim::finders::FINDERS;
use guestslim::graph::Graph;
use guestslim::load::Loaded;
use guestslim::model::{BootChain, FileId, FinderId, Need, Node};
use guestslim::plan::{Inputs, Level, Mark, Plan, ResolvedMark, RuleSet, Selector, Wish};
use guestslim::plan::{decide, select};
use rows::Row;

/// Finders without a row, and why.
const WITHOUT: &[(&str, &str)] = &[(
    "symbol-version",
    "it needs nothing, it tells what is missing: below",
)];

/// Where nothing stays only because it is there.
const DROPPED: [&str; 6] = [
    "/etc",
    "/home",
    "/opt",
    "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    "/usr/local",
    "/var",
];

fn selector(text: &str) -> Selector {
    match text.split_once(':') {
        Some((language, name)) => Selector::Module {
            language: language.to_owned(),
            name: name.to_owned(),
        },
        None if text.starts_with('/') => Selector::Path(text.to_owned()),
        None => Selector::Package(text.to_owned()),
    }
}

fn resolved(loaded: &Loaded, text: &str, wish: Wish) -> ResolvedMark {
    let selector = selector(text);
    let label = text.to_owned();
    let found = select::resolve(&loaded.inventory, &Mark { selector, wish });
    assert!(!found.nodes.is_empty(), "{text} is in the guest");
    ResolvedMark {
        wish,
        nodes: found.nodes,
        parts: found.parts,
        label,
    }
}

/// Plans a guest of which only the roots are wanted. Paths count as traced, so that nothing stays just because it boots.
fn plan(loaded: &Loaded, graph: &Graph, roots: &[&str]) -> Plan {
    let tree = &loaded.inventory.tree;
    let there = DROPPED
        .iter()
        .filter(|path| tree.lookup(path.as_bytes()).is_some());
    let drops = there.map(|path| resolved(loaded, path, Wish::Drop));
    let wish = Wish::Keep(Level::NeededOnly);
    let roots = roots.iter().map(|root| resolved(loaded, root, wish));
    let (traced, kept): (Vec<_>, Vec<_>) = roots.partition(|root| root.label.starts_with('/'));
    let traced = traced.iter().flat_map(|root| &root.nodes);
    let trace: Vec<FileId> = traced
        .filter_map(|node| match node {
            Node::File(file) => Some(*file),
            Node::Package(_) => None,
        })
        .collect();
    let marks: Vec<ResolvedMark> = drops.chain(kept).collect();
    decide(&Inputs {
        inventory: &loaded.inventory,
        graph,
        facets: &loaded.facets,
        unmet: &loaded.unmet,
        marks: &marks,
        rules: RuleSet::default(),
        needed_level: Level::NeededOnly,
        trace: &trace,
        hypervisors: &[],
    })
}

fn stays(loaded: &Loaded, graph: &Graph, row: &Row) -> bool {
    let plan = plan(loaded, graph, row.1);
    let kept = resolved(loaded, row.2, Wish::Drop).nodes;
    kept.iter().all(|node| match *node {
        Node::File(file) => plan.keeps_file(file),
        Node::Package(id) => plan.packages[id.index()].level.is_some(),
    })
}

/// What is wrong with the rows of one guest.
fn wrong_rows(loaded: &mut Loaded, rows: &[Row]) -> Vec<String> {
    loaded.inventory.boot = BootChain::default();
    let needs: Vec<Need> = loaded.graph.needs().to_vec();
    let mut wrong = Vec::new();
    for row in rows {
        let finder = FinderId::find(row.0).unwrap_or_else(|| panic!("{} is a finder", row.0));
        let others = needs.iter().filter(|need| need.finder != finder);
        let without = Graph::build(&loaded.inventory, others.cloned().collect());
        if !stays(loaded, &loaded.graph, row) {
            wrong.push(format!("{}: {} goes all the same", row.0, row.2));
        } else if stays(loaded, &without, row) {
            wrong.push(format!("{}: {} stays without it", row.0, row.2));
        }
    }
    wrong
}

#[test]
fn each_finder_has_a_row_or_a_reason() {
    let named = |id: &str| {
        let rows = rows::DEMO.iter().chain(rows::RUNTIMES).map(|row| row.0);
        rows.chain(WITHOUT.iter().map(|row| row.0))
            .filter(|name| *name == id)
            .count()
    };
    let wrong: Vec<&str> = FINDERS
        .iter()
        .map(|finder| finder.id)
        .filter(|id| named(id) != 1)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn each_finder_keeps_what_would_go_without_it() {
    let mut loaded = built::guest("demo");
    let wrong = wrong_rows(&mut loaded, rows::DEMO);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let told = |unmet: &&guestslim::model::Unmet| unmet.finder.row().id == "symbol-version";
    let told: Vec<_> = loaded
        .unmet
        .iter()
        .filter(told)
        .map(|unmet| &*unmet.what)
        .collect();
    assert_eq!(told, [b"libfit.so.1 (FIT_2)"]);
}

#[test]
fn each_finder_of_runtimes_keeps_what_would_go_without_it() {
    let mut loaded = built::folder("runtimes");
    let wrong = wrong_rows(&mut loaded, rows::RUNTIMES);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
