//! A disk image of any format as plain bytes: `qemu-nbd` reads the format, the `nbd` crate asks it.
//!
//! The server gets the opened files of the image ([`Graph`]) and a listening socket in a private folder; it opens nothing
//! and is confined as far as the kernel allows. One that serves us ends by itself when its only connection closes, so that
//! even a killed guestslim leaves no server and no file behind; one that serves an appliance ends with this process.

use super::GuestError;
use super::blocks::{Blocks, BlocksMut, check_inside};
use super::image::{Graph, Image};
use super::libguestfs::Access;
use crate::job::Job;
use crate::model::text::escape;
use crate::program::{Handed, Layers, Program, Started};
use nbd::client::{NbdClient, handshake};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What installs qemu-img and qemu-nbd on Debian and Ubuntu.
const INSTALL: &str = "sudo apt-get install qemu-utils";

/// A server that does not answer by then never will.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How often a server that does not answer yet is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A read that takes longer has failed: the host's storage is gone.
const READ_LIMIT: Duration = Duration::from_secs(120);

/// Connections that an appliance makes at once: its overlay is made with one, its disk uses another.
const CLIENTS: &str = "--shared=8";

/// The virtual disk of an image.
pub(crate) struct NbdDisk {
    client: NbdClient<Wire>,
    size: u64,
    server: Server,
}

impl NbdDisk {
    /// Starts a server for the image and connects to it.
    pub fn open(image: &Image, job: &Job) -> Result<Self, GuestError> {
        Self::serve(image.path(), &Graph::of(image), Access::ReadOnly, job)
    }

    /// The same for writing, for an overlay that will be thrown away: nothing is safe before [`finish`](Self::finish).
    pub fn open_overlay(path: &Path, graph: &Graph, job: &Job) -> Result<Self, GuestError> {
        Self::serve(path, graph, Access::Write, job)
    }

    fn serve(path: &Path, graph: &Graph, access: Access, job: &Job) -> Result<Self, GuestError> {
        let host = |source| GuestError::Host {
            operation: "serve",
            path: path.to_owned(),
            source,
        };
        let mut server = Server::start(path, graph, access, &[])?;
        let stream = UnixStream::connect(server.socket()).map_err(host)?;
        stream.set_read_timeout(Some(LOOK)).map_err(host)?;
        server.wait(path, &stream, job)?;
        stream.set_read_timeout(Some(READ_LIMIT)).map_err(host)?;
        let mut wire = Wire {
            stream,
            out: Vec::new(),
        };
        let export = handshake(&mut wire, b"").map_err(|_| server.complaint(path))?;
        // Nobody else connects.
        server.folder = None;
        Ok(Self {
            size: export.size,
            client: NbdClient::new(wire, &export),
            server,
        })
    }

    /// What confines the server.
    pub fn layers(&self) -> Layers {
        self.server.layers()
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
        let status = server.started.child.wait()?;
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

/// A running `qemu-nbd`; it ends when this is dropped.
pub(super) struct Server {
    started: Started,
    /// Where its socket lies, as long as somebody may still connect.
    folder: Option<TempDir>,
}

impl Server {
    /// Starts one that several clients may use, one after the other or at once, until this is dropped.
    pub fn lasting(path: &Path, graph: &Graph, access: Access) -> Result<Self, GuestError> {
        Self::start(path, graph, access, &["--persistent", CLIENTS])
    }

    fn start(
        path: &Path,
        graph: &Graph,
        access: Access,
        more: &[&str],
    ) -> Result<Self, GuestError> {
        let host = |operation| {
            move |source| GuestError::Host {
                operation,
                path: path.to_owned(),
                source,
            }
        };
        let folder = tempfile::Builder::new()
            .prefix("guestslim-")
            .tempdir()
            .map_err(host("serve"))?;
        let socket = UnixListener::bind(folder.path().join(SOCKET)).map_err(host("serve"))?;
        let mut handed = Handed::default();
        let name = graph.file_name(&mut handed).map_err(host("serve"))?;
        handed.listen(socket.into());
        let words = match access {
            Access::ReadOnly => &["--read-only"][..],
            Access::Write => &["--cache=unsafe", "--discard=unmap"],
        };
        let arguments = words.iter().chain(more).copied().chain(["--", &name]);
        let started = Program::new("qemu-nbd", arguments)
            .with_files(handed)
            .start();
        let started = started.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => GuestError::Unsupported {
                what: "qemu-nbd is not installed; disk images are read with it".to_owned(),
                hint: INSTALL.to_owned(),
            },
            _ => host("start qemu-nbd for")(source),
        })?;
        Ok(Self {
            started,
            folder: Some(folder),
        })
    }

    /// What confines it.
    pub fn layers(&self) -> Layers {
        self.started.layers
    }

    /// The path of its socket.
    pub fn socket(&self) -> PathBuf {
        let folder = self.folder.as_ref().map(TempDir::path);
        folder.unwrap_or(Path::new("/")).join(SOCKET)
    }

    /// Waits until it answers on a connection, without taking the answer.
    fn wait(&mut self, path: &Path, stream: &UnixStream, job: &Job) -> Result<(), GuestError> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            job.check()?;
            match rustix::net::recv(stream, &mut [0; 1][..], rustix::net::RecvFlags::PEEK) {
                Ok((1.., _)) => return Ok(()),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR)
                    if Instant::now() < deadline
                        && matches!(self.started.child.try_wait(), Ok(None)) => {}
                _ => return Err(self.complaint(path)),
            }
        }
    }

    /// Why it cannot serve the image, by what it said before it ended.
    fn complaint(&mut self, path: &Path) -> GuestError {
        let _ = self.started.child.kill();
        let mut said = Vec::new();
        if let Some(stderr) = self.started.child.stderr.take() {
            let _ = stderr.take(16 << 10).read_to_end(&mut said);
        }
        GuestError::Image {
            path: path.to_owned(),
            why: in_words(&said),
        }
    }
}

/// The socket's name in its folder.
const SOCKET: &str = "nbd";

/// What QEMU said, without its own name and without the description of the image that it was given.
fn in_words(said: &[u8]) -> String {
    let line = said.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    // Failed to get shared "write" lock; Is another process using the image ...?
    if line.contains("Failed to get") && line.contains("\" lock") {
        return "another program writes to it, such as a running virtual machine; stop that first"
            .to_owned();
    }
    let reason = line.rsplit_once("': ").map_or(&*line, |(_, reason)| reason);
    let reason = reason.trim_start_matches("qemu-nbd: ").trim();
    if reason.is_empty() {
        return "QEMU cannot open it and does not say why".to_owned();
    }
    format!(
        "it is damaged, or of a kind that QEMU does not read ({})",
        escape(reason.as_bytes())
    )
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
        let status = server.started.child.wait().expect("it is our child");
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
