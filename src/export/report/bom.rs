//! The bill of materials of what stays, as `CycloneDX` 1.5 JSON (<https://cyclonedx.org/docs/1.5/json/>).
//!
//! The same plan gives the same bytes: the serial number is made of the plan's hash, and there is a time in it only
//! where `SOURCE_DATE_EPOCH` gives one. What no package owns is listed where its path alone tells name and version (Python
//! distributions, conda packages) or its own record does: R and spack packages, Java runtimes.

use super::FullReport;
use crate::export::epoch;
use crate::model::text::escape;
use crate::model::{FileId, FileTree, Os};
use crate::pkgdb::{self, Purl};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    #[serde(rename = "bomFormat")]
    format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
}

#[derive(Debug, Serialize)]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    tools: Tools,
    component: Component,
}

#[derive(Debug, Serialize)]
struct Tools {
    components: [Component; 1],
}

#[derive(Debug, Default, Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: String,
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    purl: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Debug, Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

/// Writes the bill of materials.
pub(super) fn write(full: &FullReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &bom(full, epoch::wished()))?;
    out.write_all(b"\n")
}

fn bom(full: &FullReport<'_>, time: Option<u64>) -> Bom {
    let tool = Component {
        kind: "application",
        reference: "guestslim".to_owned(),
        name: "guestslim".to_owned(),
        version: full.report.guestslim.to_owned(),
        ..Component::default()
    };
    let output = full.report.output.rsplit('/').next();
    let image = Component {
        kind: "file",
        reference: "image".to_owned(),
        name: output.unwrap_or_default().to_owned(),
        ..Component::default()
    };
    let inventory = &full.loaded.inventory;
    let mut components = vec![system(&inventory.os)];
    components.extend(packages(full, &inventory.os));
    components.extend(own(full));
    Bom {
        format: "CycloneDX",
        spec_version: "1.5",
        serial_number: serial_number(&full.report.plan_sha256),
        version: 1,
        metadata: Metadata {
            timestamp: time.and_then(epoch::timestamp),
            tools: Tools { components: [tool] },
            component: image,
        },
        components,
    }
}

fn system(os: &Os) -> Component {
    let or_unknown = |text: &str| match text {
        "" => "unknown".to_owned(),
        text => escape(text.as_bytes()).into_owned(),
    };
    Component {
        kind: "operating-system",
        reference: "operating-system".to_owned(),
        name: or_unknown(&os.id),
        version: or_unknown(&os.version),
        description: escape(os.name.as_bytes()).into_owned(),
        ..Component::default()
    }
}

/// The packages whose records stay.
fn packages<'a>(full: &'a FullReport<'_>, os: &'a Os) -> impl Iterator<Item = Component> + 'a {
    let inventory = &full.loaded.inventory;
    let format = pkgdb::of(inventory);
    let kept = inventory
        .package_ids()
        .filter(|&id| full.plan.keeps_package(id));
    kept.map(move |id| {
        let package = inventory.package(id);
        let purl = package_url(&package.name, &format.purl(package), os);
        let level = full.plan.packages[id.index()].level;
        Component {
            kind: "library",
            reference: purl.clone(),
            name: escape(package.name.as_bytes()).into_owned(),
            version: escape(package.version.as_bytes()).into_owned(),
            purl,
            properties: vec![Property {
                name: "guestslim:level",
                value: level.map_or("gone", crate::plan::Level::word).to_owned(),
            }],
            ..Component::default()
        }
    })
}

/// A package's URL: who it is from is the guest's distribution.
fn package_url(name: &str, purl: &Purl, os: &Os) -> String {
    let vendor = if os.id.is_empty() {
        purl.vendor
    } else {
        &os.id
    };
    let distro = match os.version.as_str() {
        "" => vendor.to_owned(),
        version => format!("{vendor}-{version}"),
    };
    let mut url = format!(
        "pkg:{}/{}/{}@{}?",
        purl.kind,
        quoted(vendor.to_lowercase().as_bytes()),
        quoted(name.as_bytes()),
        quoted(purl.version.as_bytes())
    );
    for (key, value) in &purl.qualifiers {
        write!(url, "{key}={}&", quoted(value.as_bytes())).expect("a String takes every write");
    }
    url + "distro=" + &quoted(distro.as_bytes())
}

