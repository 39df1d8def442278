//! systemd units need what they name: programs, files of settings, PAM stacks, accounts, other units.
//!
//! What `Requires=` and its like name is needed, and so is what a socket, a timer or a path starts. What `Wants=` or a link
//! in a `.wants` folder names is only wanted: it stays where its package stays, and dropping its package is no fault. The
//! links that enable a unit follow it and go with it. Units and drop-ins are read one by one, never through each other, so
//! that units that name each other are no loop.

mod accounts;
mod manager;
mod parse;
mod realm;

use super::shell::{Calls, is_shell_program};
use super::{Because, Scan, pattern, programs};
use crate::job::Cancelled;
use crate::model::glob::GlobError;
use crate::model::{Evidence, FileId, FileKind, FileTree};
pub use accounts::Accounts;
pub use parse::{Setting, commands, settings};
pub use realm::Realm;
use realm::unit_type;

/// Settings whose value is a list of units, and whether what they name is needed or only wanted.
const UNITS: [(&str, &str, Evidence); 14] = [
    ("Unit", "Requires", Evidence::Read),
    ("Unit", "Requisite", Evidence::Read),
    ("Unit", "BindsTo", Evidence::Read),
    ("Unit", "Wants", Evidence::Wanted),
    ("Unit", "Upholds", Evidence::Wanted),
    ("Unit", "OnFailure", Evidence::Wanted),
    ("Unit", "OnSuccess", Evidence::Wanted),
    ("Service", "Sockets", Evidence::Read),
    ("Socket", "Service", Evidence::Read),
    ("Timer", "Unit", Evidence::Read),
    ("Path", "Unit", Evidence::Read),
    ("Install", "Also", Evidence::Wanted),
    ("Install", "DefaultInstance", Evidence::Wanted),
    ("Service", "Slice", Evidence::Wanted),
];

/// Settings whose value is a command line.
const COMMANDS: [&str; 8] = [
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecStop",
    "ExecStopPre",
    "ExecStopPost",
];

/// The finder's row function.
pub fn find(scan: &mut Scan<'_>) -> Result<(), Cancelled> {
    let tree = scan.tree();
    let calls = Calls::new(scan.facts.inventory);
    let accounts = Accounts::new(tree, scan.source);
    for realm in Realm::all(tree) {
        let mut reader = Reader {
            tree,
            realm: &realm,
            calls: &calls,
            accounts: &accounts,
            scan,
        };
        for &entry in &realm.entries {
            reader.entry(entry)?;
        }
    }
    scan.readers(manager::READERS);
    Ok(())
}

/// Reads the units of one realm.
struct Reader<'a, 's> {
    tree: &'a FileTree,
    realm: &'a Realm<'a>,
    calls: &'a Calls<'a>,
    accounts: &'a Accounts,
    scan: &'a mut Scan<'s>,
}

