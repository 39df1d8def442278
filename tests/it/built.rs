//! The guests that `assets/guest.sh` builds, and what is known of them, read directly.

use guestslim::guest::image::Graph;
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

/// Options for images that build on the guests, wherever they lie.
pub fn over_guests() -> OpenOptions {
    let guests = std::fs::canonicalize(path("small")).expect("the guests are built");
    OpenOptions {
        allow_backing: guests.parent().map(Path::to_owned).into_iter().collect(),
        ..OpenOptions::default()
    }
}

/// The disk of a qcow2 image that a test made, for writing.
pub fn writable(path: &Path) -> Graph {
    let image = over_guests().image(path).expect("an image of a test's own");
    Graph::writable(&image).expect("it may be written")
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
