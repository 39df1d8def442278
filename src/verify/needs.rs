//! Rungs that need no machine: does anything that is there need something that is not, and did the source have that already?

use super::{Request, Rung};
use crate::finders::FINDERS;
use crate::load::Loaded;
use crate::model::text::escape;
use crate::model::{Inventory, Node, Unmet};
use std::collections::BTreeSet;

/// One rung: its name, the finder whose needs it looks at, what one of them is called.
const RUNGS: [(&str, &str, &str); 5] = [
    ("packages", "depends", "dependency of a package"),
    ("libraries", "library", "library of a program or library"),
    (
        "symbol_versions",
        "symbol-version",
        "version of a library's symbols",
    ),
    ("scripts", "shebang", "interpreter of a script"),
    ("links", "symlink", "target of a link"),
];

/// One rung for each kind of need.
pub fn compare(request: &Request<'_>) -> Vec<Rung> {
    let source = request.source.map(|source| &*source.loaded);
    let mut rungs: Vec<Rung> = RUNGS
        .iter()
        .map(|&(id, finder, what)| rung(id, finder, what, &request.subject.loaded, source))
        .collect();
    rungs.push(Rung::not_checked("languages", "no finder reads them yet"));
    rungs
}

fn rung(
    id: &'static str,
    finder: &str,
    what: &str,
    image: &Loaded,
    source: Option<&Loaded>,
) -> Rung {
    let unmet = unmet(image, finder);
    if unmet.is_empty() {
        return Rung::pass(id, "nothing is missing");
    }
    let Some(source) = source else {
        let count = unmet.len();
        return Rung::not_checked(
            id,
            format!("there is no source to compare with ({count} missing, perhaps there too)"),
        );
    };
    let before = self::unmet(source, finder);
    let new: Vec<String> = unmet.difference(&before).cloned().collect();
    if new.is_empty() {
        return Rung::pass(
            id,
            format!(
                "nothing is missing that the source has ({} missing there too)",
                unmet.len()
            ),
        );
    }
    let plural = if new.len() == 1 { "" } else { "s" };
    Rung::fail(
        id,
        format!("{} {what}{plural} missing that the source has", new.len()),
        new,
    )
}

/// Who lacks what, by name, so that two images can be compared.
fn unmet(loaded: &Loaded, finder: &str) -> BTreeSet<String> {
    let row = FINDERS.iter().position(|row| row.id == finder);
    let is_of_row = |unmet: &&Unmet| Some(unmet.finder as usize) == row;
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
