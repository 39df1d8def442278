//! Boots a guest directly with the tracer, runs commands in it, and collects what they touched.

use super::VmError;
use super::accel::{self, Working};
use super::console::{Console, Sign};
use super::initramfs::{self, FIRST_PROGRAM};
use super::machine::{Caps, Ending, Machine, Start, Watch};
use super::record::Record;
use super::wire::{Frame, Orders};
use crate::guest::image::Image;
use crate::guest::{Accel, Guest};
use crate::job::Job;
use crate::model::{BootChain, FileId, FileTree};
use std::path::PathBuf;
use std::time::Duration;

/// The longest kernel or initramfs that is read.
const MAX_BOOT_FILE: u64 = 1 << 30;

/// Kernel, initramfs and command line: everything to start a guest without its boot loader.
#[derive(Debug, Clone)]
pub struct Direct {
    /// The image.
    pub image: Image,
    /// The kernel's bytes.
    pub kernel: Vec<u8>,
    /// The initramfs's bytes.
    pub initramfs: Vec<u8>,
    /// The default entry's command line.
    pub command_line: String,
    /// A file of the host that the guest gets as a second disk, read-only: the way to bring something in without a network.
    pub cargo: Option<PathBuf>,
    /// A file of the host that the guest gets as another disk, to write on: the way to bring something out.
    pub spare: Option<PathBuf>,
}

/// The result of a direct boot.
#[derive(Debug)]
pub struct Session {
    /// The tracer's report.
    pub record: Record,
    /// The guest's console output.
    pub console: Console,
    /// Why the machine did not end by itself; `None` when it did.
    pub trouble: Option<String>,
    /// From start to end.
    pub time: Duration,
}

impl Direct {
    /// Reads kernel and initramfs of the default boot entry out of a guest.
    pub fn read(
        guest: &mut dyn Guest,
        image: &Image,
        tree: &FileTree,
        boot: &BootChain,
        job: &Job,
    ) -> Result<Self, VmError> {
        let missing = |what: &str| {
            VmError::NotDirect(format!("no {what} was found for its default boot entry"))
        };
        let kernel = boot.kernel.ok_or_else(|| missing("kernel"))?;
        let initramfs = boot.initramfs.ok_or_else(|| missing("initramfs"))?;
        Ok(Self {
            image: image.clone(),
            kernel: whole(guest, tree, kernel, job)?,
            initramfs: whole(guest, tree, initramfs, job)?,
            command_line: boot.command_line.clone(),
            cargo: None,
            spare: None,
        })
    }

    /// The number of the serial port that the guest does not use as a console: the second one, unless the command line names it.
    fn port(&self) -> Result<u32, VmError> {
        let is_console =
            |word: &str| word.starts_with("console=ttyS1") || word.starts_with("console=uart");
        if self.command_line.split_ascii_whitespace().any(is_console) {
            return Err(VmError::NotDirect(
                "its console is on the second serial port".to_owned(),
            ));
        }
        Ok(1)
    }
}

fn whole(
    guest: &mut dyn Guest,
    tree: &FileTree,
    file: FileId,
    job: &Job,
) -> Result<Vec<u8>, VmError> {
    const STEP: usize = 4 << 20;
    let size = tree.size(file);
    if size > MAX_BOOT_FILE {
        return Err(VmError::NotDirect(
            "its kernel or initramfs is larger than 1 GiB".to_owned(),
        ));
    }
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < size {
        job.check()?;
        let part = guest.read(tree, file, bytes.len() as u64, STEP)?;
        if part.is_empty() {
            break;
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// Chooses how the machine's processor is made. KVM that opens may still fail to run a guest (nested, or forbidden by the
/// host's own hypervisor), and QEMU then stands still for ever: so the guest's own kernel has a few seconds to say a word.
pub fn choose_accel(accel: Accel, direct: &Direct, job: &Job) -> Result<Working, VmError> {
    const PROBE: Duration = Duration::from_secs(10);
    match accel {
        Accel::Kvm => return Ok(Working::Kvm),
        Accel::Auto if accel::kvm_opens() => {}
        Accel::Auto | Accel::Tcg => return Ok(Working::Tcg),
    }
    let caps = Caps {
        time: PROBE,
        ..Caps::default()
    };
    let mut first_word = |_: &Frame| true;
    let probe = run_commands(
        direct,
        &Orders::default(),
        Working::Kvm,
        caps,
        &mut first_word,
        job,
    );
    match probe {
        Ok(session) if !session.record.kernel.is_empty() => Ok(Working::Kvm),
        Ok(_) | Err(VmError::Qemu(_)) => Ok(Working::Tcg),
        Err(error) => Err(error),
    }
}

/// Shows what commands print while they run.
struct Listener<'a> {
    live: &'a mut dyn FnMut(&Frame) -> bool,
    folder: Option<tempfile::TempDir>,
    stuck: Option<&'static str>,
}

impl Watch for Listener<'_> {
    fn sign(&mut self, sign: Sign) -> bool {
        if let Sign::Stuck(why) | Sign::NoKernel(why) = sign {
            self.stuck = Some(why);
        }
        self.stuck.is_some()
    }

    fn frame(&mut self, frame: &Frame) -> bool {
        // QEMU has loaded kernel and initramfs long before the guest's first word.
        self.folder = None;
        (self.live)(frame)
    }
}

/// The command line with the tracer as the first program; what follows two dashes is the init system's.
fn with_first_program(command_line: &str) -> String {
    match command_line.split_once(" -- ") {
        Some((kernel, init)) => format!("{kernel} {FIRST_PROGRAM} -- {init}"),
        None => format!("{command_line} {FIRST_PROGRAM}"),
    }
}

/// Boots a guest with the tracer, lets it carry out `orders`, and hands back what it reported; `live` sees each frame
/// as it comes and ends the machine with `true`.
pub fn run_commands(
    direct: &Direct,
    orders: &Orders,
    accel: Working,
    caps: Caps,
    live: &mut dyn FnMut(&Frame) -> bool,
    job: &Job,
) -> Result<Session, VmError> {
    accel::require_qemu()?;
    let orders = Orders {
        port: direct.port()?,
        ..orders.clone()
    };
    let folder = tempfile::Builder::new().prefix("guestslim-").tempdir();
    let folder = folder.map_err(|source| VmError::host("write", &std::env::temp_dir(), source))?;
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).map_err(|source| VmError::host("write", &path, source))?;
        Ok::<_, VmError>(path)
    };
    let kernel = put("kernel", &direct.kernel)?;
    let archive = initramfs::with_tracer(direct.initramfs.clone(), &orders)?;
    let initramfs = put("initramfs", &archive)?;
    let command_line = with_first_program(&direct.command_line);
    let machine = Machine {
        image: direct.image.clone(),
        cargo: direct.cargo.clone(),
        spare: direct.spare.clone(),
        start: Start::Direct {
            kernel,
            initramfs,
            command_line,
        },
        accel,
        memory: 1024,
        has_network: false,
        caps,
    };
    let mut listener = Listener {
        live,
        folder: Some(folder),
        stuck: None,
    };
    let remains = machine.run(&mut listener, job)?;
    let trouble = match (listener.stuck, remains.ending) {
        (Some(why), _) => Some(why.to_owned()),
        (None, Ending::TimedOut) => Some(format!("it exceeded {} s", caps.time.as_secs())),
        (None, Ending::Flooded) => Some("it printed too much".to_owned()),
        (None, Ending::Off | Ending::Enough) => None,
    };
    Ok(Session {
        record: remains.record,
        console: remains.console,
        trouble,
        time: remains.time,
    })
}
