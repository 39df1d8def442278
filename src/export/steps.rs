//! From a plan to steps: pure, and the same each time. What `--dry-run` prints is what is carried out.

use super::disk::geometry::{DiskLayout, new_disk};
use super::disk::smaller::shrinkable;
use super::durable;
use super::error::ExportError;
use super::host;
use super::options::{ExportOptions, Initramfs, Way};
use super::removal;
use super::removed;
use super::step::{NewInitramfs, Removal, Step, StepKind, counted};
use crate::load::Loaded;
use crate::model::{Bytes, Inventory};
use crate::pkgdb::Edits;
use crate::plan::Plan;

/// The steps of an export, in order.
///
/// # Errors
/// When the guest is a folder, which has no disk.
pub fn steps(
    loaded: &Loaded,
    plan: &Plan,
    options: &ExportOptions,
) -> Result<Vec<Step>, ExportError> {
    let by_host = host::refusal(&loaded.inventory, options).is_none();
    steps_by(by_host, loaded, plan, options)
}

/// The same, on the host or in the appliance.
pub(super) fn steps_by(
    by_host: bool,
    loaded: &Loaded,
    plan: &Plan,
    options: &ExportOptions,
) -> Result<Vec<Step>, ExportError> {
    let inventory = &loaded.inventory;
    if inventory.origin.format == "directory" {
        return Err(ExportError::IsFolder(inventory.origin.image.clone().into()));
    }
    let mut gone = removal::dropped(inventory, plan);
    let mut edits = durable::edits(inventory, plan, &mut gone);
    removal::mend_links(inventory, &mut gone);
    edits.texts.extend(durable::exclusions(inventory, plan));
    edits
        .texts
        .extend(removed::removed_list(inventory, plan, &gone));
    let removal = removal::removal(inventory, plan, &gone);
    let shrunk = (options.way() == Way::Shrink)
        .then(|| shrinkable(inventory))
        .transpose()?;
    let disk = match options.way() {
        Way::InPlace | Way::Shrink => None,
        Way::Repack => Some(new_disk(inventory, &gone, options.slack)?),
    };

    let (early, late) = if by_host {
        copying(removal)
    } else {
        removing(removal, inventory.origin.is_direct())
    };
    let mut steps = if by_host {
        early.into_iter().collect()
    } else {
        beginning(early, disk.as_ref())
    };
    steps.extend(late);
    push_edits(edits, &mut steps);
    steps.extend(initramfs(loaded, options)?);
    steps.extend(match disk {
        None if by_host || options.format.is_archive() => Vec::new(),
        None => in_place(inventory),
        Some(disk) => disk
            .parts
            .into_iter()
            .map(|part| Step::new(part.heading(), StepKind::Fill(part)))
            .collect(),
    });
    if let Some(disk) = shrunk {
        let number = disk.parts.last().map_or(0, |part| part.number);
        steps.push(Step::new(
            format!("shrink partition {number} and the disk to what they need and room to grow"),
            StepKind::Shrink(disk, options.slack),
        ));
    }
    steps.extend(writing(options));
    Ok(steps)
}

/// What makes sure that nothing of what went is in an output that keeps the source's disk.
fn in_place(inventory: &Inventory) -> Vec<Step> {
    let mut partitions = inventory.origin.partitions.iter();
    let has_swap = partitions.any(|partition| partition.holds == "swap")
        || (inventory.mounts.iter()).any(|mount| mount.file_system.kind == "swap");
    let clear = has_swap.then(|| Step::new("clear swap areas", StepKind::ClearSwap));
    let trim = Step::new("mount again and give freed space back", StepKind::Trim);
    clear.into_iter().chain([trim]).collect()
}

