//! Starts the appliance within a bounded time: KVM where it works, else emulation, and says which.

use super::accel::{Accel, Memory, kvm_opens};
use super::watch::{Ending, watched};
use super::{Access, Appliance, Drive, appliance_error, ffi, one_line};
use crate::guest::GuestError;
use crate::guest::nbd::Server;
use crate::job::{Cancelled, Job};
use guestfs::Handle;
use std::path::Path;
use std::time::Duration;

/// A KVM appliance is up after 3 to 5 seconds; one that KVM cannot run never is.
const KVM_LIMIT: Duration = Duration::from_secs(25);

/// Under emulation 10 seconds are usual; a busy machine may need minutes.
const TCG_LIMIT: Duration = Duration::from_secs(300);

/// What installs the appliance on Debian and Ubuntu.
const INSTALL: &str =
    "sudo apt-get install libguestfs-tools qemu-system-x86 linux-image-cloud-amd64";

/// Why one start failed.
enum Failed {
    Cancelled,
    TimeOver,
    Error(GuestError),
}

impl Appliance {
    /// Starts an appliance with these drives, in this order: `/dev/sda`, `/dev/sdb` ...
    pub fn launch(drives: &[Drive<'_>], accel: Accel, job: &Job) -> Result<Self, GuestError> {
        let (sources, servers) = sources(drives)?;
        let mut appliance = Self::launch_with(&sources, accel, job)?;
        appliance.servers = servers;
        Ok(appliance)
    }

    fn launch_with(drives: &[Source], accel: Accel, job: &Job) -> Result<Self, GuestError> {
        let memory = Memory::of_user();
        let mut notes = Vec::new();
        if tries_kvm(accel, &memory, &mut notes) {
            match Self::launch_kvm(drives, accel, &memory, job)? {
                Ok(handle) => return Ok(Self::running(handle, Accel::Kvm, notes)),
                Err(note) => notes.push(note),
            }
        }
        job.items("starting the appliance under emulation", 0, None);
        let handle = start(drives, Accel::Tcg, TCG_LIMIT, job).map_err(Failed::into_error)?;
        Ok(Self::running(handle, Accel::Tcg, notes))
    }

    fn running(handle: Handle, accel: Accel, notes: Vec<String>) -> Self {
        Self {
            handle,
            accel,
            notes,
            servers: Vec::new(),
        }
    }

    /// The handle, or the note that says why emulation comes next.
    fn launch_kvm(
        drives: &[Source],
        accel: Accel,
        memory: &Memory,
        job: &Job,
    ) -> Result<Result<Handle, String>, GuestError> {
        job.items("starting the appliance", 0, None);
        let is_forced = accel == Accel::Kvm;
        let limit = if is_forced { TCG_LIMIT } else { KVM_LIMIT };
        let why = match start(drives, Accel::Kvm, limit, job) {
            Ok(handle) => {
                memory.forget();
                return Ok(Ok(handle));
            }
            Err(failed @ Failed::Cancelled) => return Err(failed.into_error()),
            Err(failed) if is_forced => return Err(failed.into_error()),
            Err(Failed::Error(error @ GuestError::Unsupported { .. })) => return Err(error),
            Err(Failed::TimeOver) => format!("no answer in {} s", limit.as_secs()),
            Err(Failed::Error(error)) => first_sentence(&error.to_string()).to_owned(),
        };
        memory.note_failure();
        Ok(Err(format!(
            "KVM is here but does not run the appliance ({why}); it runs under emulation, which is slower"
        )))
    }
}

/// What the library says before it goes on with advice for its own developers.
fn first_sentence(text: &str) -> &str {
    text.split_once(". ").map_or(text, |(first, _)| first)
}

fn tries_kvm(accel: Accel, memory: &Memory, notes: &mut Vec<String>) -> bool {
    if accel != Accel::Auto || is_tcg_forced() {
        return accel == Accel::Kvm;
    }
    let reason = if !kvm_opens() {
        "KVM cannot be opened here"
    } else if memory.kvm_fails() {
        "KVM failed since this host was booted"
    } else {
        return true;
    };
    notes.push(format!(
        "{reason}; the appliance runs under emulation, which is slower"
    ));
    false
}

/// Whether the user told libguestfs itself not to use KVM.
fn is_tcg_forced() -> bool {
    std::env::var("LIBGUESTFS_BACKEND_SETTINGS")
        .is_ok_and(|settings| settings.split(':').any(|setting| setting == "force_tcg"))
}

fn start(drives: &[Source], accel: Accel, limit: Duration, job: &Job) -> Result<Handle, Failed> {
    let handle = Handle::create()
        .map_err(|_| Failed::Error(appliance_error("start", b"the library gives no handle")))?;
    ffi::silence(&handle);
    // Behind the type that the whole room uses, so that failures are put in words in one place.
    let appliance = Appliance::running(handle, accel, Vec::new());
    appliance
        .configure(drives)
        .map_err(|error| Failed::Error(in_words(error)))?;
    let (launched, ending) = watched(job, Some(limit), || {
        appliance.call("start the appliance", Handle::launch)
    });
    match (launched, ending) {
        (_, Ending::Cancelled) => Err(Failed::Cancelled),
        (Ok(()), _) => Ok(appliance.handle),
        (Err(_), Ending::TimeOver) => Err(Failed::TimeOver),
        (Err(error), Ending::Itself) => Err(Failed::Error(in_words(error))),
    }
}

/// For the kernel of an emulated appliance, which takes a tenth less time with it: nothing is to be guarded from what an
/// emulated processor does not do (speculate), and "erms" and "fsrm" (the numbers) promise quick moves of single bytes, which
/// emulation makes slow.
const EMULATED: &str = "mitigations=off clearcpuid=297,580";

impl Appliance {
    fn configure(&self, drives: &[Source]) -> Result<(), GuestError> {
        let force = match self.accel {
            Accel::Kvm | Accel::Auto => "force_kvm",
            Accel::Tcg => "force_tcg",
        };
        let host = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // More than one emulated processor only makes the emulation's threads wait for each other.
        let most = if self.accel == Accel::Tcg { 1 } else { 4 };
        let cores = i32::try_from(host.min(most)).unwrap_or(1);
        self.call("configure the appliance", |handle| {
            handle.set_backend("direct")?;
            handle.set_backend_settings(&[force])?;
            handle.set_trace(false)?;
            handle.set_verbose(false)?;
            handle.set_network(false)?;
            if self.accel == Accel::Tcg && std::env::var_os("LIBGUESTFS_APPEND").is_none() {
                handle.set_append(Some(EMULATED))?;
            }
            handle.set_smp(cores)
        })?;
        (0..)
            .zip(drives)
            .try_for_each(|(at, drive)| self.add_drive(drive, at))
    }

