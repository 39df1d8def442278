//! Starting QEMU: what all machines share.

use super::VmError;

/// The program that runs machines of this host's architecture.
pub const QEMU: &str = "qemu-system-x86_64";

/// How a machine's processor is made, known to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Working {
    /// By the host's own processor.
    Kvm,
    /// Emulated.
    Tcg,
}

/// Whether this user may open KVM at all; whether it runs a guest is another question.
pub fn kvm_opens() -> bool {
    let kvm = std::path::Path::new("/dev/kvm");
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(kvm)
        .is_ok()
}

/// The program and first arguments that make the kernel kill `program` when this thread dies.
pub fn tied_to_us(program: &str) -> (&'static str, Vec<String>) {
    let words = ["--pdeathsig", "KILL", "--", program];
    ("setpriv", words.map(str::to_owned).to_vec())
}

/// What a failed start of QEMU (through `setpriv`) means.
pub fn cannot_start(source: std::io::Error) -> VmError {
    if source.kind() == std::io::ErrorKind::NotFound {
        return VmError::Unsupported {
            what: "setpriv is not installed".to_owned(),
            hint: "apt-get install util-linux".to_owned(),
        };
    }
    VmError::host("start", QEMU.as_ref(), source)
}

/// Fails when QEMU is not there.
pub fn require_qemu() -> Result<(), VmError> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&folders).any(|folder| folder.join(QEMU).is_file()) {
        return Ok(());
    }
    Err(VmError::Unsupported {
        what: format!("{QEMU} is not installed"),
        hint: "apt-get install qemu-system-x86".to_owned(),
    })
}

/// No screen, no devices but those that follow, no rights beyond what a machine needs.
pub fn common_arguments(accel: Working) -> Vec<String> {
    let (accel, cpu) = match accel {
        Working::Kvm => ("kvm", "host"),
        // Five-level page tables only cost time under emulation.
        Working::Tcg => ("tcg,thread=multi", "max,la57=off"),
    };
    let sandbox = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";
    let words = [
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-sandbox",
        sandbox,
        "-accel",
        accel,
        "-cpu",
        cpu,
    ];
    words.map(str::to_owned).to_vec()
}
