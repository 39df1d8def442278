//! What planning wants to know of every file, worked out once when a guest is loaded.

use super::Sizes;
use super::rules::{self, RULES};
use crate::job::{Cancelled, Job};
use crate::model::{Bytes, FileId, FileKind, FileTree, Inventory, PackageId};
use fixedbitset::FixedBitSet;

/// Where programs are found by their names; the older names of some are links to these.
const PROGRAM_FOLDERS: [&[u8]; 5] = [b"/usr/bin", b"/usr/sbin", b"/bin", b"/sbin", b"/usr/games"];

/// Files between two looks at the cancel flag.
const CHECK_EVERY: u32 = 4096;

/// One element a file, in arrays; see the fields.
#[derive(Debug, Clone, Default)]
pub struct Facets {
    /// The rules that the file belongs to, one bit a row of [`RULES`].
    pub classes: Vec<u32>,
    /// Estimated bytes of the file in a compressed image.
    pub compressed: Vec<u32>,
    /// For an unowned file of the system's own folders: the nearest folder that packages own, which decides for it.
    pub guardian: Vec<Option<FileId>>,
    /// `wards[ward_rows[d]..ward_rows[d + 1]]`: the files whose guardian is folder `d`.
    ward_rows: Vec<u32>,
    wards: Vec<FileId>,
    /// Which files are folders, one bit a file.
    pub folders: FixedBitSet,
    /// What a person or a script may call, one bit a file.
    pub programs: FixedBitSet,
    /// Every symlink that leads somewhere, and where.
    pub links: Vec<(FileId, FileId)>,
    /// The further links that each of them passes on its way, but for those right in the root folder, in the same order.
    passed: Vec<(FileId, FileId)>,
    /// The whole guest.
    pub before: Sizes,
    /// Packages that suspend each rule while they stay.
    pub guards: Vec<Vec<PackageId>>,
    /// Packages of debug symbols, one bit a package.
    pub symbols: FixedBitSet,
}

impl Facets {
    /// Looks at every file once.
    pub fn new(inventory: &Inventory, job: &Job) -> Result<Self, Cancelled> {
        let tree = &inventory.tree;
        let mut facets = Self {
            classes: Vec::with_capacity(tree.len()),
            compressed: Vec::with_capacity(tree.len()),
            guardian: guardians(inventory),
            folders: tree
                .ids()
                .filter(|&file| tree.is_directory(file))
                .map(FileId::index)
                .collect(),
            guards: RULES
                .iter()
                .map(|rule| rules::guards(inventory, rule))
                .collect(),
            symbols: inventory
                .package_ids()
                .filter(|&id| rules::holds_symbols(inventory.package(id)))
                .map(PackageId::index)
                .collect(),
            ..Self::default()
        };
        facets.index_links(tree);
        let program_folders =
            PROGRAM_FOLDERS.map(|path| tree.resolve(path).map(|found| found.file));
        facets.programs.grow(tree.len());
        let classes = rules::Classes::of(inventory);
        let mut path = Vec::new();
        for file in tree.ids() {
            if file.0.is_multiple_of(CHECK_EVERY) {
                job.check()?;
            }
            tree.write_path(file, &mut path);
            let is_folder = tree.is_directory(file);
            let is_program = !is_folder
                && (program_folders.contains(&Some(tree.parent(file)))
                    || is_program_elsewhere(tree, file, &path));
            facets.programs.set(file.index(), is_program);
            facets.classes.push(if is_folder {
                0
            } else {
                classes.about(inventory, file, &path)
            });
            facets.compressed.push(estimate(tree, file));
        }
        facets.index_wards();
        let mut all = FixedBitSet::with_capacity(tree.len());
        all.insert_range(..);
        facets.before = facets.weigh(tree, &all, |_, _| ());
        Ok(facets)
    }

    /// The unowned files that this folder's owners decide about.
    pub fn wards(&self, folder: FileId) -> &[FileId] {
        &self.wards
            [self.ward_rows[folder.index()] as usize..self.ward_rows[folder.index() + 1] as usize]
    }

