//! `guestslim inspect`: what is in an image.

use super::Outcome;
use super::args::InspectArgs;
use super::components::{self, Component};
use super::guest::Opening;
use super::json::{OsJson, TrustJson, WarningJson, plain};
use super::out;
use super::table::{Align, count, plural, section};
use super::weights::{Tree, Weights};
use crate::load::Loaded;
use crate::model::text::escape;
use crate::model::{Bytes, FileId, Inventory};
use serde::Serialize;

/// How many packages and folders are listed without `--all`.
const TOP: usize = 15;

pub fn run(args: &InspectArgs) -> anyhow::Result<Outcome> {
    let opening = Opening::new()?;
    let loaded = opening.load(&args.image, &args.open)?;
    drop(opening);
    let report = Report::of(&loaded);
    if args.json {
        out::print_json(&report)?;
    } else {
        out::print(&report.text(if args.all { usize::MAX } else { TOP }))?;
    }
    Ok(Outcome::Done)
}

#[derive(Debug, Serialize)]
struct Report {
    image: Image,
    os: OsJson,
    file_systems: Vec<FileSystem>,
    boot: Boot,
    files: Tree,
    /// The biggest first.
    trees: Vec<Tree>,
    /// The biggest first.
    packages: Vec<Package>,
    /// What languages and installers put in as units, the biggest first.
    components: Vec<Component>,
    /// Needs that nothing in the guest satisfies.
    unmet_needs: usize,
    warnings: Vec<WarningJson>,
}

#[derive(Debug, Serialize)]
struct Image {
    path: String,
    format: String,
    virtual_size: u64,
    file_size: u64,
    backend: String,
    #[serde(flatten)]
    trust: TrustJson,
}

#[derive(Debug, Serialize)]
struct FileSystem {
    mount_point: String,
    device: String,
    kind: String,
    uuid: String,
    label: String,
    size: u64,
    used: Option<u64>,
    is_read: bool,
}

#[derive(Debug, Serialize)]
struct Boot {
    loader: String,
    entry: String,
    kernel_version: String,
    kernel: Option<String>,
    initramfs: Option<String>,
    command_line: String,
    target: String,
    must_stay: usize,
}

#[derive(Debug, Serialize)]
struct Package {
    name: String,
    version: String,
    arch: String,
    installed_size: u64,
    files: usize,
    essential: bool,
    auto_installed: bool,
    summary: String,
}

impl Report {
    fn of(loaded: &Loaded) -> Self {
        let inventory = &loaded.inventory;
        let weights = Weights::of(&inventory.tree);
        let origin = &inventory.origin;
        Self {
            image: Image {
                path: out::safe(&origin.image),
                format: plain(&origin.format),
                virtual_size: origin.virtual_size,
                file_size: origin.file_size,
                backend: origin.backend.clone(),
                trust: origin.into(),
            },
            os: (&inventory.os).into(),
            file_systems: file_systems(inventory),
            boot: boot(inventory),
            files: weights.tree(&inventory.tree, FileId::ROOT),
            trees: weights.biggest(&inventory.tree),
            packages: packages(inventory),
            components: components::list(inventory, &weights),
            unmet_needs: loaded.unmet.len(),
            warnings: inventory.warnings.iter().map(WarningJson::from).collect(),
        }
    }

    fn text(&self, top: usize) -> String {
        let mut text = self.head();
        text += &section("Boot", &[Align::Left, Align::Left], &self.boot.rows());
        let rows: Vec<_> = self.file_systems.iter().map(FileSystem::row).collect();
        text += &section(
            "File systems",
            &[Align::Left, Align::Left, Align::Left, Align::Right],
            &rows,
        );
        let rows: Vec<_> = self.trees.iter().take(TOP).map(Tree::row).collect();
        text += &section(
            "Biggest trees",
            &[Align::Right, Align::Right, Align::Left],
            &rows,
        );
        let rows: Vec<_> = self.packages.iter().take(top).map(Package::row).collect();
        let heading = if rows.len() < self.packages.len() {
            format!("Biggest of {} packages", count(self.packages.len() as u64))
        } else {
            "Packages".to_owned()
        };
        text += &section(
            &heading,
            &[Align::Right, Align::Left, Align::Left, Align::Left],
            &rows,
        );
        text + &components::text(&self.components, top) + &self.foot(top)
    }

    fn head(&self) -> String {
        let os = if self.os.name.is_empty() {
            "unknown operating system"
        } else {
            &self.os.name
        };
        let mut rows = vec![
            vec![
                "system".to_owned(),
                [os, &self.os.arch].join(" ").trim_end().to_owned(),
            ],
            vec!["format".to_owned(), self.image.size()],
            vec!["read by".to_owned(), self.image.reader()],
            vec![
                "files".to_owned(),
                format!(
                    "{}, {}",
                    plural(self.files.files, "file", "files"),
                    Bytes(self.files.allocated)
                ),
            ],
            vec!["packages".to_owned(), count(self.packages.len() as u64)],
        ];
        rows.extend(self.image.trust.rows());
        if !self.os.hostname.is_empty() {
            rows.push(vec!["host name".to_owned(), self.os.hostname.clone()]);
        }
        section(&self.image.path, &[Align::Left, Align::Left], &rows)
    }

