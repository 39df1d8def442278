//! How much room an export takes on the host, so that a full disk is a refusal and not a failure half-way.

use super::archive;
use super::options::{ExportOptions, OutputFormat, Way};
use crate::load::Loaded;
use crate::model::Bytes;
use crate::plan::Plan;

/// What an overlay takes besides the blocks that removing touches.
const OVERLAY_BYTES: u64 = 64 << 20;
/// What removing one file writes, at most, on average.
const TOUCHED_BYTES: u64 = 1 << 10;

/// The room that overlay or copy and the output take together, at most.
pub(super) fn needed(
    by_host: bool,
    loaded: &Loaded,
    plan: &Plan,
    options: &ExportOptions,
) -> Bytes {
    let origin = &loaded.inventory.origin;
    let touched = (plan.kept.len() - plan.kept.count_ones(..)) as u64 * TOUCHED_BYTES;
    let output = match options.format {
        OutputFormat::Qcow2 | OutputFormat::Vmdk => plan.after.compressed,
        OutputFormat::Raw | OutputFormat::Vdi | OutputFormat::Vhdx => plan.after.allocated,
        OutputFormat::Tar => Bytes(archive::most(plan)),
        // The archive, the layer, and the layer once more in the image.
        OutputFormat::Oci => {
            Bytes(archive::most(plan)) + plan.after.compressed + plan.after.compressed
        }
    };
    let most = if options.format.is_archive() {
        output
    } else {
        Bytes(output.0.min(origin.virtual_size))
    };
    let new_disk = if by_host || options.way() == Way::Repack {
        plan.after.allocated
    } else {
        Bytes::ZERO
    };
    Bytes(OVERLAY_BYTES + touched) + new_disk + most
}
