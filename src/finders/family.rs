//! Plug-in families: what no ELF header names because it is opened by the name of a folder or of a file.
//!
//! A family is a row of data: the files whose presence means that the family is in use, and what they then open. What
//! fails not with an error but with another number or another text (character sets, time zones, numeric libraries'
//! variants, message-passing components) is needed whole.

use super::{Because, Facts, Found, Scan, pattern};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId, FileTree, Resolved};
use std::collections::HashMap;

mod gpu;
mod rows;

/// All families.
fn families() -> impl Iterator<Item = &'static Family> {
    rows::FAMILIES.iter().chain(gpu::GPU)
}

/// One family.
pub struct Family {
    /// The finder's row that it belongs to.
    pub finder: &'static str,
    /// Names of regular files, with stars, that open what follows.
    pub when: &'static [&'static str],
    /// Paths with stars; those that are not absolute start at the folder of the file that opens them. A folder is needed
    /// with all that is in it.
    pub needs: &'static [&'static str],
    /// Why, and what goes wrong otherwise.
    pub note: &'static str,
}

/// The finders' function of all families: that of its own row.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let families: Vec<&Family> = families()
        .filter(|family| family.finder == scan.id())
        .collect();
    let mut known: HashMap<(FileId, &str), Vec<Resolved>> = HashMap::new();
    for file in scan.regular(|_, _| true) {
        let name = tree.name(file);
        let because = scan.because(file, Evidence::Convention);
        for family in &families {
            let is_opener = |pattern: &&str| pattern::matches(pattern.as_bytes(), name);
            if !family.when.iter().any(is_opener) || is_data(scan.facts, file) {
                continue;
            }
            scan.check()?;
            for &need in family.needs {
                let folder = tree.parent(file);
                let budget = &mut scan.found.patterns;
                let ends = known
                    .entry((folder, need))
                    .or_insert_with(|| pattern::expand_from(tree, folder, need.as_bytes(), budget));
                for end in ends.iter().filter(|end| !is_top(tree, end.file)) {
                    scan.found.chain(because, end, need.as_bytes());
                    add_targets(tree, because, end.file, need, scan.found);
                }
            }
        }
    }
    Ok(())
}

/// A relative pattern must not make the whole guest needed.
fn is_top(tree: &FileTree, folder: FileId) -> bool {
    tree.is_directory(folder) && tree.parent(folder) == FileId::ROOT
}

/// Links in a folder that is needed whole need their targets.
fn add_targets(tree: &FileTree, because: Because, folder: FileId, what: &str, found: &mut Found) {
    for link in tree.subtree(folder).map(FileId) {
        if let Some(end) = tree.follow(link)
            && !tree.is_directory(end.file)
        {
            found.chain(because, &end, what.as_bytes());
        }
    }
}