impl Reader<'_, '_> {
    fn entry(&mut self, entry: FileId) -> Result<(), Cancelled> {
        let tree = self.tree;
        let name = tree.name(entry);
        match tree.kind(entry) {
            FileKind::Regular if unit_type(name).is_some() => self.unit(entry, name)?,
            FileKind::Directory => {
                if let Some(unit) = name.strip_suffix(b".d") {
                    self.drop_ins(entry, unit)?;
                } else if let Some(unit) = name
                    .strip_suffix(b".wants")
                    .or_else(|| name.strip_suffix(b".requires"))
                {
                    self.wishes(entry, unit);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn unit(&mut self, file: FileId, name: &[u8]) -> Result<(), Cancelled> {
        let settings = self.settings(file)?;
        self.read(file, &settings);
        let has = |key: &[u8]| settings.iter().any(|setting| setting.key == key);
        let stem = &name[..name.len() - unit_type(name).map_or(0, <[u8]>::len)];
        let started = match unit_type(name) {
            Some(b"timer" | b"path") if !has(b"Unit") => Some(&b"service"[..]),
            Some(b"socket") if !has(b"Service") => Some(&b"service"[..]),
            Some(b"automount") => Some(&b"mount"[..]),
            _ => None,
        };
        if let Some(ending) = started {
            let plain = [stem, ending].concat();
            let instance = [&stem[..stem.len() - 1], b"@.", ending].concat();
            let end = [plain, instance]
                .into_iter()
                .find_map(|unit| Some((self.realm.unit(&unit)?, unit)));
            if let Some((end, unit)) = end {
                let because = self.scan.because(file, Evidence::Read);
                self.scan.found.chain(because, &end, &unit);
            }
        }
        Ok(())
    }

    /// `X.d/*.conf` adds to the unit X, or to all of a type: each is read for itself, and wanted by the unit.
    fn drop_ins(&mut self, folder: FileId, unit: &[u8]) -> Result<(), Cancelled> {
        let is_type = unit_type(&[b".", unit].concat()).is_some();
        if unit_type(unit).is_none() && !is_type {
            return Ok(());
        }
        let tree = self.tree;
        for &file in tree.children(folder) {
            if tree.kind(file) != FileKind::Regular || !tree.name(file).ends_with(b".conf") {
                continue;
            }
            let settings = self.settings(file)?;
            self.read(file, &settings);
            if let Some(end) = self.realm.unit(unit) {
                let because = self.scan.because(end.file, Evidence::Wanted);
                self.scan.found.need(because, file, tree.name(file));
            }
        }
        Ok(())
    }

    /// The links in `X.wants` and `X.requires` enable units: X wants what they are called after.
    fn wishes(&mut self, folder: FileId, unit: &[u8]) {
        let Some(from) = self.realm.unit(unit) else {
            return;
        };
        let because = self.scan.because(from.file, Evidence::Wanted);
        let tree = self.tree;
        for &link in tree.children(folder) {
            if let Some(end) = self.realm.unit(tree.name(link)) {
                self.scan.found.need(because, link, tree.name(link));
                self.scan.found.chain(because, &end, tree.name(link));
            }
        }
    }

    fn settings(&mut self, file: FileId) -> Result<Vec<Setting>, Cancelled> {
        Ok(parse::settings(&self.scan.text(file)?))
    }

    fn read(&mut self, file: FileId, settings: &[Setting]) {
        for setting in settings {
            let (section, key) = (setting.section.as_slice(), setting.key.as_slice());
            let units = UNITS.iter().find(|(in_section, name, _)| {
                section == in_section.as_bytes() && key == name.as_bytes()
            });
            if let Some(&(_, _, evidence)) = units {
                self.units(self.scan.because(file, evidence), &setting.value);
            } else if COMMANDS.iter().any(|name| key == name.as_bytes()) {
                self.commands(file, settings, &setting.value);
            } else if key == b"User" && section == b"Service" {
                self.account(file, settings, &setting.value);
            } else {
                self.other(file, setting);
            }
        }
    }

    /// Names of units that are generated (devices, mounts, slices) are not missing.
    fn units(&mut self, because: Because, value: &[u8]) {
        for name in parse::words(value) {
            match self.realm.unit(&name) {
                Some(end) => self.scan.found.chain(because, &end, &name),
                None if because.evidence == Evidence::Read
                    && unit_type(&name) == Some(b"service")
                    && !name.contains(&b'%') =>
                {
                    self.scan.found.miss(because, &name);
                }
                None => {}
            }
        }
    }

    fn commands(&mut self, file: FileId, settings: &[Setting], value: &[u8]) {
        let because = self.scan.because(file, Evidence::Read);
        for command in parse::commands(value) {
            let program = &command.words[0];
            match programs::find(self.tree, program) {
                Some(end) => self.scan.found.chain(because, &end, program),
                None if command.is_optional || is_conditional(settings, program) => {}
                None if program.contains(&b'%') || program.contains(&b'$') => {}
                None => self.scan.found.miss(because, program),
            }
            if is_shell_program(program)
                && let [_, flag, text, ..] = command.words.as_slice()
                && flag.starts_with(b"-")
                && flag.ends_with(b"c")
            {
                self.calls.add(self.scan, file, text);
            }
            for argument in &command.words[1..] {
                let path = argument.rsplit(|&byte| byte == b'=').next();
                self.file(because, path.unwrap_or_default());
            }
        }
    }

    /// An account that nothing makes is missing, unless it is made while the unit runs.
    fn account(&mut self, file: FileId, settings: &[Setting], name: &[u8]) {
        let because = self.scan.because(file, Evidence::Read);
        let is_dynamic = settings.iter().any(|setting| setting.key == b"DynamicUser");
        let is_number = name.iter().all(u8::is_ascii_digit);
        match self.accounts.made_by(name) {
            Some(table) => self.scan.found.need(because, table, name),
            None if is_dynamic || is_number || name.contains(&b'%') => {}
            None => self
                .scan
                .found
                .miss(because, &[b"the account ", name].concat()),
        }
    }

    fn other(&mut self, file: FileId, setting: &Setting) {
        let because = self.scan.because(file, Evidence::Read);
        let value = setting.value.as_slice();
        match setting.key.as_slice() {
            b"EnvironmentFile" => {
                let path = value.strip_prefix(b"-").unwrap_or(value);
                if path.len() > pattern::MAX_PATTERN {
                    let error = GlobError::TooLong(path.len());
                    let text = pattern::unusable(path, &error);
                    self.scan.warn_at(file, setting.line, text);
                }
                let budget = &mut self.scan.found.patterns;
                for end in pattern::expand_from(self.tree, FileId::ROOT, path, budget) {
                    self.file(because, &self.tree.path(end.file));
                }
            }
            b"PAMName" => {
                for folder in [&b"/etc/pam.d/"[..], b"/usr/lib/pam.d/"] {
                    self.file(because, &[folder, value].concat());
                }
            }
            b"BusName" => self.units(because, b"dbus.socket"),
            _ => {}
        }
    }

    /// The regular file at an absolute path, where there is one.
    fn file(&mut self, because: Because, path: &[u8]) {
        if path.first() == Some(&b'/')
            && let Some(end) = self.tree.resolve(path)
            && self.tree.kind(end.file) == FileKind::Regular
        {
            self.scan.found.chain(because, &end, path);
        }
    }
}

/// Whether a unit asks for this path before it starts, and so does nothing without it.
fn is_conditional(settings: &[Setting], path: &[u8]) -> bool {
    settings.iter().any(|setting| {
        setting.key.starts_with(b"Condition") && setting.value.trim_ascii_start().ends_with(path)
    })
}

#[cfg(test)]
mod tests;
