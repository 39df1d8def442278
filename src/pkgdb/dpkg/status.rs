//! `/var/lib/dpkg/status`: which packages there are, and what they say of themselves.

use super::relation;
use super::stanza::{Stanza, stanzas};
use crate::model::text::{escape, short};
use crate::model::{Bytes, Package, Warning, Warnings};
use std::ops::ControlFlow;

/// Fields that hold relations.
const RELATIONS: [&str; 5] = [
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Provides",
];
/// Most packages: all that a distribution has, three times.
const MAX_PACKAGES: usize = 200_000;
/// Most relations and configuration files of all packages together, as many as such a distribution has.
const MAX_PARTS: usize = 1_500_000;
/// Most bytes of `Conffiles` that are looked at.
const MAX_CONFFILES: usize = 4 << 20;
/// Longest name of a package.
const MAX_NAME: usize = 255;

/// One installed package as its stanza has it, with the paths that are not looked up yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// All but files.
    pub package: Package,
    /// The paths of `Conffiles`, as written; obsolete ones and those to be removed on upgrade too.
    pub conffiles: Vec<Vec<u8>>,
}

impl Record {
    fn parts(&self) -> usize {
        let package = &self.package;
        let fields = [
            &package.depends,
            &package.pre_depends,
            &package.recommends,
            &package.suggests,
        ];
        let relations = fields.into_iter().flatten().map(Vec::len).sum::<usize>();
        relations + package.provides.len() + self.conffiles.len()
    }
}

/// Reads the installed packages, sorted by name and architecture.
///
/// A package counts as installed when the third word of its state says so, whatever the selection (install, hold,
/// deinstall). States between "not there" and "installed" are warned about; their files stay unowned, so nothing of them
/// is ever taken for unneeded.
pub fn read(path: &[u8], bytes: &[u8], warnings: &mut Warnings) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let mut lines = Vec::new();
    let mut parts = 0;
    stanzas(path, bytes, warnings, |stanza, warnings| {
        if records.len() >= MAX_PACKAGES || parts >= MAX_PARTS {
            let message =
                "more packages than any system has: those from here on count as not installed";
            warnings.push(Warning::at(path, stanza.line, message));
            return ControlFlow::Break(());
        }
        match record(&stanza) {
            Ok(Some(record)) => {
                parts += record.parts();
                lines.push(stanza.line);
                records.push(record);
            }
            Ok(None) => {}
            Err(message) => warnings.push(Warning::at(path, stanza.line, message)),
        }
        ControlFlow::Continue(())
    });
    let mut order: Vec<usize> = (0..records.len()).collect();
    let key = |at: usize| (&records[at].package.name, &records[at].package.arch);
    order.sort_by_key(|&at| key(at));
    order.dedup_by(|&mut later, &mut first| {
        let is_twin = key(later) == key(first);
        if is_twin {
            let name = escape(key(later).0.as_bytes());
            let message = format!("a second stanza of package {name}; the first one counts");
            warnings.push(Warning::at(path, lines[later], message));
        }
        is_twin
    });
    let mut slots: Vec<Option<Record>> = records.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|at| slots[at].take())
        .collect()
}

/// The package, `None` when it is not installed (only its configuration or its name is left).
fn record(stanza: &Stanza<'_>) -> Result<Option<Record>, String> {
    let name = stanza.text("Package");
    if name.is_empty() {
        return Err("a stanza without a package name".into());
    }
    let shown = short(name.as_bytes()).into_owned();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_');
    if name.len() > MAX_NAME || !name.chars().all(is_name) {
        return Err(format!("{shown} is no package name"));
    }
    let status = stanza.text("Status");
    let words: Vec<&str> = status.split_whitespace().take(4).collect();
    match words[..] {
        [
            _,
            flag,
            "installed" | "triggers-awaited" | "triggers-pending",
        ] => {
            if flag != "ok" {
                return Err(format!("package {shown} wants to be installed again"));
            }
        }
        [_, _, "not-installed" | "config-files"] => return Ok(None),
        [_, _, state] => {
            let state = short(state.as_bytes());
            return Err(format!(
                "package {shown} is in the state \"{state}\"; its files count as unowned"
            ));
        }
        _ => return Err(format!("package {shown} has no proper state")),
    }
    let long = RELATIONS.iter().find(|field| {
        let value = stanza.field(field).unwrap_or_default();
        relation::is_too_long(value)
    });
    if let Some(field) = long {
        return Err(format!(
            "package {shown} has more in its field {field} than any package; its files count as unowned"
        ));
    }
    Ok(Some(Record {
        package: package(stanza, name),
        conffiles: conffiles(stanza.field("Conffiles").unwrap_or_default()),
    }))
}

