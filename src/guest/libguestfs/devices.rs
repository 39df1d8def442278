//! Disks and partitions as bytes, by the library's names for them: `/dev/sda` is the first drive, `/dev/sdb` the second.

use super::{Appliance, PIECE, SYSROOT, appliance_error, launch, quoted};
use crate::guest::GuestError;
use crate::guest::blocks::{Blocks, check_inside};
use crate::model::Mount;
use guestfs::{CopyDeviceToDeviceOptArgs, MkswapOptArgs};
use std::io;
use std::rc::Rc;

/// A disk or partition of the appliance.
pub(super) struct Device<'a> {
    appliance: &'a Appliance,
    name: &'a str,
    size: u64,
}

impl Appliance {
    /// A disk or partition, measured.
    pub(super) fn device<'a>(&'a self, name: &'a str) -> Result<Device<'a>, GuestError> {
        let size = self.call("measure the disk", |handle| handle.blockdev_getsize64(name))?;
        Ok(Device {
            appliance: self,
            name,
            size: u64::try_from(size).unwrap_or(0),
        })
    }

    /// Up to `len` bytes of a disk or partition from `offset` on.
    pub fn read_device(&self, name: &str, offset: u64, len: usize) -> Result<Vec<u8>, GuestError> {
        let mut device = self.device(name)?;
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let count = (len - bytes.len()).min(PIECE);
            let piece = device
                .bytes(offset + bytes.len() as u64, count)
                .map_err(|error| appliance_error("read the disk", error.to_string().as_bytes()))?;
            if piece.is_empty() {
                break;
            }
            bytes.extend(piece);
        }
        Ok(bytes)
    }

    /// Writes bytes onto a disk or partition.
    pub fn write_device(&self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), GuestError> {
        let mut done = 0;
        while done < bytes.len() {
            let piece = &bytes[done..bytes.len().min(done + PIECE)];
            let at = i64::try_from(offset + done as u64).unwrap_or(i64::MAX);
            let written = self.call("write the disk", |handle| {
                handle.pwrite_device(name, piece, at)
            })?;
            match usize::try_from(written) {
                Ok(count) if count > 0 => done += count,
                _ => return Err(appliance_error("write the disk", b"nothing was written")),
            }
        }
        Ok(())
    }

    /// Lets the appliance look at a disk's partition table again.
    pub fn reread_table(&self, disk: &str) -> Result<(), GuestError> {
        self.call("read the partition table", |handle| {
            handle.blockdev_rereadpt(disk)
        })
    }

    /// Copies a whole partition onto another one of its size; zeros become holes.
    pub fn copy_device(&self, from: &str, to: &str) -> Result<(), GuestError> {
        self.call("copy a partition", |handle| {
            let whole = CopyDeviceToDeviceOptArgs {
                srcoffset: None,
                destoffset: None,
                size: None,
                sparse: Some(true),
                append: None,
            };
            handle.copy_device_to_device(from, to, whole)
        })
    }

    /// Makes a swap area with the identifiers of another one.
    pub fn make_swap_like(&self, old: &str, new: &str) -> Result<(), GuestError> {
        let (uuid, label) = self.identifiers(old)?;
        self.make_swap(new, &uuid, &label)
    }

    /// The first drive's swap areas, on partitions and volumes.
    pub fn swap_areas(&self) -> Result<Vec<String>, GuestError> {
        let found = self.file_systems()?.into_iter();
        Ok(found
            .filter(|(_, kind)| kind == "swap")
            .map(|(device, _)| device)
            .collect())
    }

    /// Clears all of a swap area; its identifiers stay.
    pub fn clear_swap(&self, device: &str) -> Result<(), GuestError> {
        let (uuid, label) = self.identifiers(device)?;
        let word = quoted(inner_name(device).as_bytes());
        self.shell(&[b"blkdiscard -z ", &word[..]].concat())?;
        self.make_swap(device, &uuid, &label)
    }

    fn make_swap(&self, device: &str, uuid: &str, label: &str) -> Result<(), GuestError> {
        self.call("make a swap area", |handle| {
            let identifiers = MkswapOptArgs {
                label: (!label.is_empty()).then_some(label),
                uuid: (!uuid.is_empty()).then_some(uuid),
            };
            handle.mkswap(device, identifiers)
        })
    }

    /// UUID and label of a file system.
    pub fn identifiers(&self, device: &str) -> Result<(String, String), GuestError> {
        self.call("look at a file system", |handle| {
            Ok((handle.vfs_uuid(device)?, handle.vfs_label(device)?))
        })
    }
}

