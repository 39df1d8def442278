//! A picture language for guests: small enough to read in a test, turned into a real inventory with needs.
//!
//! ```text
//! curl: ssl libc                    a package and what it depends on
//! libc!                             an essential package
//! /usr/bin/curl 120 @curl > /usr/lib/libssl.so.3
//!                                   a file of 120 KiB, its owner, what it needs
//! /opt/tool 5                       a file that no package owns
//! /usr/bin/start 1 @start ? /usr/bin/curl
//!                                   what a file of it names as a string
//! /etc/alternatives/ed ~ /bin/vi    a file that stays exactly when another one stays
//! /srv/empty/                       an empty folder
//! boot: kernel                      the boot set
//! ```

use guestslim::job::Job;
use guestslim::load::Loaded;
use guestslim::model::inventory::{NO_OWNER, Origin};
use guestslim::model::{
    BootChain, BootRoot, Bytes, Components, Entry, Evidence, FileId, FileKind, FileTree, FinderId,
    Inventory, Need, Node, Os, Package, PackageId, TreeBuilder,
};
use std::collections::BTreeMap;

struct File<'a> {
    path: &'a str,
    size: u64,
    owner: Option<&'a str>,
    needs: Vec<&'a str>,
    guesses: Vec<&'a str>,
    follows: Option<&'a str>,
}

/// Reads a picture.
pub fn draw(picture: &str) -> Loaded {
    let mut packages: BTreeMap<&str, (bool, Vec<&str>)> = BTreeMap::new();
    let mut files = Vec::new();
    let mut boot = Vec::new();
    for line in picture
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        if line.starts_with('/') {
            files.push(file(line));
        } else if let Some(rest) = line.strip_prefix("boot:") {
            boot = rest.split_whitespace().collect();
        } else {
            let (name, depends) = line.split_once(':').unwrap_or((line, ""));
            let (name, essential) = name
                .strip_suffix('!')
                .map_or((name, false), |name| (name, true));
            packages.insert(name, (essential, depends.split_whitespace().collect()));
        }
    }
    assemble(&packages, &files, &boot)
}

fn file(line: &str) -> File<'_> {
    let mut words = line.split_whitespace();
    let mut file = File {
        path: words.next().expect("a path"),
        size: 1,
        owner: None,
        needs: Vec::new(),
        guesses: Vec::new(),
        follows: None,
    };
    let mut arrow = "";
    while let Some(word) = words.next() {
        match word {
            ">" | "?" => arrow = word,
            _ if arrow == ">" => file.needs.push(word),
            _ if arrow == "?" => file.guesses.push(word),
            "~" => file.follows = words.next(),
            _ => match word.strip_prefix('@') {
                Some(owner) => file.owner = Some(owner),
                None => file.size = word.parse().expect("a size in KiB"),
            },
        }
    }
    file
}

fn tree(files: &[File<'_>]) -> FileTree {
    let mut builder = TreeBuilder::default();
    for file in files {
        if let Some(folder) = file.path.strip_suffix('/') {
            builder.add_path(folder.as_bytes(), Entry::new(FileKind::Directory));
            continue;
        }
        let mut entry = Entry::new(FileKind::Regular);
        entry.size = file.size * 1024;
        entry.allocated = file.size * 1024;
        builder.add_path(file.path.as_bytes(), entry);
    }
    builder.finish().0
}

fn assemble(
    packages: &BTreeMap<&str, (bool, Vec<&str>)>,
    files: &[File<'_>],
    boot: &[&str],
) -> Loaded {
    let tree = tree(files);
    let id = |name: &str| {
        let at = packages.keys().position(|&key| key == name);
        PackageId(at.unwrap_or_else(|| panic!("no package {name}")) as u32)
    };
    let at = |path: &str| {
        tree.lookup(path.as_bytes())
            .unwrap_or_else(|| panic!("no file {path}"))
    };
    let mut owners = vec![NO_OWNER; tree.len()];
    let mut follows = vec![None; tree.len()];
    let mut needs = Vec::new();
    let mut need = |from, to, what: &str, evidence| {
        let what = what.as_bytes().into();
        needs.push(Need {
            from,
            to,
            finder: FinderId(0),
            evidence,
            what,
        });
    };
    for file in files {
        let place = at(file.path);
        owners[place.index()] = file.owner.map_or(NO_OWNER, |owner| id(owner).0);
        follows[place.index()] = file.follows.map(at);
        for path in &file.needs {
            need(
                Node::File(place),
                Node::File(at(path)),
                path,
                Evidence::Declared,
            );
        }
        for path in &file.guesses {
            need(
                Node::File(place),
                Node::File(at(path)),
                path,
                Evidence::Guessed,
            );
        }
    }
    for (name, (_, depends)) in packages {
        for other in depends {
            need(
                Node::Package(id(name)),
                Node::Package(id(other)),
                other,
                Evidence::Declared,
            );
        }
    }
    let files_of = owners.clone();
    let listed = packages.iter().map(|(name, (essential, _))| Package {
        name: (*name).to_owned(),
        arch: "amd64".to_owned(),
        version: "1".to_owned(),
        installed_size: Bytes::from_kib(1),
        essential: *essential,
        files: owned(&tree, &files_of, id(name)),
        ..Package::default()
    });
    let listed: Vec<Package> = listed.collect();
    for (at, package) in listed.iter().enumerate() {
        for folder in package
            .files
            .iter()
            .filter(|&&file| tree.is_directory(file))
        {
            let owner = &mut owners[folder.index()];
            *owner = (*owner).min(at as u32);
        }
    }
    let roots = boot.iter().map(|name| BootRoot {
        node: Node::Package(id(name)),
        why: "it boots".to_owned(),
    });
    let inventory = Inventory {
        origin: Origin::default(),
        os: Os::default(),
        mounts: Vec::new(),
        package_format: "dpkg",
        packages: listed,
        owners,
        follows,
        components: Components::default(),
        texts: BTreeMap::new(),
        boot: BootChain {
            roots: roots.collect(),
            loader: "grub".to_owned(),
            ..BootChain::default()
        },
        warnings: Vec::new(),
        tree: tree.clone(),
    };
    Loaded::new(inventory, needs, Vec::new(), &Job::quiet()).expect("nobody cancels")
}

/// A package's files and the folders that they lie in, but for the root.
fn owned(tree: &FileTree, owners: &[u32], package: PackageId) -> Vec<FileId> {
    let mut files: Vec<FileId> = tree
        .ids()
        .filter(|file| owners[file.index()] == package.0)
        .collect();
    for mut folder in files.clone() {
        while folder != FileId::ROOT {
            folder = tree.parent(folder);
            files.push(folder);
        }
    }
    files.retain(|&file| file != FileId::ROOT);
    files.sort_unstable();
    files.dedup();
    files
}