    fn foot(&self, top: usize) -> String {
        let mut text = String::new();
        if self.unmet_needs > 0 {
            let needs = plural(self.unmet_needs as u64, "need", "needs");
            text +=
                &format!("note: {needs} of files and packages cannot be satisfied in this guest\n");
        }
        for warning in self.warnings.iter().take(top) {
            let line = warning
                .line
                .map_or_else(String::new, |line| format!(", line {line}"));
            let place = if warning.path.is_empty() {
                String::new()
            } else {
                format!("{}{line}: ", warning.path)
            };
            text += &format!("warning: {place}{}\n", warning.message);
        }
        if let Some(more) = self
            .warnings
            .len()
            .checked_sub(top)
            .filter(|&more| more > 0)
        {
            text += &format!(
                "and {} (--all lists them)\n",
                plural(more as u64, "more warning", "more warnings")
            );
        }
        text
    }
}

impl Image {
    /// The reader, and what confines the program that knows the image's format.
    fn reader(&self) -> String {
        match (&self.backend[..], &self.trust.confinement[..]) {
            ("directory", _) => self.backend.clone(),
            (backend, []) => format!("{backend}, not confined"),
            (backend, layers) => format!("{backend}, confined by {}", layers.join(" and ")),
        }
    }

    fn size(&self) -> String {
        if self.virtual_size == 0 {
            return self.format.clone();
        }
        let (disk, file) = (Bytes(self.virtual_size), Bytes(self.file_size));
        format!("{}, disk of {disk} in a file of {file}", self.format)
    }
}

impl FileSystem {
    fn row(&self) -> Vec<String> {
        let used = self
            .used
            .map_or_else(String::new, |used| format!("{} of ", Bytes(used)));
        vec![
            self.mount_point.clone(),
            self.kind.clone(),
            self.device.clone(),
            if self.size == 0 {
                String::new()
            } else {
                format!("{used}{}", Bytes(self.size))
            },
        ]
    }
}

impl Boot {
    fn rows(&self) -> Vec<Vec<String>> {
        let nothing = String::new();
        [
            ("loader", &self.loader),
            ("entry", &self.entry),
            ("kernel", self.kernel.as_ref().unwrap_or(&nothing)),
            ("initramfs", self.initramfs.as_ref().unwrap_or(&nothing)),
            ("command line", &self.command_line),
            ("target", &self.target),
        ]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| vec![name.to_owned(), text.clone()])
        .collect()
    }
}

impl Package {
    fn row(&self) -> Vec<String> {
        let size = Bytes(self.installed_size).to_string();
        vec![
            size,
            self.name.clone(),
            self.version.clone(),
            self.summary.clone(),
        ]
    }
}

fn file_systems(inventory: &Inventory) -> Vec<FileSystem> {
    inventory
        .mounts
        .iter()
        .map(|mount| FileSystem {
            mount_point: escape(&mount.at).into_owned(),
            device: plain(&mount.file_system.device),
            kind: plain(&mount.file_system.kind),
            uuid: plain(&mount.file_system.uuid),
            label: plain(&mount.file_system.label),
            size: mount.file_system.size,
            used: mount.file_system.used,
            is_read: mount.is_read,
        })
        .collect()
}

fn boot(inventory: &Inventory) -> Boot {
    let boot = &inventory.boot;
    let path =
        |file: Option<FileId>| file.map(|file| escape(&inventory.tree.path(file)).into_owned());
    Boot {
        loader: plain(&boot.loader),
        entry: plain(&boot.entry),
        kernel_version: plain(&boot.kernel_version),
        kernel: path(boot.kernel),
        initramfs: path(boot.initramfs),
        command_line: plain(&boot.command_line),
        target: plain(&boot.target),
        must_stay: boot.roots.len(),
    }
}

fn packages(inventory: &Inventory) -> Vec<Package> {
    let mut packages: Vec<Package> = inventory
        .package_ids()
        .map(|id| {
            let package = inventory.package(id);
            Package {
                name: plain(&inventory.package_label(id)),
                version: plain(&package.version),
                arch: plain(&package.arch),
                installed_size: package.installed_size.0,
                files: package.files.len(),
                essential: package.essential,
                auto_installed: package.auto_installed,
                summary: plain(&package.summary),
            }
        })
        .collect();
    // The inventory is in the order of names, and the sort is stable.
    packages.sort_by_key(|package| std::cmp::Reverse(package.installed_size));
    packages
}
