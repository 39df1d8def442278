//! What can be written on the command line.

use crate::guest::{Accel, Backend, OpenOptions};
use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 done, with findings that --strict turns into failure; 2 usage or failure; \
3 not supported here; 4 a check failed; 130 interrupted.";

/// Opens a virtual machine's disk image, shows what is in it and what needs what, and writes a minimal image that
/// still boots.
///
/// With an IMAGE and no command, the screen opens. The image is never written.
#[derive(Debug, Parser)]
#[command(name = "guestslim", version, after_help = EXIT_CODES, arg_required_else_help = true)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(disable_help_subcommand = true)]
pub struct Args {
    /// What to do without the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The screen's own arguments.
    #[command(flatten)]
    pub screen: ScreenArgs,
}

/// `guestslim IMAGE`.
#[derive(Debug, Group)]
pub struct ScreenArgs {
    /// Disk image (qcow2, raw, vmdk, vdi) or folder with a guest's files
    #[arg(required = true)]
    pub image: Option<PathBuf>,
    /// Profile to start from
    #[arg(short, long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// How the image is opened.
    #[command(flatten)]
    pub open: OpenArgs,
}

/// A command without the screen.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows the operating system, packages, biggest folders, boot chain and warnings
    Inspect(InspectArgs),
    /// Shows what would stay and go, and the projected size; writes nothing
    Plan(PlanArgs),
    /// Shows why something stays or goes
    Why(WhyArgs),
    /// Exports a minimal image as a profile says, unattended
    Replay(ReplayArgs),
    /// Boots a throw-away overlay, runs a command and records what it reads; the image is not changed
    Trace(super::trace::TraceArgs),
    /// Boots a throw-away overlay and checks the image against its source and its profile
    Verify(super::verify::VerifyArgs),
    /// Checks, shows or compares profiles
    Profile(ProfileArgs),
    /// Prints a topic of the manual, or the help of a command
    Help(super::manual::HelpArgs),
    /// Writes man pages into a folder, for packagers
    #[command(hide = true)]
    Man(super::manual::ManArgs),
}

/// How an image is opened.
#[derive(Debug, Clone, Group)]
pub struct OpenArgs {
    /// Format of the image; without it, the format is probed
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
    /// File, or folder, outside of the image's own folder from which the image may take contents (backing files, extents)
    #[arg(long, value_name = "PATH")]
    pub allow_backing: Vec<PathBuf>,
    /// How the image is read
    #[arg(long, value_enum, default_value_t)]
    pub backend: BackendArg,
    /// How virtual machines run
    #[arg(long, value_enum, default_value_t)]
    pub accel: AccelArg,
}

/// How the image is read.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum BackendArg {
    /// A folder as it is; an image directly where that works, else through libguestfs
    #[default]
    Auto,
    /// A folder with a guest's files
    Directory,
    /// An image with ext2/3/4 file systems, directly: libguestfs is never asked, neither to read nor to write
    Ext4,
    /// Any image, through libguestfs
    Libguestfs,
}

/// How virtual machines run.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum AccelArg {
    /// KVM where it works, else emulation
    #[default]
    Auto,
    /// KVM or failure
    Kvm,
    /// Emulation
    Tcg,
}

/// `inspect`.
#[derive(Debug, Group)]
pub struct InspectArgs {
    /// Disk image or folder
    pub image: PathBuf,
    /// How it is opened.
    #[command(flatten)]
    pub open: OpenArgs,
    /// List all packages, not the biggest
    #[arg(long)]
    pub all: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `plan`.
#[derive(Debug, Group)]
pub struct PlanArgs {
    /// Disk image or folder
    pub image: PathBuf,
    /// Profile; without it, nothing is marked and the default rules hold
    #[arg(short, long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// How the image is opened.
    #[command(flatten)]
    pub open: OpenArgs,
    /// List every package and every file that goes
    #[arg(long)]
    pub all: bool,
    /// Fail when there is drift or a warning
    #[arg(long)]
    pub strict: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `why`.
#[derive(Debug, Group)]
pub struct WhyArgs {
    /// Disk image or folder
    pub image: PathBuf,
    /// Profile; without it, nothing is marked and the default rules hold
    #[arg(short, long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Package name, or path in the guest
    pub target: String,
    /// Also show what would have to be marked to bring back what goes, and what it would cost
    #[arg(long)]
    pub not: bool,
    /// How the image is opened.
    #[command(flatten)]
    pub open: OpenArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `replay`.
#[derive(Debug, Group)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct ReplayArgs {
    /// Profile
    pub profile: PathBuf,
    /// Disk image
    pub image: PathBuf,
    /// The image to write
    #[arg(short, long, value_name = "FILE", required_unless_present = "dry_run")]
    pub output: Option<PathBuf>,
    /// Format of the output; without it, what the profile says
    #[arg(long, value_name = "FORMAT")]
    pub output_format: Option<String>,
    /// How it is made: in-place, shrink or repack; without it, what the profile says
    #[arg(long, value_name = "WAY")]
    pub way: Option<String>,
    /// Room to grow in MB, where the disk becomes smaller
    #[arg(long, value_name = "MB")]
    pub slack: Option<u32>,
    /// How the source image is opened.
    #[command(flatten)]
    pub open: OpenArgs,
    /// Show the steps and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Replace an output that exists
    #[arg(long)]
    pub force: bool,
    /// Say what an update from this image, the previous release, would cost
    #[arg(long, value_name = "IMAGE")]
    pub previous: Option<PathBuf>,
    /// Do not boot the output to run the profile's checks
    #[arg(long)]
    pub no_verify: bool,
    /// When checks or units fail or the output does not come up, add what brings back what is missing to a copy of the profile
    /// (PROFILE.healed.ron), export and verify again
    #[arg(long, conflicts_with_all = ["no_verify", "dry_run"])]
    pub heal: bool,
    /// Fail, before anything is written, when there is drift or a warning
    #[arg(long)]
    pub strict: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `profile`.
#[derive(Debug, Group)]
pub struct ProfileArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub command: ProfileCommand,
}

/// What can be done with profiles.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Reads a profile and, with an image, reports drift
    Check {
        /// Profile
        profile: PathBuf,
        /// Disk image or folder to compare with
        image: Option<PathBuf>,
        /// How the image is opened.
        #[command(flatten)]
        open: OpenArgs,
        /// Fail when there is drift
        #[arg(long)]
        strict: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints a profile as guestslim would write it
    Show {
        /// Profile
        profile: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Shows how two profiles differ
    Diff {
        /// The one
        old: PathBuf,
        /// The other
        new: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl OpenArgs {
    /// In the words of the room that opens images.
    pub fn options(&self) -> OpenOptions {
        OpenOptions {
            format: self.format.clone(),
            allow_backing: self.allow_backing.clone(),
            backend: match self.backend {
                BackendArg::Auto => Backend::Auto,
                BackendArg::Directory => Backend::Directory,
                BackendArg::Ext4 => Backend::Ext4,
                BackendArg::Libguestfs => Backend::Libguestfs,
            },
            accel: match self.accel {
                AccelArg::Auto => Accel::Auto,
                AccelArg::Kvm => Accel::Kvm,
                AccelArg::Tcg => Accel::Tcg,
            },
        }
    }
}
