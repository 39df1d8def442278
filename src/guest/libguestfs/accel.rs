//! Decides whether KVM works here: the user's choice, the host's devices, the memory of an earlier start.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How the appliance's processor is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Accel {
    /// KVM where it works, else emulation.
    #[default]
    Auto,
    /// KVM or failure.
    Kvm,
    /// Emulation.
    Tcg,
}

/// Remembers, until the host's next boot, that KVM opens but does not run a guest.
#[derive(Debug)]
pub(super) struct Memory {
    file: Option<PathBuf>,
    boot: String,
}

impl Memory {
    /// The memory in the user's cache folder; forgets everything where there is none.
    pub fn of_user() -> Self {
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let cache =
            absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
        Self::new(
            cache.map(|folder| folder.join("guestslim/kvm-fails")),
            boot_id(),
        )
    }

    fn new(file: Option<PathBuf>, boot: String) -> Self {
        Self { file, boot }
    }

    /// Whether KVM failed since the host was booted.
    pub fn kvm_fails(&self) -> bool {
        let text = self
            .file
            .as_deref()
            .and_then(|file| fs::read_to_string(file).ok());
        !self.boot.is_empty() && text.is_some_and(|text| text.trim() == self.boot)
    }

    /// Notes that KVM failed; a cache that cannot be written costs only time.
    pub fn note_failure(&self) {
        if let Some(file) = self.file.as_deref() {
            let _ = write_private(file, &self.boot);
        }
    }

    /// Notes that KVM works.
    pub fn forget(&self) {
        if let Some(file) = self.file.as_deref() {
            let _ = fs::remove_file(file);
        }
    }
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    fs::write(file, text)
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// Whether this user may open KVM at all.
pub(super) fn kvm_opens() -> bool {
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_probe_is_remembered_until_the_next_boot() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = Some(folder.path().join("deep/kvm-fails"));
        let memory = Memory::new(file.clone(), "boot one".to_owned());
        assert!(!memory.kvm_fails());
        memory.note_failure();
        assert!(memory.kvm_fails());
        assert!(!Memory::new(file, "boot two".to_owned()).kvm_fails());
        memory.forget();
        assert!(!memory.kvm_fails());
    }
}
