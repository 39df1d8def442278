//! Has the guest make its initramfs anew, smaller: boots the source on a throw-away overlay and runs the guest's own tool there, with the
//! drivers that the running root needs and those of the disks that the declared hypervisors show.
//!
//! The result comes out over a second, empty disk. It is checked here as far as it can be without booting it; whether it boots
//! is what `verify` proves. Only initramfs-tools is known.

mod archive;

use crate::export::hex;
use crate::guest::Accel;
use crate::job::Job;
use crate::model::Inventory;
use crate::model::text::escape;
use crate::plan::hardware::{HypervisorId, disk_drivers};
use crate::vm::wire::{Command, Frame, Orders};
use crate::vm::{
    Caps, Direct, Outcome, SPARE_SERIAL, Subject, VmError, choose_accel, run_commands,
};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// No initramfs may be longer.
const LONGEST: u64 = 512 << 20;
/// How long the boot, and then the tool, may take; emulation on a busy host is slow.
const CAP: Duration = Duration::from_secs(900);
const STEP: &str = "making the initramfs anew";
const HINT: &str =
    "leave `initramfs: rebuilt` out of the profile: the initramfs then stays as it is";

/// Run by the guest's shell; the drivers and the spare disk's serial number are put in. Packing tightly is left to the host: an
/// emulated processor takes minutes for it.
const SCRIPT: &str = r#"set -e
work=$(mktemp -d /var/tmp/guestslim.XXXXXX)
cp -a /etc/initramfs-tools "$work/conf"
mkdir -p "$work/conf/conf.d" "$work/conf/scripts"
{ echo; printf '%s\n' @DRIVERS@; } >>"$work/conf/modules"
pack=gzip level=9
if command -v zstd >/dev/null; then pack=zstd level=1; fi
printf 'MODULES=dep\nCOMPRESS=%s\nCOMPRESSLEVEL=%s\n' $pack $level >"$work/conf/conf.d/zzz-guestslim"
mkinitramfs -d "$work/conf" -o "$work/new" "$(uname -r)" >&2
for serial in /sys/block/*/serial; do
    if [ "$(cat "$serial")" = @SERIAL@ ]; then disk=${serial%/serial}; fi
done
dd if="$work/new" of="/dev/${disk##*/}" bs=1M conv=fsync,nocreat status=none
echo "$(stat -c %s "$work/new") $(sha256sum <"$work/new")"
"#;

/// Whether the guest has the tool, without booting it.
///
/// # Errors
/// When it has another one or none.
pub fn check(inventory: &Inventory) -> Result<(), VmError> {
    let has = |path: &[u8]| inventory.tree.resolve(path).is_some();
    let what = if inventory.boot.initramfs.is_none() {
        "the default boot entry has no initramfs"
    } else if has(b"/usr/sbin/mkinitramfs") {
        return Ok(());
    } else if has(b"/usr/bin/dracut") {
        "this guest makes its initramfs with dracut, and only initramfs-tools can be asked to make a smaller one"
    } else {
        "this guest has no initramfs-tools that could make its initramfs anew"
    };
    Err(unsupported(what))
}

fn unsupported(what: &str) -> VmError {
    VmError::Unsupported {
        what: what.to_owned(),
        hint: HINT.to_owned(),
    }
}

/// The new initramfs's bytes. Where no hypervisor is declared, it has the drivers of every known one's disks.
///
/// # Errors
/// When the guest cannot be booted directly or lacks the tool, and when the tool fails or makes no initramfs.
pub fn rebuild(
    subject: &Subject,
    hypervisors: &[HypervisorId],
    accel: Accel,
    job: &Job,
) -> Result<Arc<[u8]>, VmError> {
    check(&subject.loaded.inventory)?;
    let direct = subject.direct.as_ref().map_err(|why| unsupported(why))?;
    let accel = choose_accel(accel, direct, job)?;
    let folder = tempfile::Builder::new().prefix("guestslim-").tempdir();
    let folder = folder.map_err(|source| VmError::host("write", &std::env::temp_dir(), source))?;
    let spare = folder.path().join("spare");
    File::create_new(&spare)
        .and_then(|file| file.set_len(LONGEST))
        .map_err(|source| VmError::host("write", &spare, source))?;
    let direct = Direct {
        spare: Some(spare.clone()),
        ..direct.clone()
    };
    job.items("booting the guest", 0, None);
    let mut watch = |frame: &Frame| {
        if matches!(frame, Frame::Up(_)) {
            job.items(STEP, 0, None);
        }
        false
    };
    let caps = Caps {
        time: 2 * CAP,
        ..Caps::default()
    };
    let session = run_commands(&direct, &orders(hypervisors), accel, caps, &mut watch, job)?;
    if let Some(why) = session.trouble {
        return Err(VmError::Inside(why));
    }
    let made = session.record.commands.first();
    let bytes = fetch(&spare, made.ok_or_else(|| inside("it never came up"))?)?;
    let start = archive::main(&bytes).map_err(|why| inside(&why))?;
    job.items("packing the initramfs", 0, None);
    let packed = archive::tighten(&bytes, start, job);
    job.check()?;
    Ok(packed.map_err(|error| inside(&error.to_string()))?.into())
}

