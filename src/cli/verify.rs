//! `guestslim verify`: prove an image against its source and its profile.

use super::args::OpenArgs;
use super::guest::{Opening, read_profile};
use super::{Outcome, out};
use crate::export::OutputFormat;
use crate::guest::OpenOptions;
use crate::replay::{Opened, Proof, Proving};
use std::path::PathBuf;
use std::time::Duration;

/// `verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Disk image to prove
    pub image: PathBuf,
    /// Profile whose checks must pass
    #[arg(short, long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Image that it was made from, to compare with
    #[arg(long, value_name = "SOURCE")]
    pub against: Option<PathBuf>,
    /// Do not compare the contents of files
    #[arg(long)]
    pub quick: bool,
    /// Start no machine
    #[arg(long)]
    pub no_boot: bool,
    /// Seconds that a boot may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub boot_cap: u32,
    /// Seconds that each check may take
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub check_cap: u32,
    /// How the images are opened.
    #[command(flatten)]
    pub open: OpenArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub fn run(args: &VerifyArgs) -> anyhow::Result<Outcome> {
    let profile = read_profile(args.profile.as_deref())?;
    let opening = Opening::new()?;
    let job = opening.job();
    let open = args.open.options();
    let is_archive =
        |name: &str| OutputFormat::from_name(name).is_some_and(OutputFormat::is_archive);
    let source_open = OpenOptions {
        format: open.format.clone().filter(|name| !is_archive(name)),
        ..open.clone()
    };
    let source = args.against.as_deref();
    let source = source.map(|path| Opened::open_image(path, &source_open, &job));
    let mut source = source.transpose()?;
    let proof = Proof {
        image: &args.image,
        open,
        profile: profile.as_ref(),
        proving: Proving {
            compares_contents: !args.quick,
            boots: !args.no_boot,
            boot_cap: Duration::from_secs(args.boot_cap.into()),
            check_cap: Duration::from_secs(args.check_cap.into()),
        },
        initramfs: None,
    };
    let proved = proof.run(source.as_mut(), &job)?;
    drop(opening);
    if args.json {
        out::print_json(&proved)?;
    } else {
        out::print(&proved.text())?;
    }
    Ok(if proved.report.is_failed() {
        Outcome::CheckFailed
    } else {
        Outcome::Done
    })
}