    fn add_drive(&self, source: &Source, at: u8) -> Result<(), GuestError> {
        let label = label(at);
        let server = [source.server.as_deref().unwrap_or_default()];
        let options = guestfs::AddDriveOptArgs {
            readonly: Some(!source.writes),
            // What a server shows are the disk's own bytes.
            format: Some("raw"),
            label: Some(label.as_str()),
            protocol: source.server.is_some().then_some("nbd"),
            server: source.server.is_some().then_some(&server),
            // What is discarded must leave the file, or an export would carry it along.
            discard: source.writes.then_some("enable"),
            cachemode: source.writes.then_some("unsafe"),
            ..no_drive_options()
        };
        self.call("add the drive", |handle| {
            handle.add_drive(&source.file, options)
        })
    }
}

/// A drive as the library takes it.
struct Source {
    /// A file, or nothing where a server has the disk.
    file: String,
    /// The server's address.
    server: Option<String>,
    writes: bool,
}

/// The drives for the library, and the servers behind them, which must live as long as the appliance.
fn sources(drives: &[Drive<'_>]) -> Result<(Vec<Source>, Vec<Server>), GuestError> {
    let (mut sources, mut servers) = (Vec::new(), Vec::new());
    for drive in drives {
        sources.push(match *drive {
            Drive::Raw(path) => Source {
                file: text(path)?,
                server: None,
                writes: true,
            },
            Drive::Served {
                path,
                graph,
                access,
            } => {
                let server = Server::lasting(path, graph, access)?;
                let address = format!("unix:{}", text(&server.socket())?);
                servers.push(server);
                Source {
                    file: String::new(),
                    server: Some(address),
                    writes: access == Access::Write,
                }
            }
        });
    }
    Ok((sources, servers))
}

/// An absolute path as the library takes it.
fn text(path: &Path) -> Result<String, GuestError> {
    let absolute = std::path::absolute(path).map_err(|source| GuestError::Host {
        operation: "read",
        path: path.to_owned(),
        source,
    })?;
    let text = absolute.to_str().ok_or_else(|| GuestError::Image {
        path: path.to_owned(),
        why: "libguestfs takes only file names that are UTF-8".to_owned(),
    })?;
    Ok(text.to_owned())
}

/// The label of the drive at this position; letters only, as the library wants it.
fn label(at: u8) -> String {
    format!("drive{}", char::from(b'a' + at))
}

/// The kernel's device of the drive at this position, for commands in the appliance, whatever its order of drives.
pub fn device(at: u8) -> String {
    format!("/dev/disk/guestfs/{}", label(at))
}

fn no_drive_options<'a>() -> guestfs::AddDriveOptArgs<'a> {
    guestfs::AddDriveOptArgs {
        readonly: None,
        format: None,
        iface: None,
        name: None,
        label: None,
        protocol: None,
        server: None,
        username: None,
        secret: None,
        cachemode: None,
        discard: None,
        copyonread: None,
    }
}

impl Failed {
    fn into_error(self) -> GuestError {
        match self {
            Self::Cancelled => GuestError::Cancelled(Cancelled),
            Self::Error(error) => error,
            Self::TimeOver => appliance_error(
                "start the appliance",
                b"it did not answer in time; `libguestfs-test-tool` shows why",
            ),
        }
    }
}

/// Tells a missing program or kernel from a failure.
fn in_words(error: GuestError) -> GuestError {
    let GuestError::Appliance { operation, why } = error else {
        return error;
    };
    // What a shell answers that does not find the program.
    if why.contains("qemu-img") && why.contains("status 127") {
        return GuestError::Unsupported {
            what: "qemu-img is not installed".to_owned(),
            hint: INSTALL.to_owned(),
        };
    }
    let missing = [
        "supermin",
        "cannot find any suitable",
        "No such file",
        "not found",
    ];
    if missing.iter().any(|word| why.contains(word)) {
        return GuestError::Unsupported {
            what: format!("libguestfs cannot build or start its appliance: {why}"),
            hint: INSTALL.to_owned(),
        };
    }
    GuestError::Appliance {
        operation,
        why: one_line(format!("{why}; `libguestfs-test-tool` shows more").as_bytes()),
    }
}
