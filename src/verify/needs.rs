//! Rungs that need no machine: does anything that is there need something that is not, and did the source have that already?

use super::{Request, Rung, languages};
use crate::finders::Proof;
use crate::load::Loaded;
use crate::model::text::escape;
use crate::model::{FinderId, Inventory, Node, Unmet};
use std::collections::BTreeSet;

/// One rung for each finder whose proof is here, in the table's order, and the rung of languages.
pub fn compare(request: &Request<'_>) -> Vec<Rung> {
    let source = request.source.map(|source| &*source.loaded);
    let image = &request.subject.loaded;
    let mut rungs: Vec<Rung> = FinderId::all()
        .filter_map(|finder| match finder.row().proof {
            Proof::Unmet(id, what) => {
                let list = |loaded: &Loaded| unmet(loaded, finder);
                Some(rung(id, what, &list(image), source.map(list)))
            }
            Proof::Links(id, what) => Some(rung(id, what, &dangling(image), source.map(dangling))),
            Proof::Language(_) | Proof::Running => None,
        })
        .collect();
    rungs.push(languages::rung(request));
    rungs
}

/// Fails for what is missing now and was not before.
fn rung(
    id: &'static str,
    what: &str,
    now: &BTreeSet<String>,
    before: Option<BTreeSet<String>>,
) -> Rung {
    let count = now.len();
    if now.is_empty() {
        return Rung::pass(id, "nothing is missing");
    }
    let Some(before) = before else {
        let because =
            format!("there is no source to compare with ({count} missing, perhaps there too)");
        return Rung::not_checked(id, because);
    };
    let new: Vec<String> = now.difference(&before).cloned().collect();
    if new.is_empty() {
        let because = format!("nothing is missing that the source has ({count} missing there too)");
        return Rung::pass(id, because);
    }
    let because = format!("{} {what} missing that the source has", new.len());
    Rung::fail(id, because, new)
}

/// Links that lead nowhere.
fn dangling(loaded: &Loaded) -> BTreeSet<String> {
    let tree = &loaded.inventory.tree;
    let links = tree.ids().filter_map(|file| {
        let target = tree.target(file)?;
        let path = tree.path(file);
        let leads_nowhere = tree.resolve(&path).is_none();
        leads_nowhere.then(|| format!("{} needs {}", escape(&path), escape(target)))
    });
    links.collect()
}

/// Who lacks what, by name, so that two images can be compared.
fn unmet(loaded: &Loaded, finder: FinderId) -> BTreeSet<String> {
    let is_of_row = |unmet: &&Unmet| unmet.finder == finder;
    let name = |unmet: &Unmet| {
        format!(
            "{} needs {}",
            name(&loaded.inventory, unmet.from),
            escape(&unmet.what)
        )
    };
    loaded.unmet.iter().filter(is_of_row).map(name).collect()
}

fn name(inventory: &Inventory, node: Node) -> String {
    match node {
        Node::Package(package) => escape(inventory.package_label(package).as_bytes()).into_owned(),
        Node::File(file) => escape(&inventory.tree.path(file)).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_source_has_can_be_missing() {
        let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let rung = |now: &[&str], before: Option<&[&str]>| {
            rung("links", "targets of links", &set(now), before.map(set))
        };
        assert!(!rung(&[], None).is_failed());
        assert!(!rung(&["a"], None).is_failed());
        assert!(!rung(&["a"], Some(&["a", "b"])).is_failed());
        let failed = rung(&["a", "c"], Some(&["a"]));
        assert!(failed.is_failed());
        assert_eq!(failed.details, ["c"]);
    }
}
