//! What a person wishes of an output, where the profile does not say it or says something else.

use crate::export::{ExportOptions, Initramfs, OutputFormat, Way};
use crate::guest::OpenOptions;
use crate::model::Bytes;
use crate::profile::Profile;
use std::path::PathBuf;

/// Wishes; what is `None` is as the profile says.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Where the output goes; without it, `output.FORMAT` here, which only a dry run does without asking.
    pub output: Option<PathBuf>,
    /// Its format.
    pub format: Option<OutputFormat>,
    /// How it is made.
    pub way: Option<Way>,
    /// Room to grow on a disk that becomes smaller.
    pub slack: Option<Bytes>,
    /// Whether something that is there already may be replaced.
    pub force: bool,
    /// The previous release's output, where the cost of an update from it is to be known.
    pub previous: Option<PathBuf>,
    /// How the source is opened.
    pub open: OpenOptions,
}

impl Wishes {
    /// The wishes, and the profile's where there is none.
    pub fn options(self, profile: &Profile) -> ExportOptions {
        let wishes = &profile.output;
        let format = self.format.unwrap_or_else(|| wishes.format.into());
        let unnamed = || PathBuf::from(format!("output.{}", format.name()));
        ExportOptions {
            output: self.output.unwrap_or_else(unnamed),
            format,
            initramfs: Initramfs::of(&profile.intent),
            compression: wishes.compression.into(),
            way: self.way.unwrap_or_else(|| wishes.way.into()),
            slack: self.slack.or_else(|| wishes.slack_bytes()),
            force: self.force,
            previous: self.previous,
            open: self.open,
            profile: Some(profile.clone()),
        }
    }
}
