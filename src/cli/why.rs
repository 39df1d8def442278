//! `guestslim why`: the chain of reasons for one package, path or module.

use super::Outcome;
use super::args::WhyArgs;
use super::failure::refuse;
use super::guest::{Opening, read_profile};
use super::json::{level_word, node_name};
use super::out;
use crate::model::table::{Align, plural, table};
use crate::model::text::{escape, unescape};
use crate::model::{Bytes, FileId, Inventory, Node};
use crate::plan::Plan;
use crate::profile::nearest;
use crate::session::{Session, Way};
use serde::Serialize;

pub fn run(args: &WhyArgs) -> anyhow::Result<Outcome> {
    let profile = read_profile(args.profile.as_deref())?;
    let opening = Opening::new()?;
    let session = opening.session(&args.image, &args.open, profile.as_ref())?;
    let node = find(session.inventory(), &args.target)?;
    let mut report = Report::of(&session, node);
    if args.not {
        let ways = session.ways_back(node, &opening.job())?;
        report.ways = Some(ways.iter().map(WayJson::of).collect());
    }
    drop(opening);
    if args.json {
        out::print_json(&report)?;
    } else {
        out::print(&report.text())?;
    }
    Ok(Outcome::Done)
}

#[derive(Debug, Serialize)]
struct Report {
    target: String,
    /// `whole`, `trimmed` ..., `kept` or `dropped`.
    verdict: &'static str,
    /// From the target to a mark, the boot set or a rule.
    chain: Vec<Link>,
    /// What would bring it back, the cheapest first; only with `--not`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ways: Option<Vec<WayJson>>,
}

/// [`Way`].
#[derive(Debug, Serialize)]
struct WayJson {
    what: String,
    /// Bytes on disk.
    costs: u64,
    files: u64,
}

#[derive(Debug, Serialize)]
struct Link {
    about: String,
    reason: String,
    /// How strong the evidence is.
    evidence: &'static str,
}

impl Report {
    fn of(session: &Session, node: Node) -> Self {
        let inventory = session.inventory();
        let links = session.why(node);
        Self {
            target: node_name(inventory, node),
            verdict: verdict(session.plan(), node),
            chain: links
                .into_iter()
                .map(|link| Link {
                    about: node_name(inventory, link.node),
                    reason: link.text,
                    evidence: link.strength.word(),
                })
                .collect(),
            ways: None,
        }
    }

    fn text(&self) -> String {
        let links: Vec<&str> = self.chain.iter().map(|link| link.reason.as_str()).collect();
        let text = links.join("\n") + "\n";
        match self.ways.as_deref() {
            None => text,
            Some([]) => text + "There is nothing to bring back, or no mark that could.\n",
            Some(ways) => {
                let rows: Vec<_> = ways.iter().map(WayJson::row).collect();
                let columns = [Align::Right, Align::Right, Align::Left];
                text + "Any of these would bring it back:\n" + &table(&columns, &rows)
            }
        }
    }
}

impl WayJson {
    fn of(way: &Way) -> Self {
        Self {
            what: way.what.clone(),
            costs: way.costs.0,
            files: way.files,
        }
    }

    fn row(&self) -> Vec<String> {
        vec![
            format!("{} more", Bytes(self.costs)),
            plural(self.files, "file", "files"),
            self.what.clone(),
        ]
    }
}

fn verdict(plan: &Plan, node: Node) -> &'static str {
    match node {
        Node::Package(id) => level_word(plan.packages[id.index()].level),
        Node::File(file) if plan.keeps_file(file) => "kept",
        Node::File(_) => "dropped",
    }
}

/// A path (as guestslim shows it), a package's name, or a module as a profile names it.
fn find(inventory: &Inventory, target: &str) -> anyhow::Result<Node> {
    if !target.starts_with('/') {
        return inventory
            .find_package(target)
            .map(Node::Package)
            .or_else(|| find_module(inventory, target))
            .ok_or_else(|| unknown_package(inventory, target));
    }
    let path = unescape(target);
    let tree = &inventory.tree;
    tree.lookup(&path)
        .or_else(|| tree.resolve_parent(&path).map(|found| found.file))
        .map(Node::File)
        .ok_or_else(|| unknown_path(inventory, &path))
}

/// The file that is opened for the first module of this name.
fn find_module(inventory: &Inventory, target: &str) -> Option<Node> {
    let (language, name) = target.split_once(':')?;
    let mut modules = inventory.components.modules_of(&inventory.tree, language);
    let module = modules.find(|module| module.name == name)?;
    module
        .files
        .last()
        .or(module.whole.first())
        .copied()
        .map(Node::File)
}

fn unknown_package(inventory: &Inventory, name: &str) -> anyhow::Error {
    let names = inventory
        .packages
        .iter()
        .map(|package| package.name.as_str());
    let hint = match nearest(name, names).as_slice() {
        [] => "`guestslim inspect --all` lists all packages; a path starts with /".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    };
    refuse(
        format!("no package {} in this guest", escape(name.as_bytes())),
        hint,
    )
}

fn unknown_path(inventory: &Inventory, path: &[u8]) -> anyhow::Error {
    let tree = &inventory.tree;
    let mut folder = FileId::ROOT;
    let mut missing = String::new();
    for part in path
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty())
    {
        let Some(next) = tree.child(folder, part) else {
            missing = escape(part).into_owned();
            break;
        };
        folder = next;
    }
    let names: Vec<String> = tree
        .children(folder)
        .iter()
        .map(|&child| escape(tree.name(child)).into_owned())
        .collect();
    let here = escape(&tree.path(folder)).into_owned();
    let hint = match nearest(&missing, names.iter().map(String::as_str)).as_slice() {
        [] => format!("{here} is there, and nothing called {missing} in it"),
        near => format!(
            "did you mean {}?",
            near.iter()
                .map(|name| join(&here, name))
                .collect::<Vec<_>>()
                .join(" or ")
        ),
    };
    refuse(format!("no file {} in this guest", escape(path)), hint)
}

fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}
