//! A guest of the size that the screen must bear: 100,000 files in 3,000 packages, the same at every run.

use guestslim::job::Job;
use guestslim::load::Loaded;
use guestslim::model::inventory::{NO_OWNER, Origin};
use guestslim::model::{
    BootChain, BootRoot, Components, Entry, Evidence, FileKind, FileTree, Inventory, Need, Node,
    Os, Package, PackageId, TreeBuilder,
};
use std::collections::BTreeMap;

/// How many packages there are.
pub const PACKAGES: u32 = 3_000;
const FILES: u32 = 100_000;

/// A fixed sequence that looks random enough: the same guest at every run.
pub fn scatter(seed: u32) -> u32 {
    let mixed = seed.wrapping_mul(0x9e37_79b9) ^ (seed >> 3);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b) >> 8
}

fn tree() -> FileTree {
    let mut builder = TreeBuilder::default();
    for at in 0..FILES {
        let mut entry = Entry::new(FileKind::Regular);
        entry.size = u64::from(scatter(at) % 40_000);
        entry.allocated = entry.size.next_multiple_of(4096);
        let folder = if at % 4 == 0 { "opt/own" } else { "usr/lib" };
        let path = format!("/{folder}/d{}/d{}/file-{at}", scatter(at) % 50, at % 97);
        builder.add_path(path.as_bytes(), entry);
    }
    builder.finish().0
}

fn edge(from: Node, to: Node) -> Need {
    Need {
        from,
        to,
        finder: guestslim::model::FinderId(0),
        evidence: Evidence::Read,
        what: Box::default(),
    }
}

/// Every fourth file belongs to no package, every third one needs two others; every package needs up to five others.
pub fn guest() -> Loaded {
    let tree = tree();
    let number = |file| {
        std::str::from_utf8(tree.name(file))
            .ok()?
            .strip_prefix("file-")?
            .parse::<u32>()
            .ok()
    };
    let mut owners = vec![NO_OWNER; tree.len()];
    let mut packages: Vec<Package> = (0..PACKAGES)
        .map(|at| Package {
            name: format!("package-{at:04}"),
            arch: "amd64".to_owned(),
            ..Package::default()
        })
        .collect();
    let mut needs = Vec::new();
    let files: Vec<_> = tree.ids().collect();
    for &file in &files {
        let Some(number) = number(file) else { continue };
        if number % 4 != 0 {
            let owner = scatter(number) % PACKAGES;
            owners[file.index()] = owner;
            packages[owner as usize].files.push(file);
        }
        for step in (1..3).filter(|_| number % 3 == 0) {
            let to = files[(scatter(number + step * 7) as usize) % files.len()];
            if !tree.is_directory(to) {
                needs.push(edge(Node::File(file), Node::File(to)));
            }
        }
    }
    for at in 1..PACKAGES {
        let others = (0..5).map(|step| PackageId(scatter(at * 5 + step) % at));
        needs.extend(others.map(|other| edge(Node::Package(PackageId(at)), Node::Package(other))));
    }
    let roots = (0..60)
        .map(|at| BootRoot {
            node: Node::Package(PackageId(at * 3)),
            why: String::new(),
        })
        .collect();
    let inventory = Inventory {
        package_format: "dpkg",
        origin: Origin::default(),
        os: Os::default(),
        mounts: Vec::new(),
        follows: vec![None; tree.len()],
        owners,
        packages,
        components: Components::default(),
        texts: BTreeMap::new(),
        boot: BootChain {
            roots,
            ..BootChain::default()
        },
        warnings: Vec::new(),
        tree,
    };
    Loaded::new(inventory, needs, Vec::new(), &Job::quiet()).expect("nobody cancels")
}
