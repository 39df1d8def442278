//! Removes many files quickly: one shell command in the appliance for many names, one call a file where that fails.
//!
//! `debug sh` is an internal call of libguestfs and may be absent; it is probed. One call a file costs about a
//! millisecond, one command a hundred times less. The names are quoted for the shell, any byte but NUL is safe in them.

use super::{Appliance, ffi, inside};
use crate::guest::GuestError;
use crate::job::Job;

/// Linux allows 128 KiB in one argument, and the command is one.
const LONGEST_COMMAND: usize = 100 << 10;

/// Where the appliance has the guest's root.
pub const SYSROOT: &[u8] = b"/sysroot";

impl Appliance {
    /// Removes files, links and other things that are no folders. The paths are absolute and hold no symlink but in
    /// their last part, as those of a tree do. What is not there is no error.
    pub fn remove_all(&self, paths: &[Vec<u8>], job: &Job) -> Result<(), GuestError> {
        self.remove_with(b"rm -f --", paths, job, Self::remove)
    }

    /// Removes folders that are empty by then, so the deepest must come first; one that is not empty stays.
    pub fn remove_folders(&self, paths: &[Vec<u8>], job: &Job) -> Result<(), GuestError> {
        self.remove_with(
            b"rmdir --ignore-fail-on-non-empty --",
            paths,
            job,
            |appliance, path| match appliance.remove_folder(path) {
                Err(GuestError::Inside { .. }) => Ok(()),
                done => done,
            },
        )
    }

    /// Takes the flags off that forbid removing (`chattr +i`, `+a`), as far as the file system has them.
    pub fn unlock_all(&self, paths: &[Vec<u8>], job: &Job) -> Result<(), GuestError> {
        let mut rest = paths;
        while !rest.is_empty() {
            job.check()?;
            let (mut line, count) = command_line(b"chattr -f -i -a --", rest);
            line.extend_from_slice(b"; true");
            self.shell(&line)?;
            rest = &rest[count..];
        }
        Ok(())
    }

    fn remove_with(
        &self,
        command: &[u8],
        paths: &[Vec<u8>],
        job: &Job,
        one: impl Fn(&Self, &[u8]) -> Result<(), GuestError>,
    ) -> Result<(), GuestError> {
        let total = Some(paths.len() as u64);
        let mut has_shell = self.has_shell();
        let mut rest = paths;
        while !rest.is_empty() {
            job.check()?;
            job.items("removing files", (paths.len() - rest.len()) as u64, total);
            let (line, count) = command_line(command, rest);
            let (batch, later) = rest.split_at(count);
            if has_shell && self.shell(&line).is_err() {
                has_shell = false;
            }
            if !has_shell {
                for path in batch {
                    job.check()?;
                    one(self, path)?;
                }
            }
            rest = later;
        }
        job.items("removing files", paths.len() as u64, total);
        Ok(())
    }

    fn has_shell(&self) -> bool {
        self.shell(b"test -d /sysroot && echo here")
            .is_ok_and(|text| text.trim_ascii() == b"here")
    }

    /// Runs a command in the appliance (never a program of the guest); its output is text of up to 4 MB. The call is
    /// internal to libguestfs and may be absent.
    pub fn shell(&self, command: &[u8]) -> Result<Vec<u8>, GuestError> {
        ffi::debug(&self.handle, b"sh", &[command])
            .map_err(|failure| inside("run a command", b"/", &failure))
    }
}

/// One command for as many of the paths as fit, and how many these are: at least one.
fn command_line(command: &[u8], paths: &[Vec<u8>]) -> (Vec<u8>, usize) {
    let mut line = command.to_vec();
    let mut count = 0;
    for path in paths {
        let word = quoted(&[SYSROOT, path].concat());
        if count > 0 && line.len() + word.len() + 1 > LONGEST_COMMAND {
            break;
        }
        line.push(b' ');
        line.extend_from_slice(&word);
        count += 1;
    }
    (line, count)
}

/// Any bytes as one word of the appliance's shell.
pub fn quoted(bytes: &[u8]) -> Vec<u8> {
    let mut word = vec![b'\''];
    for &byte in bytes {
        match byte {
            b'\'' => word.extend_from_slice(b"'\\''"),
            _ => word.push(byte),
        }
    }
    word.push(b'\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn any_name_reaches_the_shell_as_one_word() {
        for name in [
            &b"/a b"[..],
            b"/it's",
            b"/$(x)`y`",
            b"/new\nline",
            b"/\xff\x1b[2J",
            b"/*",
        ] {
            let mut line = b"printf %s ".to_vec();
            line.extend_from_slice(&quoted(&[SYSROOT, name].concat()));
            let shell = std::process::Command::new("sh")
                .arg("-c")
                .arg(std::ffi::OsString::from_vec(line))
                .output()
                .expect("a shell is here");
            assert_eq!(shell.stdout, [SYSROOT, name].concat());
        }
    }

    #[test]
    fn commands_stay_short_and_always_move_on() {
        let long = vec![b'x'; LONGEST_COMMAND];
        assert_eq!(command_line(b"rm", &[long.clone(), long]).1, 1);
        let many = vec![b"/usr/share/doc/file".to_vec(); 10_000];
        let (line, count) = command_line(b"rm", &many);
        assert!(line.len() <= LONGEST_COMMAND && count > 1000);
    }
}