/// What stays, belongs to no package and tells its name and version.
fn own(full: &FullReport<'_>) -> Vec<Component> {
    let inventory = &full.loaded.inventory;
    let tree = &inventory.tree;
    let stays = |file| full.plan.keeps_file(file) && inventory.owner(file).is_none();
    let by_path = tree.ids().filter(|&file| stays(file)).filter_map(|file| {
        let (index, name, version) = named(tree, file)?;
        Some(own_component(tree, file, Some(index), name, version))
    });
    let found = inventory.components.all.iter().filter_map(|component| {
        let (_, index) = KINDS.iter().find(|(kind, _)| *kind == component.kind)?;
        let file = *component.metadata.first()?;
        let (name, version) = (component.name.as_bytes(), component.version.as_bytes());
        stays(file).then(|| own_component(tree, file, *index, name, version))
    });
    by_path.chain(found).collect()
}

/// The kinds of components that are listed, and the index that has them: the type of a package URL.
const KINDS: [(&str, Option<&str>); 4] = [
    ("R package", Some("cran")),
    // They come with R and are in no index.
    ("R base package", None),
    ("spack package", None),
    ("Java runtime", None),
];

fn own_component(
    tree: &FileTree,
    file: FileId,
    index: Option<&str>,
    name: &[u8],
    version: &[u8],
) -> Component {
    let path = escape(&tree.path(file)).into_owned();
    let is_whole = !name.is_empty() && !version.is_empty();
    let purl = index.filter(|_| is_whole).map(|index| {
        let spelled = match index {
            // The index knows each name in one spelling only.
            "pypi" => name
                .to_ascii_lowercase()
                .split(|&byte| byte == b'_')
                .collect::<Vec<_>>()
                .join(&b'-'),
            _ => name.to_vec(),
        };
        format!("pkg:{index}/{}@{}", quoted(&spelled), quoted(version))
    });
    Component {
        kind: "library",
        reference: path.clone(),
        name: escape(name).into_owned(),
        version: escape(version).into_owned(),
        purl: purl.unwrap_or_default(),
        properties: vec![Property {
            name: "guestslim:path",
            value: path,
        }],
        ..Component::default()
    }
}

/// What a path says: the record of an installed Python distribution (`NAME-VERSION.dist-info/METADATA`) or of a conda
/// package (`conda-meta/NAME-VERSION-BUILD.json`).
fn named(tree: &FileTree, file: FileId) -> Option<(&'static str, &[u8], &[u8])> {
    let folder = tree.name(tree.parent(file));
    match tree.name(file) {
        b"METADATA" => {
            let (name, version) = split_last(folder.strip_suffix(b".dist-info")?)?;
            Some(("pypi", name, version))
        }
        record if folder == b"conda-meta" => {
            let (rest, _build) = split_last(record.strip_suffix(b".json")?)?;
            let (name, version) = split_last(rest)?;
            Some(("conda", name, version))
        }
        _ => None,
    }
}

fn split_last(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|&byte| byte == b'-')?;
    Some((&text[..at], &text[at + 1..]))
}

/// A part of a package URL: all but letters, digits and a few signs in per cent.
fn quoted(part: &[u8]) -> String {
    let mut text = String::with_capacity(part.len());
    for &byte in part {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a String takes every write");
        }
    }
    text
}

/// A UUID made of a hash in hexadecimal: version 8 of RFC 9562, "custom".
fn serial_number(hash: &str) -> String {
    let digits = |from: usize, to: usize| hash.get(from..to).unwrap_or("000");
    format!(
        "urn:uuid:{}-{}-8{}-a{}-{}",
        digits(0, 8),
        digits(8, 12),
        digits(13, 16),
        digits(17, 20),
        digits(20, 32)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Package;
    use crate::pkgdb::{Format, dpkg, ledger};

    #[test]
    fn each_package_format_has_its_own_urls() {
        let package = Package {
            name: "app".to_owned(),
            version: "1:2+x".to_owned(),
            arch: "amd64".to_owned(),
            ..Package::default()
        };
        let url = |format: &dyn Format, id: &str, version: &str| {
            let os = Os {
                id: id.to_owned(),
                version: version.to_owned(),
                ..Os::default()
            };
            package_url("app", &format.purl(&package), &os)
        };
        assert_eq!(
            url(&dpkg::Dpkg, "Ubuntu", "24.04"),
            "pkg:deb/ubuntu/app@1:2%2Bx?arch=amd64&distro=Ubuntu-24.04"
        );
        assert_eq!(
            url(&dpkg::Dpkg, "", ""),
            "pkg:deb/debian/app@1:2%2Bx?arch=amd64&distro=debian"
        );
        assert_eq!(
            url(&ledger::Ledger, "", "7"),
            "pkg:ledger/tests/app@1:2%2Bx?distro=tests-7"
        );
    }

    #[test]
    fn a_package_url_holds_no_sign_with_a_meaning() {
        assert_eq!(
            quoted(b"1:2.0+dfsg~rc1/../?a=\x1b"),
            "1:2.0%2Bdfsg~rc1%2F..%2F%3Fa%3D%1B"
        );
    }
}
