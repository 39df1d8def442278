//! What a person should know about a plan.

use super::closure::Closure;
use super::why::printable;
use super::{Finding, Inputs, Level, Reason, ResolvedMark, Severity, Wish};
use crate::model::text::escape;
use crate::model::{Evidence, FileId, Node, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// All findings, worst first, then in the inventory's order.
pub(super) fn collect(inputs: &Inputs<'_>, closure: &Closure<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, mark) in inputs.marks.iter().enumerate() {
        findings.extend(about_mark(inputs, closure, at as u32, mark.wish));
    }
    findings.extend(about_missing_trace(inputs, closure));
    findings.extend(about_damage(inputs));
    findings.extend(about_boot(inputs));
    findings.extend(about_unmet(inputs, closure));
    findings.extend(about_guesses(inputs, closure));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn warning(node: Option<Node>, message: String) -> Finding {
    Finding {
        severity: Severity::Warning,
        node,
        message,
    }
}

/// What lies on a damaged place of the source is not promised, whatever the marks say.
fn about_damage(inputs: &Inputs<'_>) -> impl Iterator<Item = Finding> {
    let damage = inputs.inventory.origin.damage.iter();
    damage.map(|what| {
        let message =
            format!("the source is damaged, so that no output is sure to be whole: {what}");
        warning(None, message)
    })
}

fn about_mark(inputs: &Inputs<'_>, closure: &Closure<'_>, at: u32, wish: Wish) -> Option<Finding> {
    let mark = &inputs.marks[at as usize];
    if mark.nodes.is_empty() {
        return Some(warning(
            None,
            format!(
                "the mark on {} matches nothing in this guest",
                printable(&mark.label)
            ),
        ));
    }
    if let Some(finding) = without_effect(inputs, closure, at) {
        return Some(finding);
    }
    let owns = |package: &PackageId| closure.package_wishes[package.index()] == Some(at);
    let packages: Vec<PackageId> = mark
        .nodes
        .iter()
        .filter_map(|node| match node {
            Node::Package(package) => Some(*package),
            Node::File(_) => None,
        })
        .filter(owns)
        .collect();
    match wish {
        Wish::Drop => {
            let stay: Vec<&PackageId> = packages
                .iter()
                .filter(|id| closure.levels[id.index()].is_some())
                .collect();
            let files = closure
                .wishes
                .iter()
                .enumerate()
                .filter(|&(_, &mark)| mark == at);
            let stuck = files.filter(|&(file, _)| {
                closure.kept.contains(file)
                    && !inputs.inventory.tree.is_directory(FileId(file as u32))
            });
            let first = stay.first().map(|&&id| Node::Package(id));
            dropped_but_needed(
                inputs,
                &printable(&mark.label),
                first,
                stay.len(),
                stuck.count(),
            )
        }
        Wish::Keep(Level::Hollowed) => {
            let stays = |id: &&PackageId| closure.levels[id.index()] > Some(Level::Hollowed);
            let first = packages.iter().find(stays)?;
            let name = inputs.inventory.package_label(*first);
            let why = match closure.package_reasons[first.index()] {
                Reason::Boot(_) => "the boot set needs it",
                Reason::Essential => "it is essential",
                _ => "files that stay need files of it",
            };
            Some(warning(
                Some(Node::Package(*first)),
                format!("{name} cannot be hollowed whole: {why}"),
            ))
        }
        Wish::Keep(Level::NeededOnly) => without_programs(inputs, closure, mark, &packages),
        Wish::Keep(_) => None,
    }
}

/// A note about packages that are marked and lose all that a person would call: nothing reads a program before it runs.
fn without_programs(
    inputs: &Inputs<'_>,
    closure: &Closure<'_>,
    mark: &ResolvedMark,
    packages: &[PackageId],
) -> Option<Finding> {
    let loses_all = |package: &&PackageId| {
        let files = inputs.inventory.package(**package).files.iter();
        let mut programs = files
            .map(|file| file.index())
            .filter(|&at| inputs.facets.programs.contains(at))
            .peekable();
        programs.peek().is_some() && programs.all(|at| !closure.kept.contains(at))
    };
    let mut losers = packages.iter().filter(loses_all);
    let first = *losers.next()?;
    let (more, whose) = match losers.count() {
        0 => (String::new(), "its"),
        more => (format!(" (and {more} more)"), "their"),
    };
    Some(Finding {
        severity: Severity::Note,
        node: Some(Node::Package(first)),
        message: format!(
            "{} marks {}{more} needed only, and none of {whose} programs stays",
            printable(&mark.label),
            inputs.inventory.package_label(first),
        ),
    })
}

/// A mark that decides about nothing: later marks are about all that it selects, or it keeps a folder without a file.
fn without_effect(inputs: &Inputs<'_>, closure: &Closure<'_>, at: u32) -> Option<Finding> {
    let mark = &inputs.marks[at as usize];
    let tree = &inputs.inventory.tree;
    let decides = |node: &Node| match *node {
        Node::Package(id) => closure.package_wishes[id.index()] == Some(at),
        Node::File(file) => {
            let range = tree.subtree(file);
            closure.wishes[range.start as usize..range.end as usize].contains(&at)
        }
    };
    let is_empty = |node: &Node| match *node {
        Node::Package(_) => false,
        Node::File(file) => tree
            .subtree(file)
            .all(|at| inputs.facets.folders.contains(at as usize)),
    };
    let why = if !mark.nodes.iter().any(decides) {
        "later marks decide about all that it selects"
    } else if mark.wish != Wish::Drop && mark.nodes.iter().all(is_empty) {
        "there is no file in what it selects"
    } else {
        return None;
    };
    let verb = if mark.wish == Wish::Drop {
        "drops"
    } else {
        "keeps"
    };
    Some(warning(
        mark.nodes.first().copied(),
        format!(
            "the mark on {} {verb} nothing: {why}",
            printable(&mark.label)
        ),
    ))
}

fn dropped_but_needed(
    inputs: &Inputs<'_>,
    label: &str,
    first: Option<Node>,
    packages: usize,
    files: usize,
) -> Option<Finding> {
    let what = match (packages, files) {
        (0, 0) => return None,
        (0, files) => format!("{files} of its files stay"),
        (1, _) => match first {
            Some(Node::Package(id)) => format!("{} stays", inputs.inventory.package_label(id)),
            _ => "one package stays".to_owned(),
        },
        (packages, _) => format!("{packages} of its packages stay"),
    };
    Some(warning(
        first,
        format!("{label} is marked drop, but {what}: something that stays needs it"),
    ))
}

/// What is cut to what is needed without a trace is cut by what finders know, which is not all that programs open.
fn about_missing_trace(inputs: &Inputs<'_>, closure: &Closure<'_>) -> Option<Finding> {
    let is_everywhere = inputs.needed_level < Level::Trimmed;
    let is_cut = |mark: &ResolvedMark| {
        let names_component = mark
            .nodes
            .iter()
            .any(|node| matches!(node, Node::Package(_)));
        mark.wish == Wish::Keep(Level::NeededOnly) && (names_component || !mark.parts.is_empty())
    };
    if !inputs.trace.is_empty() || !(is_everywhere || inputs.marks.iter().any(is_cut)) {
        return None;
    }
    let levels = closure.levels.iter();
    let cut = levels.filter(|&&level| level == Some(Level::NeededOnly));
    let what = match cut.count() {
        1 => "1 package is".to_owned(),
        count => format!("{count} packages are"),
    };
    Some(Finding {
        severity: if is_everywhere {
            Severity::Warning
        } else {
            Severity::Note
        },
        node: None,
        message: format!(
            "{what} cut to needed only without a trace: what is opened by a name made at run time may be missing; \
             `guestslim trace` runs the workload and adds what it reads"
        ),
    })
}

fn about_boot(inputs: &Inputs<'_>) -> Vec<Finding> {
    let boot = &inputs.inventory.boot;
    let mut findings = Vec::new();
    if boot.kernel.is_none() {
        findings.push(warning(
            None,
            "no kernel was found that a boot entry loads".to_owned(),
        ));
    }
    if boot.loader.is_empty() {
        findings.push(warning(None, "no boot loader was found".to_owned()));
    }
    findings
}

fn about_unmet(inputs: &Inputs<'_>, closure: &Closure<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for unmet in inputs.unmet {
        let name = match unmet.from {
            Node::Package(id) if closure.levels[id.index()] > Some(Level::Hollowed) => {
                inputs.inventory.package_label(id)
            }
            Node::File(file) if closure.kept.contains(file.index()) => {
                escape(&inputs.inventory.tree.path(file)).into_owned()
            }
            _ => continue,
        };
        let message = format!(
            "{name} needs {}, which the source does not have either",
            escape(&unmet.what)
        );
        findings.push(Finding {
            severity: Severity::Note,
            node: Some(unmet.from),
            message,
        });
    }
    findings
}

