//! Finds what an image lacks: runs the lost check, unit or boot on the source and subtracts what the image has.

use super::Case;
use super::prescribe::owner;
use crate::finders::boot::loader_files;
use crate::guest::libguestfs::quoted;
use crate::job::Job;
use crate::model::text::unescape;
use crate::model::{FileId, FileKind};
use crate::plan::Reason;
use crate::session::Session;
use crate::trace::{self, trace};
use crate::vm::wire::Scope;
use crate::vm::{Subject, VmError};
use std::sync::Arc;

/// The missing paths.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files of the source.
    pub missing: Vec<FileId>,
    /// Why there may be more.
    pub incomplete: Option<String>,
}

/// A run on the source: whose touching counts, and what is run. Looks of one width count together.
type Look = (Scope, Vec<Vec<u8>>);

/// Looks ever wider until something is missing. What is read before Linux runs is in no trace; it is looked at first, and where
/// no kernel was started, nothing that Linux touches is the reason.
pub(super) fn look(case: &Case<'_>, job: &Job) -> Result<Found, VmError> {
    let mut loader = Vec::new();
    if case.lost.boot {
        let files = loader_files(&case.source.loaded.inventory);
        loader = cut_too_far(case, missing(case.source, case.image, &files));
    }
    let is_loader = case.lost.loader && !loader.is_empty();
    let mut found = Found::default();
    for width in looks(case, is_loader) {
        found = look_at(case, width, job)?;
        if !found.missing.is_empty() || found.incomplete.is_some() {
            break;
        }
    }
    found.missing.extend(loader);
    found.missing.sort_unstable();
    found.missing.dedup();
    Ok(found)
}

/// All looks of one width. What a check's own processes touch and the image lacks is the reason, whoever it belongs to.
fn look_at(case: &Case<'_>, width: Vec<Look>, job: &Job) -> Result<Found, VmError> {
    let mut found = Found::default();
    let mut others = Vec::new();
    for (scope, commands) in width {
        let of_checks = match scope {
            Scope::Commands => true,
            Scope::SinceUp => case.lost.units.is_empty(),
            Scope::All => false,
        };
        let more = run(case, scope, commands, job)?;
        found.incomplete = found.incomplete.or(more.incomplete);
        if of_checks {
            found.missing.extend(more.missing);
        } else {
            others.extend(more.missing);
        }
    }
    let cut = only_cut(case, &others);
    if cut.is_empty() && found.missing.is_empty() {
        found.missing = others;
    } else {
        found.missing.extend(cut);
    }
    Ok(found)
}

/// What a check's own processes touch comes first. Only where the image has all of that, the work must have been done by somebody
/// whom the check asked (a service), and what all of the guest touched meanwhile is looked at. A unit is started anew by
/// systemd, in a run of its own, since its neighbours' files count, too; what it did only while the guest came up is in the
/// trace of the boot.
fn looks(case: &Case<'_>, is_loader: bool) -> Vec<Vec<Look>> {
    let checks: Vec<Vec<u8>> = case.checks().map(<[u8]>::to_vec).collect();
    let units = case.lost.units.iter();
    let restarts: Vec<Vec<u8>> = units.map(|unit| restart(&unescape(unit))).collect();
    if case.lost.boot && !is_loader {
        return vec![vec![(Scope::All, Vec::new())]];
    }
    if restarts.is_empty() && checks.is_empty() {
        return Vec::new();
    }
    if restarts.is_empty() {
        let wide = (Scope::SinceUp, checks.clone());
        return vec![vec![(Scope::Commands, checks)], vec![wide]];
    }
    let both = restarts.into_iter().chain(checks.clone()).collect();
    let mut narrow = vec![(Scope::Commands, checks.clone()), (Scope::SinceUp, both)];
    narrow.retain(|(_, commands)| !commands.is_empty());
    vec![narrow, vec![(Scope::All, checks)]]
}

/// The shell line that restarts a unit, whatever its name.
fn restart(unit: &[u8]) -> Vec<u8> {
    [b"systemctl restart -- ", &quoted(unit)[..]].concat()
}

fn run(case: &Case<'_>, scope: Scope, commands: Vec<Vec<u8>>, job: &Job) -> Result<Found, VmError> {
    let request = trace::Request {
        commands,
        boot_cap: case.boot_cap,
        command_cap: case.check_cap,
        scope,
        ..trace::Request::default()
    };
    let traced = trace(case.source, &request, case.accel, &mut |_| (), job)?;
    Ok(Found {
        missing: missing(case.source, case.image, &traced.files),
        incomplete: traced.incomplete,
    })
}

/// A boot also touches what the profile dropped on purpose: packages, and what rules take. So what was cut out of packages
/// that stay, and what none owns, is mended first; the rest counts only where that is not enough.
fn cut_too_far(case: &Case<'_>, missing: Vec<FileId>) -> Vec<FileId> {
    let cut = only_cut(case, &missing);
    if cut.is_empty() { missing } else { cut }
}

/// What was cut out of packages that stay, and what none owns and no rule takes.
fn only_cut(case: &Case<'_>, missing: &[FileId]) -> Vec<FileId> {
    let session = Session::new(Arc::clone(&case.source.loaded), case.profile.intent());
    let plan = session.plan();
    let is_cut = |&file: &FileId| {
        let owner = owner(&session, file);
        let is_ruled_out = matches!(plan.reasons[file.index()], Reason::Rule(_));
        !is_ruled_out && owner.is_none_or(|package| plan.keeps_package(package))
    };
    missing.iter().copied().filter(is_cut).collect()
}

/// What was touched on the source and is not in the image. What the image can make again (byte code of a source that it has) is
/// not missing.
pub fn missing(source: &Subject, image: &Subject, touched: &[FileId]) -> Vec<FileId> {
    let (before, after) = (&source.loaded.inventory, &image.loaded.inventory.tree);
    let is_there = |file: FileId| after.lookup(&before.tree.path(file)).is_some();
    let can_be_made = |file: FileId| {
        before.tree.kind(file) == FileKind::Regular
            && before.follows[file.index()].is_some_and(is_there)
    };
    let touched = touched.iter().copied();
    touched
        .filter(|&file| !is_there(file) && !can_be_made(file))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_units_name_is_one_word_of_the_shell() {
        assert_eq!(
            restart(b"a@b.service"),
            b"systemctl restart -- 'a@b.service'"
        );
        assert_eq!(restart(b"x'; y"), br"systemctl restart -- 'x'\''; y'");
    }
}