fn inside(why: &str) -> VmError {
    VmError::Inside(format!("no initramfs was made: {why}"))
}

fn orders(hypervisors: &[HypervisorId]) -> Orders {
    let seconds = CAP.as_secs() as u32;
    Orders {
        boot_cap: seconds,
        commands: vec![Command {
            line: script(hypervisors).into_bytes(),
            time_cap: seconds,
            output_cap: 64 * 1024,
            ..Command::default()
        }],
        ..Orders::default()
    }
}

fn script(hypervisors: &[HypervisorId]) -> String {
    SCRIPT
        .replace("@DRIVERS@", &disk_drivers(hypervisors).join(" "))
        .replace("@SERIAL@", SPARE_SERIAL)
}

/// What the tool wrote, and whether it came as it was sent.
fn fetch(spare: &Path, made: &Outcome) -> Result<Vec<u8>, VmError> {
    if !made.is_success() {
        let said = made.stderr.trim_ascii();
        let end = &said[said.len().saturating_sub(1000)..];
        return Err(inside(&escape(end)));
    }
    let said = String::from_utf8_lossy(&made.stdout);
    let mut words = said.split_ascii_whitespace();
    let size = words.next().and_then(|word| word.parse().ok());
    let (Some(size), Some(sum)) = (size.filter(|&size| size <= LONGEST), words.next()) else {
        return Err(inside("nothing tells how long it is"));
    };
    let mut bytes = Vec::new();
    File::open(spare)
        .and_then(|file| file.take(size).read_to_end(&mut bytes))
        .map_err(|source| VmError::host("read", spare, source))?;
    if hex(&Sha256::digest(&bytes)) != sum {
        return Err(inside("it was damaged on its way"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::wire::End;

    #[test]
    fn the_script_names_the_drivers_of_the_declared_hypervisors_only() {
        let line = |ids: &[&str]| {
            let ids: Vec<_> = ids.iter().filter_map(|id| HypervisorId::find(id)).collect();
            let script = script(&ids);
            let line = script.lines().find(|line| line.contains("printf '%s"));
            line.expect("it is there").to_owned()
        };
        assert!(line(&["kvm"]).contains(" virtio_blk "));
        assert!(line(&["kvm"]).contains(" sd_mod"));
        assert!(!line(&["kvm"]).contains("hv_storvsc"));
        assert!(line(&["hyperv", "kvm"]).contains("hv_storvsc"));
        for driver in ["virtio_blk", "hv_storvsc", "vmw_pvscsi", "xen_blkfront"] {
            assert!(line(&[]).contains(driver), "{driver}");
        }
    }

    #[test]
    fn what_came_must_be_what_was_sent() {
        let folder = tempfile::tempdir().unwrap();
        let spare = folder.path().join("spare");
        std::fs::write(&spare, b"abcdef").unwrap();
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let outcome = |end, stdout: String| Outcome {
            end: Some(End::Code(end)),
            stdout: stdout.into_bytes(),
            stderr: b"E: no \x1b ldd".to_vec(),
            milliseconds: 1,
        };
        let said = |outcome| fetch(&spare, &outcome).map_err(|error| error.to_string());
        assert_eq!(said(outcome(0, format!("3 {sum}  -\n"))).unwrap(), b"abc");
        let damaged = said(outcome(0, format!("4 {sum}  -\n"))).unwrap_err();
        assert!(damaged.ends_with("it was damaged on its way"), "{damaged}");
        assert!(said(outcome(0, format!("{} {sum}", u64::MAX))).is_err());
        assert!(said(outcome(0, String::new())).is_err());
        let failed = said(outcome(1, format!("3 {sum}"))).unwrap_err();
        assert!(failed.ends_with("E: no \\x1b ldd"), "{failed}");
    }
}
