//! The direct reader on damaged file systems: it may refuse or warn, and it ends.

use super::tests::{open, sized_image};
use super::*;
use crate::model::FileKind;
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::{FileExt, symlink};
use std::sync::LazyLock;

/// A file system of 2 MiB, of which the first holds nearly all that counts.
static SMALL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let root = tempfile::tempdir().expect("a temporary folder");
    for folder in ["etc", "a/b/c"] {
        fs::create_dir_all(root.path().join(folder)).expect("a folder");
    }
    fs::write(root.path().join("etc/os-release"), "ID=x").expect("it writes");
    for at in 0..40 {
        fs::write(root.path().join(format!("a/file {at}")), vec![at; 4000]).expect("it writes");
    }
    symlink("y".repeat(100), root.path().join("a/link")).expect("a link");
    let holes = fs::File::create(root.path().join("holes")).expect("a file");
    for at in 0..40 {
        holes.write_all_at(b"data", at * 8192).expect("it writes");
    }
    sized_image(
        root.path(),
        &["-t", "ext4", "-b", "1024", "-N", "64", "-O", "^has_journal"],
        "2M",
    )
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_damage_makes_it_panic_or_hang(
        changes in proptest::collection::vec(
            (prop_oneof![1024usize..2048, 2048usize..4096, 0usize..(1 << 20)], any::<u8>()),
            1..200,
        ),
    ) {
        let mut disk = SMALL.clone();
        for (at, byte) in changes {
            disk[at] = byte;
        }
        if let Ok(Opened::Guest(mut guest) | Opened::Partly(Some(mut guest), _)) = open(disk)
            && let Ok((tree, _)) = guest.walk(&Job::quiet())
        {
            prop_assert!(tree.len() < 100_000);
            for file in tree.ids().filter(|&file| tree.kind(file) == FileKind::Regular) {
                for offset in [0, tree.size(file).saturating_sub(10)] {
                    let _ = guest.read(&tree, file, offset, 1 << 16);
                }
            }
        }
    }
}