    /// The further links that a symlink passes on its way to its end.
    pub fn passed(&self, link: FileId) -> impl Iterator<Item = FileId> + '_ {
        let first = self.passed.partition_point(|pair| pair.0 < link);
        let row = self.passed[first..].iter();
        row.take_while(move |pair| pair.0 == link)
            .map(|pair| pair.1)
    }

    fn index_links(&mut self, tree: &FileTree) {
        for link in tree.ids() {
            let Some(end) = tree.follow(link) else {
                continue;
            };
            self.links.push((link, end.file));
            let further = end.links.into_iter();
            let inner = further.filter(|&other| tree.parent(other) != FileId::ROOT);
            self.passed.extend(inner.map(|other| (link, other)));
        }
    }

    /// Adds up a set of files, each inode once; `each` sees every inode's first name in the set and its room on disk.
    pub(super) fn weigh(
        &self,
        tree: &FileTree,
        set: &FixedBitSet,
        mut each: impl FnMut(FileId, Bytes),
    ) -> Sizes {
        let mut sum = Sizes {
            files: set.count_ones(..) as u64,
            ..Sizes::default()
        };
        for at in tree.first_names(|file| set.contains(file.index())).ones() {
            let file = FileId(at as u32);
            if tree.kind(file) == FileKind::Regular {
                sum.apparent += Bytes(tree.size(file));
            }
            let allocated = Bytes(tree.allocated(file));
            sum.allocated += allocated;
            sum.compressed += Bytes(u64::from(self.compressed[at]));
            each(file, allocated);
        }
        sum
    }

    fn index_wards(&mut self) {
        let count = self.guardian.len();
        let mut rows = vec![0u32; count + 1];
        for folder in self.guardian.iter().flatten() {
            rows[folder.index() + 1] += 1;
        }
        for at in 1..=count {
            rows[at] += rows[at - 1];
        }
        let mut fill = rows.clone();
        self.wards = vec![FileId::ROOT; rows[count] as usize];
        for (at, folder) in self.guardian.iter().enumerate() {
            if let Some(folder) = folder {
                let slot = &mut fill[folder.index()];
                self.wards[*slot as usize] = FileId(at as u32);
                *slot += 1;
            }
        }
        self.ward_rows = rows;
    }
}

/// Whether this is a program in a folder of programs of its own: `/usr/lib/postgresql/15/bin/postgres`.
fn is_program_elsewhere(tree: &FileTree, file: FileId, path: &[u8]) -> bool {
    matches!(tree.name(tree.parent(file)), b"bin" | b"sbin")
        && tree.kind(file) == FileKind::Regular
        && tree.mode(file) & 0o111 != 0
        && !path.starts_with(b"/usr/share/doc/")
}

/// Folders whose unowned contents belong to the system rather than to the scientist.
const SYSTEM: [&[u8]; 8] = [
    b"usr", b"lib", b"lib32", b"lib64", b"libx32", b"bin", b"sbin", b"boot",
];

fn guardians(inventory: &Inventory) -> Vec<Option<FileId>> {
    let tree = &inventory.tree;
    let mut nearest: Vec<Option<FileId>> = vec![None; tree.len()];
    for file in tree.ids().skip(1) {
        let parent = tree.parent(file);
        let is_system = if parent == FileId::ROOT {
            SYSTEM.contains(&tree.name(file))
        } else {
            nearest[parent.index()].is_some()
                && !(tree.name(file) == b"local" && tree.name(parent) == b"usr")
        };
        if !is_system {
            continue;
        }
        let owned = tree.is_directory(file) && inventory.owner(file).is_some();
        nearest[file.index()] = if owned || parent == FileId::ROOT {
            Some(file)
        } else {
            nearest[parent.index()]
        };
    }
    tree.ids()
        .map(|file| {
            let guardian = nearest[tree.parent(file).index()]?;
            let decides = !tree.is_directory(file) && inventory.owner(file).is_none();
            (decides && inventory.owner(guardian).is_some()).then_some(guardian)
        })
        .collect()
}

/// Bytes that a file takes in an image compressed with zstd in clusters of 64 KiB, by kind and name; measured on a
/// Debian 12 guest.
fn estimate(tree: &FileTree, file: FileId) -> u32 {
    const INODE: u64 = 48;
    let size = tree.size(file).min(tree.allocated(file));
    if tree.kind(file) != FileKind::Regular {
        return INODE as u32;
    }
    let name = tree.name(file);
    let ends = |endings: &[&str]| {
        endings
            .iter()
            .any(|ending| name.ends_with(ending.as_bytes()))
    };
    let percent = if ends(&[
        ".gz", ".xz", ".bz2", ".zst", ".png", ".jpg", ".deb", ".whl", ".zip", ".jar", ".rds",
        ".rdb",
    ]) || name.starts_with(b"initrd")
        || name.starts_with(b"vmlinuz")
    {
        98
    } else if ends(&[
        ".py", ".h", ".hpp", ".txt", ".pm", ".pl", ".c", ".html", ".js", ".list", ".md", ".R",
    ]) {
        30
    } else {
        40
    };
    u32::try_from(INODE + size * percent / 100).unwrap_or(u32::MAX)
}
