//! A small guest, made by hand: a base system, a numeric program with its library, a compiler, somebody's own files.

use crate::job::Job;
use crate::load::Loaded;
use crate::model::inventory::{NO_OWNER, Origin};
use crate::model::{
    BootChain, BootRoot, Bytes, Components, Entry, Evidence, FileKind, FileTree, FinderId,
    Inventory, Module, Need, Node, Os, Package, PackageId, TreeBuilder,
};
use std::collections::BTreeMap;

/// Owner (or nobody), path, size in kB.
const FILES: &[(&str, &str, u64)] = &[
    ("base", "/bin/sh", 1_000),
    ("base", "/etc/passwd", 2),
    ("base", "/usr/share/doc/base/README", 300),
    ("gcc", "/usr/bin/gcc", 60_000),
    ("gcc", "/usr/share/man/man1/gcc.1", 200),
    ("libblas3", "/usr/lib/libblas.so.3", 5_000),
    ("libblas3", "/usr/share/doc/libblas3/README", 100),
    ("numpy", "/usr/lib/python3/numpy/core.so", 25_000),
    ("vim", "/usr/bin/vim", 4_000),
    ("", "/home/ada/data.csv", 9_000),
    ("", "/home/ada/\u{1b}]0;owned\u{7}evil\n", 7),
];

/// Who depends on whom.
const NEEDS: &[(&str, &str)] = &[("numpy", "libblas3"), ("libblas3", "base")];

/// The guest, ready for planning.
pub fn loaded() -> Loaded {
    let names = ["base", "gcc", "libblas3", "numpy", "vim"];
    let tree = tree();
    let mut packages: Vec<Package> = names.iter().map(|name| package(name)).collect();
    let mut owners = vec![NO_OWNER; tree.len()];
    for &(owner, path, _) in FILES {
        let file = tree.lookup(path.as_bytes()).expect("it was just added");
        if let Some(at) = names.iter().position(|&name| name == owner) {
            owners[file.index()] = at as u32;
            packages[at].files.push(file);
        }
    }
    for package in &mut packages {
        package.files.sort_unstable();
    }
    let id = |name: &str| {
        let at = names.iter().position(|&other| other == name);
        Node::Package(PackageId(at.expect("a package of this guest") as u32))
    };
    let needs = NEEDS.iter().map(|&(from, to)| Need {
        from: id(from),
        to: id(to),
        finder: FinderId(0),
        evidence: Evidence::Declared,
        what: to.as_bytes().into(),
    });
    let needs: Vec<Need> = needs.collect();
    Loaded::new(
        inventory(tree, packages, owners, id("base")),
        needs,
        Vec::new(),
        &Job::quiet(),
    )
    .expect("nobody cancels")
}

fn inventory(tree: FileTree, packages: Vec<Package>, owners: Vec<u32>, root: Node) -> Inventory {
    let files = tree.len();
    let at = |path: &str| tree.lookup(path.as_bytes()).expect("a file of this guest");
    let module = |name: &str, path| Module {
        language: "python",
        name: name.to_owned(),
        place: at("/usr"),
        files: vec![at(path)],
        whole: vec![at(path)],
        component: None,
    };
    let components = Components {
        all: Vec::new(),
        modules: vec![
            module("numpy.core", "/usr/lib/python3/numpy/core.so"),
            module("numpy.linalg", "/usr/lib/libblas.so.3"),
        ],
    };
    Inventory {
        origin: Origin {
            image: "images/demo.qcow2".into(),
            format: "qcow2".into(),
            virtual_size: 2_000_000_000,
            file_size: 60_000_000,
            backend: "directory".into(),
            ..Origin::default()
        },
        os: Os {
            id: "debian".into(),
            version: "12".into(),
            name: "Debian GNU/Linux 12 (bookworm)".into(),
            arch: "amd64".into(),
            hostname: "demo".into(),
        },
        mounts: Vec::new(),
        package_format: "dpkg",
        tree,
        packages,
        owners,
        components,
        texts: BTreeMap::new(),
        follows: vec![None; files],
        boot: BootChain {
            kernel_version: "6.1.0".into(),
            roots: vec![BootRoot {
                node: root,
                why: "the shell that init starts".into(),
            }],
            ..BootChain::default()
        },
        warnings: Vec::new(),
    }
}

fn tree() -> FileTree {
    let mut builder = TreeBuilder::default();
    for &(_, path, kilobytes) in FILES {
        let mut entry = Entry::new(FileKind::Regular);
        entry.size = kilobytes * 1000;
        entry.allocated = entry.size;
        builder
            .add_path(path.as_bytes(), entry)
            .expect("a plain path");
    }
    builder.finish().0
}

fn package(name: &str) -> Package {
    let kilobytes: u64 = FILES
        .iter()
        .filter(|file| file.0 == name)
        .map(|file| file.2)
        .sum();
    Package {
        name: name.into(),
        arch: "amd64".into(),
        version: "1.0-1".into(),
        section: "science".into(),
        summary: format!("The {name} package \u{1b}[31m"),
        installed_size: Bytes(kilobytes * 1000),
        ..Package::default()
    }
}