/// One note for each package of which something that stays names a file, though it goes: the first that does and how many
/// more.
fn about_guesses(inputs: &Inputs<'_>, closure: &Closure<'_>) -> Vec<Finding> {
    let (graph, inventory) = (inputs.graph, inputs.inventory);
    let mut named: BTreeMap<PackageId, Vec<u32>> = BTreeMap::new();
    for edge in graph.soft_edges() {
        let need = graph.need(edge);
        if need.evidence == Evidence::Guessed
            && let Node::File(file) = need.to
            && !closure.is_kept(need.to)
            && let Some(owner) = inventory.owner(file)
            && closure.is_kept(need.from)
        {
            named.entry(owner).or_default().push(edge);
        }
    }
    named
        .into_iter()
        .map(|(package, edges)| {
            let first = graph.need(edges[0]);
            let from = match first.from {
                Node::File(file) => escape(&inventory.tree.path(file)).into_owned(),
                Node::Package(id) => inventory.package_label(id),
            };
            let froms: BTreeSet<Node> = edges.iter().map(|&edge| graph.need(edge).from).collect();
            let more = match froms.len() - 1 {
                0 => String::new(),
                1 => " (one more names it too)".to_owned(),
                more => format!(" ({more} more name it too)"),
            };
            let message = format!(
                "{from} names {} of {}, which {}{more}",
                escape(&first.what),
                inventory.package_label(package),
                closure.levels[package.index()].map_or("goes", |_| "stays without it")
            );
            Finding {
                severity: Severity::Note,
                node: Some(Node::Package(package)),
                message,
            }
        })
        .collect()
}
