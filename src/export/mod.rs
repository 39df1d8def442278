//! Writes the minimal image: the only room that writes, and it never writes to the source.
//!
//! [`steps`] says what would be done, [`export`] does just that: on a throw-away overlay in the appliance, then as a
//! new image that appears whole, by rename, or not at all.

mod archive;
mod checker;
mod disk;
mod durable;
mod editor;
mod epoch;
mod error;
mod guard;
mod host;
mod image;
mod options;
mod place;
mod program;
mod record;
mod removal;
mod removed;
mod repack;
mod report;
mod room;
mod run;
mod shrink;
mod step;
mod steps;
mod surgery;
mod trim;
mod unlink;
mod update;
mod workshop;

pub use archive::{Each, Layout, Listing, list};
pub use disk::geometry::{DiskLayout, Fill, Part};
pub use error::ExportError;
pub use options::{Compression, ExportOptions, Initramfs, OutputFormat, Way};
pub use place::{beside, is_one_file};
pub use report::{
    BESIDE, Beside, FullReport, ImageSizes, PackageCounts, Report, StepTime, Verified, hex,
    plan_hash,
};
pub use run::{check, export};
pub use step::{NewInitramfs, NewLink, NewText, Removal, Step, StepKind};
pub use steps::steps;
pub use update::UpdateCost;
