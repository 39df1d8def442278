//! Makes the last partition and the disk smaller inside the appliance, after all else was done in place.
//!
//! One `resize2fs` to what it thinks is the least and the room to grow: a least that is reached in several runs saves
//! nothing then. The partition is not resized by a partition editor (libguestfs' cannot shrink one): the table is written
//! anew from its own bytes, and the disk is cut behind it.

use super::disk::geometry::DiskLayout;
use super::disk::smaller::{least_blocks, shrunk};
use super::disk::{ext, table};
use super::error::ExportError;
use super::options::Way;
use super::surgery::Surgery;
use crate::guest::libguestfs::{self, Appliance};
use crate::model::Bytes;

/// The overlay's place among the appliance's drives.
const OVERLAY: u8 = 0;

impl Surgery<'_> {
    /// Shrinks the last partition's ext file system, the partition and what its table says of the disk; the disk as it is then.
    pub fn shrink(
        &mut self,
        disk: &DiskLayout,
        slack: Option<Bytes>,
    ) -> Result<DiskLayout, ExportError> {
        let refused = |why: &str| ExportError::Way {
            way: Way::Shrink,
            why: why.to_owned(),
        };
        let part = disk.parts.last().expect("it was found to be there");
        let device = format!("{}{}", libguestfs::device(OVERLAY), part.number);
        self.within("unmount", Appliance::unmount_all)?;
        let check = format!("e2fsck -fp {device} >/dev/null 2>&1 || test $? = 1");
        self.run("check the file system", check.as_bytes())?;
        let raw = self.within("read the superblock", |appliance| {
            let name = format!("/dev/sda{}", part.number);
            appliance.read_device(&name, ext::SUPERBLOCK_AT, ext::SUPERBLOCK)
        })?;
        let measure = format!("resize2fs -P {device} 2>/dev/null");
        let said = self.run("measure the file system", measure.as_bytes())?;
        let blocks = least_blocks(&said).filter(|_| raw.len() == ext::SUPERBLOCK);
        let blocks =
            blocks.ok_or_else(|| refused("`resize2fs` does not say how small it can be"))?;
        let least = blocks.saturating_mul(ext::block_size(&raw));
        let Some(disk) = shrunk(disk, least, slack) else {
            return Ok(disk.clone());
        };
        let wanted = disk.parts.last().map_or(0, |part| part.size);
        let resize = format!("resize2fs {device} {}K 2>&1 >/dev/null", wanted / 1024);
        self.run("shrink the file system", resize.as_bytes())?;
        let len = usize::try_from(table::head_len(&disk)).expect("the head is small");
        let head = self.within("read the partition table", |appliance| {
            appliance.read_device("/dev/sda", 0, len)
        })?;
        let patches = table::rewritten(head, &disk).map_err(|why| refused(&why))?;
        self.write_table("/dev/sda", &patches)?;
        Ok(disk)
    }
}
