//! Starts QEMU: the parts that all machines share.

use super::VmError;
use std::process::Command;
use std::sync::OnceLock;

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

/// The error for a failed start of QEMU (through `setpriv`).
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
        // Five-level page tables only cost time under emulation, and the promise of quick moves of single bytes is not kept:
        // a boot took 25.6 s of processor time without it and 28.0 s with it.
        Working::Tcg => (emulation(), "max,la57=off,erms=off,fsrm=off"),
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

/// The words for emulation: a thread for each processor where that is sound.
///
/// Before version 8.1 one thread's write could be lost while another translated the same code (QEMU's commit deba78709ae8). A kernel
/// writes into its own code all the time (static branches, probes); then it met a breakpoint that it had taken out again, and
/// panicked or looped for ever: with QEMU 7.2, within 100 rounds of setting and removing a probe in a busy guest's way. On one
/// thread, 3,000 rounds did no harm. A boot that takes 32 s on two idle cores takes 45 s on one thread; three boots at once take
/// 82 s with a thread for each processor and 75 s with one thread. A version that cannot be read counts as an early one.
fn emulation() -> &'static str {
    static WORDS: OnceLock<&str> = OnceLock::new();
    WORDS.get_or_init(|| {
        let printed = Command::new(QEMU).arg("--version").output();
        let text = printed.map(|printed| printed.stdout).unwrap_or_default();
        if version(&String::from_utf8_lossy(&text)) >= Some((8, 1)) {
            "tcg,thread=multi"
        } else {
            "tcg,thread=single"
        }
    })
}

/// Major and minor number in what `--version` prints.
fn version(text: &str) -> Option<(u32, u32)> {
    let (_, after) = text.split_once("version ")?;
    let mut numbers = after.split(|char: char| !char.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_read_and_compared() {
        let debian =
            "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c)";
        assert_eq!(version(debian), Some((7, 2)));
        assert!(version("QEMU emulator version 10.0.2") >= Some((8, 1)));
        assert_eq!(version("QEMU emulator version 8.0.50"), Some((8, 0)));
        for other in ["", "version", "version x.1", "version 8"] {
            assert_eq!(version(other), None);
        }
    }
}