/// The architecture; empty when it is none, since it becomes part of names that people read.
fn architecture(stanza: &Stanza<'_>) -> String {
    let arch = stanza.text("Architecture");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if arch.chars().all(is_part) {
        arch
    } else {
        String::new()
    }
}

fn package(stanza: &Stanza<'_>, name: String) -> Package {
    let relations = |field| relation::parse(stanza.field(field).unwrap_or_default());
    let source = stanza.text("Source");
    let source = source.split_whitespace().next().unwrap_or(&name).to_owned();
    let size = stanza.text("Installed-Size").parse().unwrap_or(0);
    let section = stanza.text("Section");
    Package {
        arch: architecture(stanza),
        version: stanza.text("Version"),
        source,
        installed_size: Bytes::from_kib(size),
        is_required: stanza.text("Priority") == "required",
        is_development: section.ends_with("devel"),
        section,
        summary: stanza.text("Description"),
        essential: stanza.is_yes("Essential"),
        protected: stanza.is_yes("Protected") || stanza.is_yes("Important"),
        multi_arch: stanza.text("Multi-Arch"),
        depends: relations("Depends"),
        pre_depends: relations("Pre-Depends"),
        recommends: relations("Recommends"),
        suggests: relations("Suggests"),
        provides: relations("Provides").into_iter().flatten().collect(),
        name,
        ..Package::default()
    }
}

/// Lines of `path hash [obsolete|remove-on-upgrade]`.
fn conffiles(value: &[u8]) -> Vec<Vec<u8>> {
    let value = &value[..value.len().min(MAX_CONFFILES)];
    value
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            line.trim_ascii()
                .split(|&byte| byte == b' ')
                .next()
                .filter(|path| path.first() == Some(&b'/'))
                .map(<[u8]>::to_vec)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STATUS: &[u8] = include_bytes!("testdata/status");

    #[test]
    fn a_real_excerpt_is_read_field_by_field() {
        let mut warnings = Warnings::default();
        let records = read(b"/s", STATUS, &mut warnings);
        let names: Vec<&str> = records.iter().map(|r| r.package.name.as_str()).collect();
        assert_eq!(names, ["bash", "libc6", "mawk", "openssh-server"]);
        assert_eq!(warnings, []);
        let bash = &records[0];
        assert!(bash.package.essential && !bash.package.protected);
        assert_eq!(bash.package.version, "5.2.15-2+b13");
        assert_eq!(bash.package.source, "bash");
        assert_eq!(bash.package.installed_size, Bytes::from_kib(7164));
        assert_eq!(bash.conffiles.len(), 4);
        assert_eq!(bash.package.pre_depends.len(), 2);
        assert_eq!(records[2].package.provides[0].name, "awk");
        assert_eq!(records[1].package.multi_arch, "same");
    }

    #[test]
    fn an_architecture_that_is_none_is_left_out() {
        let text = b"Package: a\nStatus: install ok installed\nArchitecture: am\x1b[31md64\n\n\
            Package: b\nStatus: install ok installed\nArchitecture: kfreebsd-i386\n";
        let records = read(b"/s", text, &mut Warnings::default());
        let archs: Vec<&str> = records.iter().map(|r| r.package.arch.as_str()).collect();
        assert_eq!(archs, ["", "kfreebsd-i386"]);
    }

    #[test]
    fn states_between_and_broken_stanzas_are_warnings() {
        let text = b"Package: a\nStatus: install ok half-installed\n\nStatus: install ok installed\n\n\
            Package: b\nStatus: hold ok installed\n\nPackage: c\nStatus: deinstall ok config-files\n\n\
            Package: b\nStatus: install ok installed\n\nPackage: ../x\nStatus: install ok installed\n\n\
            Package: d\nStatus: install reinstreq installed\n\nPackage: e\n";
        let mut warnings = Warnings::default();
        let records = read(b"/s", text, &mut warnings);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].package.name, "b");
        let lines: Vec<Option<u32>> = warnings.iter().map(|w| w.line).collect();
        assert_eq!(
            lines,
            [Some(1), Some(4), Some(15), Some(18), Some(21), Some(12)]
        );
    }

    proptest! {
        #[test]
        fn a_damaged_status_file_is_read_without_a_panic(at in 0..STATUS.len(), byte in any::<u8>(), cut in 0..STATUS.len()) {
            let mut bytes = STATUS.to_vec();
            bytes[at] = byte;
            bytes.truncate(cut);
            let _ = read(b"/s", &bytes, &mut Warnings::default());
        }
    }
}
