//! Data files of Python packages: files that a package opens beside its code.
//!
//! They matter where a mark cuts a distribution to named modules; elsewhere the distribution stays whole. Test suites, and files
//! that only a compiler reads, do not count.

use super::modules::module_stem;
use crate::model::{FileId, FileTree};

/// Endings of what compilers and type checkers read.
const DEVELOPMENT: [&[u8]; 16] = [
    b".h", b".hpp", b".hxx", b".c", b".cc", b".cpp", b".f", b".f90", b".a", b".la", b".pyx",
    b".pxd", b".pxi", b".pyi", b".pyc", b".typed",
];

/// The data files of a site's packages, each with the file that loads its package.
pub fn files(tree: &FileTree, site: FileId) -> Vec<(FileId, FileId)> {
    let mut found = Vec::new();
    for &part in tree.children(site) {
        if let Some(first) = tree.child(part, b"__init__.py") {
            add(tree, part, first, &mut found);
        }
    }
    found
}

fn add(tree: &FileTree, part: FileId, first: FileId, found: &mut Vec<(FileId, FileId)>) {
    let mut todo = vec![(part, first)];
    while let Some((folder, first)) = todo.pop() {
        for &child in tree.children(folder) {
            let name = tree.name(child);
            if tree.is_directory(child) {
                if !matches!(name, b"tests" | b"test" | b"__pycache__") {
                    todo.push((child, tree.child(child, b"__init__.py").unwrap_or(first)));
                }
            } else if !is_code(name) {
                found.push((first, child));
            }
        }
    }
}

/// Whether a file is found by an import, by the loader, or by a compiler.
fn is_code(name: &[u8]) -> bool {
    let is_library = name.starts_with(b"lib");
    let is_module = module_stem(name).is_some() && !is_library;
    is_module || name.ends_with(b".py") || DEVELOPMENT.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;

    #[test]
    fn a_package_needs_the_data_in_its_folders_but_no_code_and_no_tests() {
        let site = "/usr/lib/python3/dist-packages";
        let files: Vec<(String, &str)> = [
            "a/__init__.py",
            "a/table.csv",
            "a/data/deep/x.bin",
            "a/m.py",
            "a/c.h",
            "a/_e.abi3.so",
            "a/libc.so",
            "a/tests/big.csv",
            "a/b/__init__.py",
            "a/b/y.json",
        ]
        .iter()
        .map(|name| (format!("{site}/{name}"), ""))
        .chain([
            ("/usr/lib/python3.11/os.py".to_owned(), ""),
            ("/usr/bin/python3.11".to_owned(), ""),
        ])
        .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        let needs = Fixture::new(&files).run("python-data");
        assert_eq!(
            needs,
            [
                format!("{site}/a/__init__.py -> {site}/a/data/deep/x.bin"),
                format!("{site}/a/__init__.py -> {site}/a/libc.so"),
                format!("{site}/a/__init__.py -> {site}/a/table.csv"),
                format!("{site}/a/b/__init__.py -> {site}/a/b/y.json"),
            ]
        );
    }
}
