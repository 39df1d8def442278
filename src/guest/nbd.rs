//! A disk image of any format as plain bytes: `qemu-nbd` reads the format, the `nbd` crate asks it.
//!
//! The server is told the format and to open read-only, and serves exactly one connection over a socket in a private
//! folder, which is gone as soon as the connection stands. It ends by itself when the connection closes, so that even
//! a killed guestslim leaves no server and no file behind.

use super::GuestError;
use super::blocks::{Blocks, BlocksMut, check_inside};
use super::image::Image;
use super::libguestfs::Access;
use crate::job::Job;
use crate::model::text::escape;
use nbd::client::{NbdClient, handshake};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What installs qemu-img and qemu-nbd on Debian and Ubuntu.
const INSTALL: &str = "sudo apt-get install qemu-utils";

/// A server that does not listen by then never will.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A read that takes longer has failed: the host's storage is gone.
const READ_LIMIT: Duration = Duration::from_secs(120);

/// The virtual disk of an image.
pub(crate) struct NbdDisk {
    client: NbdClient<Wire>,
    size: u64,
    server: Server,
}

impl NbdDisk {
    /// Starts a server for the image and connects to it.
    pub(super) fn open(image: &Image, job: &Job) -> Result<Self, GuestError> {
        Self::serve(image.path(), image.format(), Access::ReadOnly, job)
    }

    /// The same for writing, for an overlay that will be thrown away: nothing is safe before [`finish`](Self::finish).
    pub fn open_overlay(path: &Path, job: &Job) -> Result<Self, GuestError> {
        Self::serve(path, "qcow2", Access::Write, job)
    }

    fn serve(path: &Path, format: &str, access: Access, job: &Job) -> Result<Self, GuestError> {
        let host = |source| GuestError::Host {
            operation: "serve",
            path: path.to_owned(),
            source,
        };
        let folder = tempfile::Builder::new()
            .prefix("guestslim-")
            .tempdir()
            .map_err(host)?;
        let socket = folder.path().join("nbd");
        let mut server = Server::start(path, format, access, &socket)?;
        let stream = server.connect(path, &socket, job)?;
        stream.set_read_timeout(Some(READ_LIMIT)).map_err(host)?;
        let mut wire = Wire {
            stream,
            out: Vec::new(),
        };
        // A server that cannot open the image may listen before it ends.
        let export = handshake(&mut wire, b"").map_err(|_| GuestError::Image {
            path: path.to_owned(),
            why: server.complaint(),
        })?;
        Ok(Self {
            size: export.size,
            client: NbdClient::new(wire, &export),
            server,
        })
    }

    /// Waits until the server has written all and ended.
    pub fn finish(self) -> io::Result<()> {
        let Self {
            mut client,
            mut server,
            ..
        } = self;
        client.flush()?;
        // The server ends with its only connection, and writes the format's own tables first.
        drop(client);
        let status = server.0.wait()?;
        if status.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("qemu-nbd ended with {status}")))
    }
}

impl BlocksMut for NbdDisk {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        check_inside(offset, bytes.len(), self.size)?;
        self.client.seek(SeekFrom::Start(offset))?;
        self.client.write_all(bytes)
    }
}

impl Blocks for NbdDisk {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        check_inside(offset, buffer.len(), self.size)?;
        self.client.seek(SeekFrom::Start(offset))?;
        self.client.read_exact(buffer)
    }
}

/// The stream, with writes gathered until they are flushed: the client writes a request field by field.
struct Wire {
    stream: UnixStream,
    out: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

struct Server(Child);

impl Server {
    fn start(path: &Path, format: &str, access: Access, socket: &Path) -> Result<Self, GuestError> {
        let mode = match access {
            Access::ReadOnly => "--read-only",
            Access::Write => "--cache=unsafe",
        };
        let child = Command::new("qemu-nbd")
            .arg(mode)
            .arg(format!("--format={format}"))
            .arg("--socket")
            .arg(socket)
            .arg("--")
            .arg(path)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in a terminal goes to a whole group; what it means is for us to say.
            .process_group(0)
            .spawn();
        match child {
            Ok(child) => Ok(Self(child)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(GuestError::Unsupported {
                what: "qemu-nbd is not installed; disk images are read with it".to_owned(),
                hint: INSTALL.to_owned(),
            }),
            Err(source) => Err(GuestError::Host {
                operation: "start qemu-nbd for",
                path: path.to_owned(),
                source,
            }),
        }
    }

    fn connect(&mut self, path: &Path, socket: &Path, job: &Job) -> Result<UnixStream, GuestError> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Ok(stream) = UnixStream::connect(socket) {
                return Ok(stream);
            }
            job.check()?;
            let has_ended = !matches!(self.0.try_wait(), Ok(None));
            if has_ended || Instant::now() > deadline {
                return Err(GuestError::Image {
                    path: path.to_owned(),
                    why: self.complaint(),
                });
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What it said before it ended, in one line.
    fn complaint(&mut self) -> String {
        let _ = self.0.kill();
        let mut said = Vec::new();
        if let Some(stderr) = self.0.stderr.take() {
            let _ = stderr.take(4096).read_to_end(&mut said);
        }
        let has = |words: &[u8]| said.windows(words.len()).any(|window| window == words);
        if has(b"lock") {
            return "another program writes to it, such as a running virtual machine; stop that first".to_owned();
        }
        let line = said.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = line.strip_prefix(b"qemu-nbd: ").unwrap_or(line);
        if line.is_empty() {
            return "qemu-nbd cannot open it and does not say why".to_owned();
        }
        format!("qemu-nbd says: {}", escape(line))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn disk(folder: &Path) -> NbdDisk {
        let path = folder.join("raw");
        std::fs::write(&path, vec![7; 1 << 20]).expect("it writes");
        let image = Image::probe(&path, Some("raw")).expect("a raw image");
        NbdDisk::open(&image, &Job::quiet()).expect("qemu-nbd is installed")
    }

    #[test]
    fn the_server_ends_by_itself_when_the_connection_closes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let NbdDisk {
            client, mut server, ..
        } = disk(folder.path());
        // What the kernel does for a process that was killed.
        drop(client);
        let status = server.0.wait().expect("it is our child");
        assert_eq!(status.signal(), None);
        assert_eq!(status.code(), Some(0));
    }

    #[test]
    fn reads_are_exact_and_bounded() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut disk = disk(folder.path());
        assert_eq!(disk.size(), 1 << 20);
        assert_eq!(disk.bytes(1000, 3).expect("it reads"), [7; 3]);
        assert_eq!(disk.bytes((1 << 20) - 2, 9).expect("it reads"), [7; 2]);
        assert!(disk.read_at(1 << 20, &mut [0]).is_err());
        assert!(disk.read_at(u64::MAX, &mut [0]).is_err());
    }
}
