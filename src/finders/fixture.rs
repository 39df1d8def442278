//! Small guests for the finders' tests: files with contents, links, packages.

use super::{Facts, Find, Found, Head, Run, Scan, Source, elf};
use crate::job::Job;
use crate::model::inventory::{NO_OWNER, Origin};
use crate::model::text::escape;
use crate::model::{
    BootChain, Components, Entry, FileId, FileKind, FileTree, FinderId, Inventory, Node, Os,
    Package, PackageId, Relation, TreeBuilder,
};
use std::collections::{BTreeMap, HashMap};

/// A guest made in a test.
pub struct Fixture {
    pub inventory: Inventory,
    heads: Vec<Head>,
    contents: Contents,
}

/// The files' bytes.
struct Contents(HashMap<FileId, Vec<u8>>);

impl Source for Contents {
    fn read(&mut self, _tree: &FileTree, file: FileId, offset: u64, len: usize) -> Vec<u8> {
        let bytes = self.0.get(&file).map_or(&[][..], Vec::as_slice);
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        // As the real reader: no more at once.
        let len = len.min(4 << 20);
        bytes[start..start.saturating_add(len).min(bytes.len())].to_vec()
    }
}

impl Fixture {
    /// Makes files with contents; `path -> target` is a link, `path/` a folder. All may be executed.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let mut builder = TreeBuilder::default();
        let mut texts: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        for (path, text) in files {
            let (path, mut entry) = if let Some((path, target)) = path.split_once(" -> ") {
                let mut entry = Entry::new(FileKind::Symlink);
                entry.target = target.as_bytes().to_vec();
                (path, entry)
            } else if let Some(folder) = path.strip_suffix('/') {
                (folder, Entry::new(FileKind::Directory))
            } else {
                (*path, Entry::new(FileKind::Regular))
            };
            if entry.kind == FileKind::Regular {
                entry.mode = 0o755;
                entry.size = text.len() as u64;
                texts.insert(path.as_bytes().to_vec(), text.as_bytes().to_vec());
            }
            builder.add_path(path.as_bytes(), entry);
        }
        let tree = builder.finish().0;
        let contents: HashMap<FileId, Vec<u8>> = tree
            .ids()
            .filter_map(|file| Some((file, texts.remove(&tree.path(file))?)))
            .collect();
        let heads = tree
            .ids()
            .map(|file| {
                contents
                    .get(&file)
                    .map_or(Head::Other, |text| Head::parse(text))
            })
            .collect();
        Self {
            inventory: Inventory {
                origin: Origin::default(),
                os: Os::default(),
                mounts: Vec::new(),
                package_format: "dpkg",
                packages: Vec::new(),
                owners: vec![NO_OWNER; tree.len()],
                follows: vec![None; tree.len()],
                texts: BTreeMap::default(),
                components: Components::default(),
                boot: BootChain::default(),
                warnings: Vec::new(),
                tree,
            },
            heads,
            contents: Contents(contents),
        }
    }

    /// Makes a package own files, and depend on others.
    pub fn own(&mut self, name: &str, depends: &[&str], files: &[&str]) {
        let id = self.inventory.packages.len() as u32;
        let clause = |name: &&str| {
            vec![Relation {
                name: (*name).to_owned(),
                arch: None,
                bound: None,
            }]
        };
        let files: Vec<FileId> = files
            .iter()
            .map(|path| self.inventory.tree.lookup(path.as_bytes()))
            .map(|file| file.expect("a file of the guest"))
            .collect();
        for file in &files {
            self.inventory.owners[file.index()] = id;
        }
        self.inventory.packages.push(Package {
            name: name.to_owned(),
            depends: depends.iter().map(clause).collect(),
            files,
            ..Package::default()
        });
    }

    /// Runs one finder.
    pub fn find(&mut self, id: &str) -> Found {
        let row = FinderId::find(id).unwrap_or_else(|| panic!("{id} is a row of the table"));
        let (by, find) = runner(row);
        let tree = &self.inventory.tree;
        let elves = elf::read_all(tree, &self.heads, &mut self.contents, &Job::quiet());
        let (elves, warnings) = elves.expect("nobody cancels");
        let facts = Facts {
            inventory: &self.inventory,
            heads: &self.heads,
            elves: &elves,
        };
        let mut found = Found {
            warnings,
            ..Found::default()
        };
        let job = Job::quiet();
        find(&mut Scan::new(
            by,
            &facts,
            &mut self.contents,
            &mut found,
            &job,
        ))
        .expect("nobody cancels");
        found.needs.retain(|need| need.finder == row);
        found.unmet.retain(|unmet| unmet.finder == row);
        found
    }

    /// Runs one finder; its needs as `from -> to`, those without an answer as `from -> ! what`.
    pub fn run(&mut self, id: &str) -> Vec<String> {
        let found = self.find(id);
        let show = |node: Node| self.name(node);
        let needs = found
            .needs
            .iter()
            .map(|need| format!("{} -> {}", show(need.from), show(need.to)));
        let unmet = found
            .unmet
            .iter()
            .map(|need| format!("{} -> ! {}", show(need.from), escape(&need.what)));
        let mut all: Vec<String> = needs.chain(unmet).collect();
        all.sort();
        all.dedup();
        all
    }

    fn name(&self, node: Node) -> String {
        match node {
            Node::Package(PackageId(id)) => self.inventory.packages[id as usize].name.clone(),
            Node::File(file) => escape(&self.inventory.tree.path(file)).into_owned(),
        }
    }
}

/// The finder that runs for a row, and its function.
fn runner(row: FinderId) -> (FinderId, Find) {
    match row.row().run {
        Run::Find(find) => (row, find),
        Run::With(other) => runner(FinderId::find(other).expect("a row of the table")),
    }
}
