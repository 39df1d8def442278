//! What would bring back what goes, and at which price.

use crate::picture::draw;
use guestslim::job::Job;
use guestslim::model::{Bytes, Node};
use guestslim::plan::{Level, RuleId, Selector, Wish};
use guestslim::session::{Edit, Intent, Session, Way};
use std::sync::Arc;

const GUEST: &str = "
    libc!
    plot: blas
    lab: plot
    blas: libc
    /usr/lib/libc.so.6 200 @libc
    /usr/lib/libblas.so 90 @blas
    /usr/share/doc/libc/README 7 @libc
    /usr/bin/plot 100 @plot > /usr/lib/libblas.so
    /usr/bin/lab 30 @lab
    /opt/old/solver 40
";

fn session() -> Session {
    Session::new(Arc::new(draw(GUEST)), Intent::default())
}

fn node(session: &Session, name: &str) -> Node {
    let inventory = session.inventory();
    match name.strip_prefix('/') {
        Some(_) => Node::File(inventory.tree.lookup(name.as_bytes()).expect("a file")),
        None => Node::Package(inventory.find_package(name).expect("a package")),
    }
}

fn ways(session: &Session, name: &str) -> Vec<Way> {
    let ways = session.ways_back(node(session, name), &Job::quiet());
    ways.expect("nobody cancels")
}

fn listed(session: &Session, name: &str) -> Vec<(String, Bytes)> {
    let ways = ways(session, name).into_iter();
    ways.map(|way| (way.what, way.costs)).collect()
}

fn kib(list: &[(&str, u64)]) -> Vec<(String, Bytes)> {
    let list = list.iter();
    list.map(|&(what, kib)| (what.to_owned(), Bytes::from_kib(kib)))
        .collect()
}

#[test]
fn a_dropped_package_comes_back_by_itself_or_for_what_declares_it() {
    let session = session();
    let expected = [
        ("keep package blas trimmed", 90),
        ("keep package plot trimmed", 190),
    ];
    assert_eq!(listed(&session, "blas"), kib(&expected));
    assert_eq!(listed(&session, "libc"), [], "it stays");
}

#[test]
fn a_dropped_file_comes_back_by_its_path_its_package_its_rule_or_its_mark() {
    let mut session = session();
    let expected = [
        ("keep path /usr/lib/libblas.so", 90),
        ("keep package blas trimmed", 90),
        ("keep package blas whole", 90),
    ];
    let mut found = listed(&session, "/usr/lib/libblas.so");
    let mut expected = kib(&expected);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let documents: Vec<String> = ways(&session, "/usr/share/doc/libc/README")
        .into_iter()
        .map(|way| way.what)
        .collect();
    let expected = [
        "keep package libc whole",
        "keep path /usr/share/doc/libc/README",
        "switch rule documentation off",
    ];
    assert_eq!(documents, expected, "trimmed would not bring it back");
    session.apply(Edit::Mark(Selector::Path("/opt/*".into()), Wish::Drop));
    let expected = [
        ("keep path /opt/old/solver", 40),
        ("remove the mark on path /opt/*", 40),
    ];
    assert_eq!(listed(&session, "/opt/old/solver"), kib(&expected));
}

#[test]
fn every_way_costs_what_it_says_and_brings_the_thing_back() {
    let mut session = session();
    session.apply(Edit::Rule(RuleId(1), false));
    session.apply(Edit::Mark(
        Selector::Package("plot".into()),
        Wish::Keep(Level::Hollowed),
    ));
    for name in [
        "blas",
        "lab",
        "plot",
        "/usr/bin/plot",
        "/usr/share/doc/libc/README",
    ] {
        let node = node(&session, name);
        let found = ways(&session, name);
        assert!(!found.is_empty(), "{name}");
        for way in found {
            let before = session.plan().after;
            session.apply(Edit::Replace(way.intent));
            assert!(!session.is_gone(node), "{}", way.what);
            let after = session.plan().after;
            let more = (
                after.allocated - before.allocated,
                after.files - before.files,
            );
            assert_eq!(more, (way.costs, way.files), "{}", way.what);
            assert!(session.undo());
        }
    }
}