/// The number of a partition of the first drive, by the library's name; `None` for anything else, such as a volume of a
/// group that is called `sdata`.
pub(super) fn partition_number(device: &str) -> Option<u32> {
    let number = device.strip_prefix("/dev/sda")?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| is_plain)
}

/// The kernel's name of a device of the first drive: those of partitions differ from the library's.
fn inner_name(device: &str) -> String {
    let drive = launch::device(0);
    match partition_number(device) {
        Some(number) => format!("{drive}{number}"),
        None if device == "/dev/sda" => drive,
        None => device.to_owned(),
    }
}

/// The devices of a guest's mounts, one after the other, for a reader that takes one disk.
///
/// The library's own call for a piece of a device takes 110 ms under emulation, however small the piece, and that for a
/// piece of a file 2 ms. So what it takes for the guest's root is the appliance's folder of devices.
pub(super) struct Devices {
    appliance: Rc<Appliance>,
    /// Path below the folder of devices, first byte and length of each.
    devices: Vec<(String, u64, u64)>,
}

impl Devices {
    /// Between two devices: a piece that is read at once never reaches from one into the next.
    const GAP: u64 = PIECE as u64;

    /// Unmounts the guest, and shows the devices of its mounts instead. Those that are not read are empty here.
    pub fn show(appliance: &Rc<Appliance>, mounts: &[Mount]) -> Result<Self, GuestError> {
        let mut end = 0_u64;
        let mut devices = Vec::new();
        for mount in mounts {
            let name = &mount.file_system.device;
            let size = if mount.is_read {
                appliance.device(name)?.size
            } else {
                0
            };
            let inner = inner_name(name).replacen("/dev", "", 1);
            devices.push((inner, end, size));
            // A volume may claim any size.
            let next = end
                .checked_add(size)
                .and_then(|end| end.checked_next_multiple_of(Self::GAP));
            let next = next.and_then(|next| next.checked_add(Self::GAP));
            end = next.ok_or_else(|| appliance_error("measure the disk", b"it has no end"))?;
        }
        appliance.unmount_all()?;
        appliance.shell(&[b"mount --bind /dev ", SYSROOT].concat())?;
        Ok(Self {
            appliance: Rc::clone(appliance),
            devices,
        })
    }

    /// First byte and length of each.
    pub fn places(&self) -> Vec<(u64, u64)> {
        let places = self.devices.iter();
        places.map(|&(_, start, size)| (start, size)).collect()
    }
}

impl Blocks for Devices {
    fn size(&self) -> u64 {
        let last = self.devices.last();
        last.map_or(0, |(_, start, size)| start + size)
    }

    /// What lies between two devices is zeros.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_inside(offset, buffer.len(), self.size())?;
        buffer.fill(0);
        let before = self
            .devices
            .partition_point(|&(_, start, _)| start <= offset);
        let Some((path, start, size)) = before.checked_sub(1).map(|at| &self.devices[at]) else {
            return Ok(());
        };
        let within = offset - start;
        let rest = usize::try_from(size.saturating_sub(within)).unwrap_or(usize::MAX);
        let len = rest.min(buffer.len());
        let bytes = self
            .appliance
            .read(path.as_bytes(), within, len)
            .map_err(io::Error::other)?;
        if bytes.len() != len {
            return Err(io::Error::other("the device gave less than it has"));
        }
        buffer[..len].copy_from_slice(&bytes);
        Ok(())
    }
}

impl Blocks for Device<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_inside(offset, buffer.len(), self.size)?;
        let (Ok(count), Ok(from)) = (i32::try_from(buffer.len()), i64::try_from(offset)) else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        let bytes = self
            .appliance
            .call("read the disk", |handle| {
                handle.pread_device(self.name, count, from)
            })
            .map_err(io::Error::other)?;
        if bytes.len() != buffer.len() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        buffer.copy_from_slice(&bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_partitions_and_the_drive_have_other_names_inside() {
        let names = [
            ("/dev/sda", "/dev/disk/guestfs/drivea"),
            ("/dev/sda12", "/dev/disk/guestfs/drivea12"),
            ("/dev/sdata/root", "/dev/sdata/root"),
            ("/dev/sda+1", "/dev/sda+1"),
            ("/dev/mapper/vg-root", "/dev/mapper/vg-root"),
        ];
        for (device, inner) in names {
            assert_eq!(inner_name(device), inner);
        }
    }
}
