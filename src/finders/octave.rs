//! Octave's packages: a folder `NAME-VERSION` with `packinfo/DESCRIPTION`, its compiled half beside it or in a folder of the
//! architecture, and the packages that `Depends` names. Scripts load packages by `pkg load NAME`.

use super::{Head, Scan, control, pattern, programs};
use crate::job::Cancelled;
use crate::model::{Evidence, FileId};
use std::collections::BTreeMap;

/// Longest `DESCRIPTION`.
const MAX_DESCRIPTION: usize = 64 << 10;
/// Longest script, and most scripts.
const MAX_SCRIPT: usize = 256 << 10;
const MAX_SCRIPTS: usize = 5000;

/// Where compiled halves lie, besides the package's own folder; the package's folder is added.
const COMPILED: [&str; 2] = ["/usr/lib/*/octave/packages/", "/usr/lib/octave/packages/"];

/// The row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let records = scan.regular(|tree, file| {
        tree.name(file) == b"DESCRIPTION" && tree.name(tree.parent(file)) == b"packinfo"
    });
    let mut packages = Vec::new();
    let mut by_name: BTreeMap<String, FileId> = BTreeMap::new();
    for record in records {
        let text = scan.whole(record, MAX_DESCRIPTION)?;
        let name = control::field(&text, b"Name").to_lowercase();
        by_name.entry(name.clone()).or_insert(record);
        packages.push((record, name, text));
    }
    if packages.is_empty() {
        return Ok(());
    }
    for (record, name, text) in packages {
        let because = scan.because(record, Evidence::Declared);
        for needed in control::names(&control::field(&text, b"Depends")) {
            let needed = needed.to_lowercase();
            match by_name.get(&needed) {
                Some(&other) => scan.found.need(because, other, needed.as_bytes()),
                None if needed == "octave" => {
                    if let Some(end) = programs::find(tree, b"octave-cli") {
                        scan.found.chain(because, &end, b"octave");
                    }
                }
                None => scan.found.miss(because, needed.as_bytes()),
            }
        }
        let folder = tree.parent(tree.parent(record));
        let mut parts = vec![folder];
        for place in COMPILED {
            let path = [place.as_bytes(), tree.name(folder)].concat();
            let budget = &mut scan.found.patterns;
            let ends = pattern::expand_from(tree, FileId::ROOT, &path, budget);
            parts.extend(ends.iter().map(|end| end.file));
        }
        let because = scan.because(record, Evidence::Convention);
        for &part in &parts {
            scan.found.need(because, part, name.as_bytes());
        }
        let version = control::field(&text, b"Version");
        scan.component("Octave package", &name, version, parts, Some(record));
    }
    scripts(scan, &by_name)
}

/// Scripts of the scientist's own by their name, anybody's by their first line.
fn scripts(scan: &mut Scan<'_>, packages: &BTreeMap<String, FileId>) -> Result<(), Cancelled> {
    let (heads, inventory) = (scan.facts.heads, scan.facts.inventory);
    let files = scan.regular(|tree, file| {
        let is_started = matches!(&heads[file.index()], Head::Script(line)
            if line.windows(6).any(|window| window == b"octave"));
        is_started || (tree.name(file).ends_with(b".m") && inventory.owner(file).is_none())
    });
    for file in scan.first(MAX_SCRIPTS, files, "Octave scripts") {
        let because = scan.because(file, Evidence::Read);
        let text = scan.read(file, MAX_SCRIPT)?;
        for name in loads(&String::from_utf8_lossy(&text)) {
            match packages.get(&name) {
                Some(&record) => scan.found.need(because, record, name.as_bytes()),
                None => scan.found.miss(because, name.as_bytes()),
            }
        }
    }
    Ok(())
}

/// The packages of `pkg load a b` and `pkg('load', 'a')`, comments left out.
fn loads(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for statement in text.lines().flat_map(|line| {
        let code = line.split(['%', '#']).next().unwrap_or_default();
        code.split(';')
    }) {
        let is_between = |c: char| c.is_whitespace() || "(),'\"".contains(c);
        let mut words = statement.split(is_between).filter(|word| !word.is_empty());
        if words.next() == Some("pkg") && words.next() == Some("load") {
            found.extend(words.map(str::to_lowercase));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::finders::fixture::Fixture;

    #[test]
    fn packages_need_their_compiled_half_and_what_they_depend_on() {
        let packages = "/usr/share/octave/packages";
        let record = |name: &str| format!("{packages}/{name}/packinfo/DESCRIPTION");
        let needs = Fixture::new(&[
            (
                &record("statistics-1.5"),
                "Name: statistics\nVersion: 1.5\nDepends: octave (>= 6.1), IO (>= 1.0.18),\n lost\n",
            ),
            (&record("io-2.6"), "Name: io\nDepends: octave (>= 4.2)\n"),
            ("/usr/lib/x86_64-linux-gnu/octave/packages/io-2.6/csvconv.oct", ""),
            ("/usr/bin/octave-cli -> octave-cli-7.3", ""),
            ("/usr/bin/octave-cli-7.3", ""),
            ("/home/me/fit.m", "pkg load statistics; % pkg load no\npkg('load', 'gone')\nload pkg\n"),
            ("/usr/bin/DESCRIPTION", "Name: no\n"),
        ])
        .run("octave-package");
        let (statistics, io) = (record("statistics-1.5"), record("io-2.6"));
        assert_eq!(
            needs,
            [
                "/home/me/fit.m -> ! gone".to_owned(),
                format!("/home/me/fit.m -> {statistics}"),
                format!("{io} -> /usr/bin/octave-cli"),
                format!("{io} -> /usr/bin/octave-cli-7.3"),
                format!("{io} -> /usr/lib/x86_64-linux-gnu/octave/packages/io-2.6"),
                format!("{io} -> {packages}/io-2.6"),
                format!("{statistics} -> ! lost"),
                format!("{statistics} -> /usr/bin/octave-cli"),
                format!("{statistics} -> /usr/bin/octave-cli-7.3"),
                format!("{statistics} -> {io}"),
                format!("{statistics} -> {packages}/statistics-1.5"),
            ]
        );
    }
}
