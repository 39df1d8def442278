//! What a confined program may do: read the system's own programs and libraries, use the files that it was handed, and
//! nothing else.
//!
//! Two layers of the Linux kernel, each used where it is there: Landlock limits which files can be opened (and TCP where
//! it can), seccomp forbids sockets of any kind and the system calls that manage mounts, other processes and the kernel
//! itself. Both hold for the thread that asks for them and for what it starts, so a thread of its own starts the program.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch};
use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

/// The newest version of Landlock that is asked for; an older kernel does what it can.
const NEWEST: ABI = ABI::V6;

/// Where programs and their libraries lie, on all distributions.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/gnu/store",
];

/// What the loader and the C library read at each start.
const SETTINGS: &[&str] = &["/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime"];

/// Devices without a state.
const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// The layers of confinement that are active for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layers {
    /// The program opens only the system's files and those that it was handed.
    pub landlock: bool,
    /// The program has no network and cannot reach other processes.
    pub seccomp: bool,
}

impl Layers {
    /// The layers' names, none where nothing confines.
    pub fn names(self) -> Vec<&'static str> {
        let layers = [(self.landlock, "landlock"), (self.seccomp, "seccomp")];
        let active = layers.into_iter().filter(|(is_active, _)| *is_active);
        active.map(|(_, name)| name).collect()
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names()[..] {
            [] => f.write_str("not confined"),
            ref names => write!(f, "confined by {}", names.join(" and ")),
        }
    }
}

/// Folders that a program may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folders<'a> {
    /// In which it may make, change and remove files.
    pub written: &'a [PathBuf],
    /// In which it may read files.
    pub read: &'a [PathBuf],
}

/// Confines the calling thread and all that it starts from now on, as far as the kernel can.
///
/// `program` is the program's own path, `files` are the files that it may open again.
pub(super) fn confine(program: &Path, files: &[BorrowedFd<'_>], folders: Folders<'_>) -> Layers {
    Layers {
        landlock: restrict_files(program, files, folders).unwrap_or(false),
        seccomp: forbidden().is_some_and(|filter| seccompiler::apply_filter(&filter).is_ok()),
    }
}

/// Whether Landlock is active now.
fn restrict_files(
    program: &Path,
    files: &[BorrowedFd<'_>],
    folders: Folders<'_>,
) -> Result<bool, RulesetError> {
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let run = AccessFs::from_read(NEWEST);
    let own = program.parent().and_then(Path::parent);
    let system = SYSTEM.iter().map(Path::new).chain(own);
    let mut rules = system.into_iter().try_fold(rules, |rules, path| {
        allow(rules, path, run & AccessFs::from_all(NEWEST))
    })?;
    for path in SETTINGS {
        rules = allow(rules, Path::new(path), AccessFs::ReadFile.into())?;
    }
    for path in DEVICES {
        rules = allow(
            rules,
            Path::new(path),
            AccessFs::ReadFile | AccessFs::WriteFile,
        )?;
    }
    for path in folders.written {
        rules = allow(rules, path, AccessFs::from_all(NEWEST))?;
    }
    for path in folders.read {
        rules = allow(rules, path, AccessFs::ReadFile.into())?;
    }
    for file in files {
        rules = rules.add_rule(PathBeneath::new(*file, of_file(*file)))?;
    }
    let status = rules.restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// What may be done with a handed file: what it was opened for.
fn of_file(file: BorrowedFd<'_>) -> landlock::BitFlags<AccessFs> {
    let flags = rustix::fs::fcntl_getfl(file).unwrap_or(rustix::fs::OFlags::RDONLY);
    if flags.intersects(rustix::fs::OFlags::RDWR | rustix::fs::OFlags::WRONLY) {
        AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate
    } else {
        AccessFs::ReadFile.into()
    }
}

/// Adds a rule for a path; one that is not there needs none.
fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: landlock::BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(place) = PathFd::new(path) else {
        return Ok(rules);
    };
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(NEWEST)
    };
    rules.add_rule(PathBeneath::new(place, access))
}

/// The filter of system calls; `None` on an architecture that the filter's compiler does not know.
fn forbidden() -> Option<BpfProgram> {
    #[rustfmt::skip]
    let calls = [
        libc::SYS_socket, libc::SYS_connect, libc::SYS_bind, libc::SYS_listen,
        libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot, libc::SYS_unshare, libc::SYS_setns,
        libc::SYS_fsopen, libc::SYS_fsconfig, libc::SYS_fsmount, libc::SYS_move_mount, libc::SYS_open_tree,
        libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_pidfd_getfd,
        libc::SYS_open_by_handle_at, libc::SYS_name_to_handle_at,
        libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_userfaultfd, libc::SYS_io_uring_setup,
        libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl,
        libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_kexec_load, libc::SYS_reboot,
        libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_settimeofday, libc::SYS_clock_settime,
    ];
    let rules: BTreeMap<i64, Vec<SeccompRule>> =
        calls.into_iter().map(|call| (call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let arch = TargetArch::try_from(std::env::consts::ARCH).ok()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).ok()?;
    filter.try_into().ok()
}
