//! The direct reader on damaged file systems: it may refuse or warn, and it ends.

use super::tests::{open, sized_image};
use super::*;
use crate::guest::tools;
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

/// How many mutations a test makes; `GUESTSLIM_FUZZ` sets it for a long run.
fn cases() -> ProptestConfig {
    let wanted = std::env::var("GUESTSLIM_FUZZ").ok();
    let wanted = wanted.and_then(|wanted| wanted.parse().ok());
    ProptestConfig::with_cases(wanted.unwrap_or(300))
}

/// Where mutations go: superblock, descriptors, all that the first megabyte holds.
fn place() -> impl Strategy<Value = usize> {
    prop_oneof![1024usize..2048, 2048usize..4096, 0usize..(1 << 20)]
}

/// All facts of a guest but targets, which have no checksum; its warnings; what its files hold of attributes.
type Facts = (Vec<String>, Vec<Warning>, Vec<Option<Attributes>>);

/// `None` where it is refused.
fn facts(disk: Vec<u8>) -> Option<Facts> {
    let Ok(Opened::Guest(mut guest)) = open(disk) else {
        return None;
    };
    let (tree, warnings) = guest.walk(&Job::quiet()).ok()?;
    let fact = |file: FileId| {
        let (owner, mode) = (tree.owner(file), tree.mode(file));
        let (size, modified) = (tree.size(file), tree.modified(file));
        let path = escape(&tree.path(file)).into_owned();
        format!(
            "{path} {:?} {mode:o} {owner:?} {size} {modified}",
            tree.kind(file)
        )
    };
    let facts = tree.ids().map(fact).collect();
    let attributes = tree
        .ids()
        .map(|file| guest.attributes(&tree, file).ok().flatten());
    let attributes = attributes.collect();
    Some((facts, warnings, attributes))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_damage_to_records_with_checksums_is_silent(
        changes in proptest::collection::vec((place(), any::<u8>()), 1..4),
    ) {
        let mut disk = SMALL.clone();
        for (at, byte) in changes {
            disk[at] = byte;
        }
        let (sound, warnings, attributes) = facts(SMALL.clone()).expect("it is sound");
        prop_assert!(warnings.is_empty());
        if let Some((facts, warnings, found)) = facts(disk)
            && warnings.is_empty()
        {
            prop_assert_eq!(facts, sound);
            for (found, attributes) in found.into_iter().zip(attributes) {
                prop_assert!(found.is_none() || found == attributes);
            }
        }
    }

    #[test]
    fn what_e2fsck_calls_clean_has_no_warning(
        changes in proptest::collection::vec((place(), any::<u8>()), 1..3),
    ) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("disk");
        let mut disk = SMALL.clone();
        for (at, byte) in changes {
            disk[at] = byte;
        }
        fs::write(&path, &disk).expect("it writes");
        let said = tools::program("e2fsck").arg("-fn").arg(&path).output();
        let said = said.expect("e2fsck is installed");
        // It ends well although it ignores wrong checksums of descriptors.
        let is_ignored = String::from_utf8_lossy(&said.stdout).contains("IGNORED");
        if said.status.success() && !is_ignored {
            let (_, warnings, _) = facts(disk).expect("it is sound");
            prop_assert_eq!(warnings, []);
        }
    }

    #[test]
    fn no_damage_makes_it_panic_or_hang(
        changes in proptest::collection::vec(
            (place(), any::<u8>()),
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
