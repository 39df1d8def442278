//! A tiny guest as a folder: a real layout with a real package database, small enough to read, with odd names.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

const STATUS: &str = "\
Package: base-files
Essential: yes
Status: install ok installed
Priority: required
Section: admin
Installed-Size: 340
Architecture: amd64
Version: 12.4
Description: Debian base system miscellaneous files

Package: libblas3
Status: install ok installed
Priority: optional
Section: libs
Installed-Size: 2000
Architecture: amd64
Version: 3.11.0-2
Provides: libblas.so.3
Description: Basic Linear Algebra Reference implementations, shared library

Package: python3-numpy
Status: install ok installed
Priority: optional
Section: python
Installed-Size: 9000
Architecture: amd64
Version: 1:1.24.2-1
Depends: libblas3 | libblas.so.3
Description: Fast array facility to the Python 3 language

Package: vim
Status: install ok installed
Priority: optional
Section: editors
Installed-Size: 3700
Architecture: amd64
Version: 2:9.0.1378-2
Description: Vi IMproved - enhanced vi editor
";

/// Each package's paths; a path that ends in a slash is a folder.
const LISTS: &[(&str, &[&str])] = &[
    (
        "base-files",
        &[
            "/usr/",
            "/usr/bin/",
            "/usr/lib/",
            "/usr/share/",
            "/usr/share/doc/",
            "/etc/",
            "/usr/lib/os-release",
        ],
    ),
    (
        "libblas3",
        &[
            "/usr/lib/libblas.so.3",
            "/usr/share/doc/libblas3/",
            "/usr/share/doc/libblas3/copyright",
        ],
    ),
    (
        "python3-numpy",
        &[
            "/usr/lib/numpy/",
            "/usr/lib/numpy/core.py",
            "/usr/share/doc/numpy/",
            "/usr/share/doc/numpy/guide.txt",
        ],
    ),
    (
        "vim",
        &[
            "/usr/bin/vim.basic",
            "/usr/share/vim/",
            "/usr/share/vim/defaults.vim",
        ],
    ),
];

const OS_RELEASE: &str =
    "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n";

/// Makes the guest; it goes when the value is dropped.
pub fn guest() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder for the guest");
    let root = folder.path();
    for (package, paths) in LISTS {
        let mut list = String::from("/.\n");
        for path in *paths {
            match path.strip_suffix('/') {
                Some(path) => make_folder(root, path),
                None => write(root, path, &"x".repeat(5000)),
            }
            list += path.trim_end_matches('/');
            list.push('\n');
        }
        write(root, &format!("/var/lib/dpkg/info/{package}.list"), &list);
    }
    write(root, "/var/lib/dpkg/status", STATUS);
    write(root, "/usr/lib/os-release", OS_RELEASE);
    symlink("../usr/lib/os-release", root.join("etc/os-release")).expect("a symlink");
    for name in ["bin", "lib"] {
        symlink(format!("usr/{name}"), root.join(name)).expect("a symlink");
    }
    write(root, "/etc/hostname", "tiny\n");
    write(root, "/opt/old/solver", "binary");
    write(root, "/home/sci/two\nlines.txt", "a");
    write(root, "/home/sci/red-\u{1b}[31m.txt", "b");
    let latin1 = root
        .join("home/sci")
        .join(OsStr::from_bytes(b"latin1-\xe9.txt"));
    fs::write(latin1, "c").expect("a file");
    folder
}

fn make_folder(root: &Path, path: &str) {
    fs::create_dir_all(root.join(path.trim_start_matches('/'))).expect("a folder");
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(path.parent().expect("no root")).expect("a folder");
    fs::write(path, text).expect("a file");
}
