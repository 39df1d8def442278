//! The guests that `assets/guest.sh` builds, and what is known of them, read directly.

use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::{Loaded, load};
use guestslim::model::{FileId, FileTree};
use std::path::{Path, PathBuf};

/// A guest's image: an absolute path.
pub fn path(name: &str) -> PathBuf {
    place(name).with_extension("qcow2")
}

fn place(name: &str) -> PathBuf {
    let folder = std::env::var_os("GUESTSLIM_GUESTS").unwrap_or_else(|| "target/guests".into());
    std::path::absolute(PathBuf::from(folder).join(name)).expect("a path")
}

/// The small Debian guest.
pub fn small() -> PathBuf {
    path("small")
}

/// All that is known of a guest that is an image.
pub fn guest(name: &str) -> Loaded {
    loaded(&path(name))
}

/// All that is known of a guest that is a folder.
pub fn folder(name: &str) -> Loaded {
    loaded(&place(name))
}

fn loaded(path: &Path) -> Loaded {
    let job = Job::quiet();
    let mut guest = open(path, &OpenOptions::default(), &job).expect("the guest is built");
    load(guest.as_mut(), &job).expect("it loads")
}

/// A file that must be there.
#[track_caller]
pub fn file(tree: &FileTree, path: &str) -> FileId {
    let found = tree.lookup(path.as_bytes());
    found.unwrap_or_else(|| panic!("{path} is in the guest"))
}
