//! The system's programs that tests make disks with, and such a disk in memory.

use super::blocks::{Blocks, BlocksMut, check_inside};
use std::io;
use std::process::Command;

/// A program that may lie where a plain user's path does not lead.
pub(crate) fn program(name: &str) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(name);
    command.env("PATH", format!("{path}:/sbin:/usr/sbin"));
    command
}

impl Blocks for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        (&self[..]).read_at(offset, buffer)
    }
}

impl BlocksMut for Vec<u8> {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        check_inside(offset, bytes.len(), self.size())?;
        let start = usize::try_from(offset).expect("inside a vector");
        self[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}
