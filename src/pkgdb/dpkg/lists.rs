//! `/var/lib/dpkg/info`: whose record a file is, and which paths a package lists.

use super::records::Diversion;
use super::stanza::lines;
use crate::job::Cancelled;
use crate::model::{FileId, FileTree, Warning, Warnings};
use std::collections::HashMap;

/// The package's name, its architecture where the file's name has one, and the file's kind (`list`, `postinst`).
pub fn record_name(file: &[u8]) -> Option<(&str, Option<&str>, &str)> {
    let (stem, kind) = std::str::from_utf8(file).ok()?.rsplit_once('.')?;
    let (name, arch) = stem
        .split_once(':')
        .map_or((stem, None), |(name, arch)| (name, Some(arch)));
    (!name.is_empty()).then_some((name, arch, kind))
}

/// Hands over the paths of a `.list` file. What is not absolute, goes up or is too long is a warning and left out.
pub fn paths<'a>(
    path: &[u8],
    bytes: &'a [u8],
    warnings: &mut Warnings,
    mut take: impl FnMut(&'a [u8]) -> Result<(), Cancelled>,
) -> Result<(), Cancelled> {
    for (number, range) in lines(bytes) {
        let listed = &bytes[range];
        match listed {
            b"" | b"/." | b"/" => {}
            _ if is_proper(listed) => take(listed)?,
            _ => {
                let message = "a listed path that no package can own";
                warnings.push(Warning::at(path, number, message));
            }
        }
    }
    Ok(())
}

fn is_proper(path: &[u8]) -> bool {
    path.first() == Some(&b'/')
        && path.len() <= 4096
        && !path.contains(&0)
        && path.split(|&byte| byte == b'/').all(|part| part != b"..")
}

/// Where listed paths really lie: diversions applied, symlinks on the way (a merged `/usr` above all) followed on both
/// sides.
pub struct Places<'a> {
    tree: &'a FileTree,
    diverted: HashMap<Vec<u8>, &'a Diversion>,
}

impl<'a> Places<'a> {
    /// Prepares the diversions.
    pub fn new(tree: &'a FileTree, diversions: &'a [Diversion]) -> Self {
        let diverted = diversions
            .iter()
            .map(|diversion| (canonical(tree, &diversion.from), diversion))
            .collect();
        Self { tree, diverted }
    }

    /// The file of `package` that it lists as `path`; `None` when it is not there.
    pub fn find(&self, package: &str, path: &[u8]) -> Option<FileId> {
        let canonical = canonical(self.tree, path);
        let place = match self.diverted.get(&canonical) {
            Some(diversion) if diversion.package != package.as_bytes() => &diversion.to,
            _ => &canonical,
        };
        Some(self.tree.resolve_parent(place)?.file)
    }
}

/// The path with a symlink at its first part (`/bin`, `/lib`) replaced by what that leads to.
fn canonical(tree: &FileTree, path: &[u8]) -> Vec<u8> {
    let rest = path.strip_prefix(b"/").unwrap_or(path);
    let end = rest
        .iter()
        .position(|&byte| byte == b'/')
        .unwrap_or(rest.len());
    let merged = tree
        .child(FileId::ROOT, &rest[..end])
        .filter(|_| end < rest.len())
        .and_then(|link| tree.follow(link));
    match merged {
        Some(folder) => [&tree.path(folder.file), &rest[end..]].concat(),
        None => path.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, FileKind, TreeBuilder};

    #[test]
    fn record_names_are_split() {
        for (file, expected) in [
            ("bash.list", Some(("bash", None, "list"))),
            (
                "libc6:amd64.postinst",
                Some(("libc6", Some("amd64"), "postinst")),
            ),
            ("python3.11.md5sums", Some(("python3.11", None, "md5sums"))),
            ("format", None),
            (":x.list", None),
        ] {
            assert_eq!(record_name(file.as_bytes()), expected, "{file}");
        }
    }

    #[test]
    fn hostile_paths_are_left_out() {
        let text = b"/.\n/usr\n/usr/../../etc/shadow\nusr/bin/x\n/a\0b\n/usr/bin/x\r\n";
        let mut warnings = Warnings::default();
        let mut found = Vec::new();
        let take = |path| {
            found.push(path);
            Ok(())
        };
        paths(b"/l", text, &mut warnings, take).expect("nobody cancels");
        assert_eq!(found, [&b"/usr"[..], b"/usr/bin/x"]);
        assert_eq!(warnings.len(), 3);
    }

    #[test]
    fn merged_folders_and_diversions_are_followed_on_both_sides() {
        let mut builder = TreeBuilder::default();
        let mut add = |path: &str, target: Option<&str>| {
            let kind = target.map_or(FileKind::Regular, |_| FileKind::Symlink);
            let mut entry = Entry::new(kind);
            entry.target = target.unwrap_or_default().as_bytes().to_vec();
            builder.add_path(path.as_bytes(), entry);
        };
        add("/bin", Some("usr/bin"));
        add("/usr/bin/sh", None);
        add("/usr/bin/sh.distrib", None);
        let tree = builder.finish().0;
        let diversions = [Diversion {
            from: b"/bin/sh".to_vec(),
            to: b"/bin/sh.distrib".to_vec(),
            package: b"dash".to_vec(),
        }];
        let places = Places::new(&tree, &diversions);
        let path = |package, listed: &str| {
            let file = places.find(package, listed.as_bytes())?;
            Some(String::from_utf8(tree.path(file)).expect("ascii"))
        };
        assert_eq!(path("dash", "/bin/sh").as_deref(), Some("/usr/bin/sh"));
        assert_eq!(
            path("bash", "/usr/bin/sh").as_deref(),
            Some("/usr/bin/sh.distrib")
        );
        assert_eq!(path("base-files", "/bin").as_deref(), Some("/bin"));
        assert_eq!(path("x", "/usr/bin/none"), None);
    }
}
