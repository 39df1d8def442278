//! The firmware that a machine starts with: QEMU's own BIOS, or UEFI for images that boot only by UEFI.

use super::VmError;
use crate::guest::boots_only_by_uefi;
use crate::guest::image::Image;
use crate::job::Job;
use std::path::{Path, PathBuf};

/// Where distributions put the firmware's code and its variables' first state.
const UEFI: [(&str, &str); 4] = [
    (
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    (
        "/usr/share/OVMF/OVMF_CODE.fd",
        "/usr/share/OVMF/OVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/ovmf/OVMF_CODE.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
        "/usr/share/edk2/x64/OVMF_VARS.4m.fd",
    ),
];

/// A machine's firmware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Firmware {
    /// The one that QEMU brings.
    Bios,
    /// UEFI: files of the host with its code and with variables that nobody has set yet.
    Uefi {
        /// The code.
        code: PathBuf,
        /// The variables; never written.
        variables: PathBuf,
    },
}

impl Firmware {
    /// The one that can start this image.
    pub fn of(image: &Image, job: &Job) -> Result<Self, VmError> {
        if !boots_only_by_uefi(image, job)? {
            return Ok(Self::Bios);
        }
        let found = UEFI.iter().find(|(code, variables)| {
            [code, variables]
                .iter()
                .all(|path| Path::new(path).is_file())
        });
        let (code, variables) = found.ok_or_else(|| VmError::Unsupported {
            what: "the image boots only by UEFI, and no such firmware is installed".to_owned(),
            hint: "apt-get install ovmf".to_owned(),
        })?;
        Ok(Self::Uefi {
            code: code.into(),
            variables: variables.into(),
        })
    }

    /// QEMU's arguments for it.
    pub fn arguments(&self) -> Vec<String> {
        let Self::Uefi { code, variables } = self else {
            // Without a screen it prints on the serial port, and so does a boot loader that has not read its settings yet.
            return ["-machine", "graphics=off"].map(str::to_owned).to_vec();
        };
        let code = format!(
            "if=pflash,unit=0,format=raw,readonly=on,file={}",
            code.display()
        );
        let variables = format!(
            "if=pflash,unit=1,format=raw,snapshot=on,file={}",
            variables.display()
        );
        ["-drive", &code, "-drive", &variables]
            .map(str::to_owned)
            .to_vec()
    }
}