/// Whether a file only has the name of a program: documentation, completions, a package manager's record.
fn is_data(facts: &Facts<'_>, file: FileId) -> bool {
    let tree = &facts.inventory.tree;
    let has_mode = tree.mode(file) & 0o111 != 0;
    let is_library = tree.name(file).windows(3).any(|window| window == b".so");
    !has_mode && !is_library
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finders::FINDERS;
    use crate::finders::fixture::Fixture;

    #[test]
    fn every_family_belongs_to_a_row() {
        for family in families() {
            let is_row = FINDERS.iter().any(|finder| finder.id == family.finder);
            assert!(is_row, "{}", family.finder);
        }
    }

    #[test]
    fn each_family_is_needed_by_what_opens_it() {
        for (finder, files, expected) in [
            (
                "gconv",
                &["/usr/lib/x/libc.so.6", "/usr/lib/x/gconv/UTF-16.so"][..],
                "/usr/lib/x/libc.so.6 -> /usr/lib/x/gconv",
            ),
            (
                "timezone",
                &[
                    "/lib/libc.so.6",
                    "/usr/share/zoneinfo/Europe/Berlin",
                    "/etc/localtime -> /usr/share/zoneinfo/Europe/Berlin",
                ],
                "/lib/libc.so.6 -> /usr/share/zoneinfo/Europe/Berlin",
            ),
            (
                "locale",
                &["/lib/libc.so.6", "/usr/lib/locale/C.utf8/LC_CTYPE"],
                "/lib/libc.so.6 -> /usr/lib/locale/C.utf8",
            ),
            (
                "thread-exit",
                &["/lib/libc.so.6", "/lib/libgcc_s.so.1"],
                "/lib/libc.so.6 -> /lib/libgcc_s.so.1",
            ),
            (
                "openssl",
                &[
                    "/usr/lib/a/libcrypto.so.3",
                    "/usr/lib/a/ossl-modules/legacy.so",
                    "/etc/ssl/certs/x.0 -> /usr/share/ca.crt",
                    "/usr/share/ca.crt",
                ],
                "/usr/lib/a/libcrypto.so.3 -> /usr/share/ca.crt",
            ),
            (
                "mpi",
                &[
                    "/usr/lib/x/libopen-pal.so.40.30.3",
                    "/usr/lib/x/openmpi/lib/openmpi3/mca_btl_tcp.so",
                ],
                "/usr/lib/x/libopen-pal.so.40.30.3 -> /usr/lib/x/openmpi",
            ),
            (
                "perl",
                &["/usr/bin/perl", "/usr/lib/x/perl-base/strict.pm"],
                "/usr/bin/perl -> /usr/lib/x/perl-base",
            ),
            (
                "java",
                &[
                    "/usr/lib/jvm/j17/lib/server/libjvm.so",
                    "/usr/lib/jvm/j17/lib/modules",
                ],
                "/usr/lib/jvm/j17/lib/server/libjvm.so -> /usr/lib/jvm/j17",
            ),
            (
                "sudo",
                &["/usr/bin/sudo", "/usr/libexec/sudo/sudoers.so"],
                "/usr/bin/sudo -> /usr/libexec/sudo",
            ),
            (
                "ssh",
                &["/usr/sbin/sshd", "/usr/lib/openssh/sftp-server"],
                "/usr/sbin/sshd -> /usr/lib/openssh/sftp-server",
            ),
        ] {
            assert_needed(finder, files, expected);
        }
    }

    #[test]
    fn what_computes_on_gpus_needs_what_it_opens() {
        for (finder, files, expected) in [
            (
                "cuda",
                &[
                    "/usr/local/cuda/lib64/libnvrtc.so.12",
                    "/usr/local/cuda/lib64/libnvrtc-builtins.so.12.1",
                ][..],
                "/usr/local/cuda/lib64/libnvrtc.so.12 -> /usr/local/cuda/lib64/libnvrtc-builtins.so.12.1",
            ),
            (
                "cuda",
                &[
                    "/opt/e/nvidia/cudnn/lib/libcudnn.so.9",
                    "/opt/e/nvidia/cudnn/lib/libcudnn_graph.so.9",
                ],
                "/opt/e/nvidia/cudnn/lib/libcudnn.so.9 -> /opt/e/nvidia/cudnn/lib/libcudnn_graph.so.9",
            ),
            (
                "cuda",
                &[
                    "/opt/e/nvidia/cuda_runtime/lib/libcudart.so.12",
                    "/opt/e/nvidia/cublas/lib/libcublas.so.12",
                ],
                "/opt/e/nvidia/cuda_runtime/lib/libcudart.so.12 -> /opt/e/nvidia/cublas/lib",
            ),
            (
                "rocm",
                &[
                    "/opt/rocm/lib/librocblas.so.4",
                    "/opt/rocm/lib/rocblas/library/Kernels.so-000-gfx90a.hsaco",
                ],
                "/opt/rocm/lib/librocblas.so.4 -> /opt/rocm/lib/rocblas",
            ),
        ] {
            assert_needed(finder, files, expected);
        }
    }

    fn assert_needed(finder: &str, files: &[&str], expected: &str) {
        let files: Vec<(&str, &str)> = files.iter().map(|path| (*path, "")).collect();
        let needs = Fixture::new(&files).run(finder);
        assert!(
            needs.iter().any(|need| need == expected),
            "{finder}: {needs:?}"
        );
    }

    #[test]
    fn a_relative_need_never_means_the_whole_guest() {
        let needs = Fixture::new(&[("/x/libjvm.so", ""), ("/etc/passwd", "")]).run("java");
        assert_eq!(needs, Vec::<String>::new());
    }
}
