//! Who edits the output's disk: e2fsprogs on the host, or the appliance. Both do the same.

use super::disk::geometry::DiskLayout;
use super::error::ExportError;
use super::host::Host;
use super::step::{NewLink, NewText};
use super::surgery::Surgery;
use crate::model::Bytes;

/// An editor at work.
pub(super) enum Editor<'a> {
    /// The host, on a copy of the disk.
    Host(Host<'a>),
    /// The appliance, on an overlay.
    Appliance(Surgery<'a>),
}

impl<'a> Editor<'a> {
    /// The appliance, for what only it does.
    pub fn surgery(&mut self) -> &mut Surgery<'a> {
        match self {
            Self::Appliance(surgery) => surgery,
            Self::Host(_) => unreachable!("the steps for the host ask nothing else of it"),
        }
    }

    /// Removes files, then folders.
    pub fn remove(
        &mut self,
        heading: &str,
        files: &[Vec<u8>],
        folders: &[Vec<u8>],
    ) -> Result<(), ExportError> {
        match self {
            Self::Host(host) => Ok(host.remove(files, folders)?),
            Self::Appliance(surgery) => surgery.remove(heading, files, folders),
        }
    }

    /// Gives files their own names back.
    pub fn rename(&mut self, moves: &[(Vec<u8>, Vec<u8>)]) -> Result<(), ExportError> {
        match self {
            Self::Host(host) => Ok(host.rename(moves)?),
            Self::Appliance(surgery) => surgery.rename(moves),
        }
    }

    /// Writes whole files.
    pub fn write(&mut self, texts: &[NewText]) -> Result<(), ExportError> {
        match self {
            Self::Host(host) => Ok(host.write(texts)?),
            Self::Appliance(surgery) => surgery.write(texts),
        }
    }

    /// Points symlinks elsewhere.
    pub fn link(&mut self, links: &[NewLink]) -> Result<(), ExportError> {
        match self {
            Self::Host(host) => Ok(host.link(links)?),
            Self::Appliance(surgery) => surgery.link(links),
        }
    }

    /// Shrinks the last partition's file system, the partition and the disk; the disk as it is then.
    pub fn shrink(
        &mut self,
        disk: &DiskLayout,
        slack: Option<Bytes>,
    ) -> Result<DiskLayout, ExportError> {
        match self {
            Self::Host(host) => Ok(host.shrink(disk, slack)?),
            Self::Appliance(surgery) => surgery.shrink(disk, slack),
        }
    }
}