/// What is removed before the appliance is started and what after: a disk that is read directly needs no kernel.
fn removing(removal: Removal, is_direct: bool) -> (Option<Step>, Option<Step>) {
    if removal.files.is_empty() && removal.folders.is_empty() {
        return (None, None);
    }
    let heading = format!(
        "remove {} ({})",
        counted(removal.files.len() as u64, "file"),
        removal.freed
    );
    let remove = Step::new(heading, StepKind::Remove(removal));
    if !is_direct {
        return (None, Some(remove));
    }
    let rest = Step::new("remove what is left of them", StepKind::RemoveRest);
    (Some(remove), Some(rest))
}

/// The step that copies the disk without what is removed, and the one that removes what it leaves.
fn copying(removal: Removal) -> (Option<Step>, Option<Step>) {
    let is_empty = removal.files.is_empty() && removal.folders.is_empty();
    let heading = format!(
        "copy the disk without {} ({}), free space and swap",
        counted(removal.files.len() as u64, "file"),
        removal.freed
    );
    let copy = Step::new(heading, StepKind::Copy(removal));
    let rest = Step::new("remove what is left of them", StepKind::RemoveRest);
    (Some(copy), (!is_empty).then_some(rest))
}

fn beginning(early: Option<Step>, disk: Option<&DiskLayout>) -> Vec<Step> {
    let overlay = "create a throw-away overlay over the source";
    let start = Step::new("start the appliance and mount the guest", StepKind::Start);
    let mut steps = vec![Step::new(overlay, StepKind::Overlay)];
    steps.extend(early);
    let Some(disk) = disk else {
        steps.push(start);
        return steps;
    };
    steps.push(Step::new(
        format!("create a new disk of {}", Bytes(disk.size)),
        StepKind::NewDisk(disk.clone()),
    ));
    steps.push(start);
    steps.push(Step::new(
        "write boot code and partition table",
        StepKind::Partition(disk.clone()),
    ));
    steps
}

fn push_edits(edits: Edits, steps: &mut Vec<Step>) {
    let Edits {
        texts,
        links,
        moves,
    } = edits;
    let heading =
        |verb: &str, count: usize, what: &str| format!("{verb} {}", counted(count as u64, what));
    if !moves.is_empty() {
        steps.push(Step::new(
            heading("move back", moves.len(), "diverted file"),
            StepKind::Move(moves),
        ));
    }
    if !texts.is_empty() {
        steps.push(Step::new(
            heading("write", texts.len(), "record"),
            StepKind::Write(texts),
        ));
    }
    if !links.is_empty() {
        steps.push(Step::new(
            heading("set", links.len(), "link"),
            StepKind::Link(links),
        ));
    }
}

/// The step that puts the new initramfs in the old one's place.
fn initramfs(loaded: &Loaded, options: &ExportOptions) -> Result<Option<Step>, ExportError> {
    let content = match &options.initramfs {
        Initramfs::Rebuilt(content) if options.rebuilds_initramfs() => content,
        _ => return Ok(None),
    };
    let inventory = &loaded.inventory;
    let file = inventory.boot.initramfs.ok_or(ExportError::NoInitramfs)?;
    Ok(Some(Step::new(
        "write the initramfs that the guest's own tools made",
        StepKind::Initramfs(NewInitramfs {
            path: inventory.tree.path(file),
            content: content.clone(),
        }),
    )))
}

fn writing(options: &ExportOptions) -> Vec<Step> {
    let name = options
        .output
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let name = crate::model::text::escape(name.as_bytes()).into_owned();
    let mut steps = if options.format.is_archive() {
        vec![Step::new("pack all files", StepKind::Archive)]
    } else {
        vec![Step::new("check the file systems", StepKind::Check)]
    };
    steps.extend([
        Step::new(
            format!("write the output as {}", options.format.name()),
            StepKind::Convert(options.format),
        ),
        Step::new("check the output", StepKind::Inspect),
    ]);
    if let Some(previous) = &options.previous {
        steps.push(Step::new(
            "compare it with the previous release",
            StepKind::Compare(previous.clone()),
        ));
    }
    steps.push(Step::new(
        format!("give it its name: {name}"),
        StepKind::Publish(options.output.clone()),
    ));
    steps
}
