//! Maintainer scripts: where they lie, and whose they are.

use crate::model::{FileId, FileKind, Inventory, PackageId};
use crate::pkgdb::format::{Script, ScriptText};

/// What the scripts' names end with.
const KINDS: [&[u8]; 4] = [b".preinst", b".postinst", b".prerm", b".postrm"];

/// All scripts of installed packages.
pub fn scripts(inventory: &Inventory) -> Vec<Script> {
    let tree = &inventory.tree;
    let Some(info) = tree.resolve(super::database::INFO) else {
        return Vec::new();
    };
    let script = |file: FileId| {
        Some(Script {
            package: package(inventory, tree.name(file))?,
            text: ScriptText::File(file),
        })
    };
    let files = tree.children(info.file).iter().copied();
    files
        .filter(|&file| tree.kind(file) == FileKind::Regular)
        .filter_map(script)
        .collect()
}

/// The package of `libc6:amd64.postinst`.
fn package(inventory: &Inventory, name: &[u8]) -> Option<PackageId> {
    let stem = KINDS.iter().find_map(|kind| name.strip_suffix(*kind))?;
    inventory.find_package(std::str::from_utf8(stem).ok()?)
}

/// Whether dpkg runs scripts of this package.
pub fn has_scripts(inventory: &Inventory, package: PackageId) -> bool {
    let records = inventory.package(package).record_files.iter();
    records
        .map(|&record| inventory.tree.name(record))
        .any(|name| KINDS.iter().any(|end| name.ends_with(end)))
}
