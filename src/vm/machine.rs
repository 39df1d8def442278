//! One QEMU process: its arguments, its two serial ports, its caps, its end.
//!
//! The disk is an overlay without a name, so that nothing can be left behind; the kernel kills QEMU when this process dies,
//! however it dies.

use super::console::{Console, Sign};
use super::firmware::Firmware;
use super::record::Record;
use super::wire::Frame;
use super::{VmError, accel};
use crate::guest::image::{Graph, Image};
use crate::job::Job;
use crate::model::text::escape;
use crate::program::Handed;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The serial number by which a guest finds its spare disk.
pub const SPARE_SERIAL: &str = "guestslim";

/// A machine to run.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The image; opened read-only, below the overlay.
    pub image: Image,
    /// A file of the host that becomes a second disk, read-only.
    pub cargo: Option<PathBuf>,
    /// A file of the host that becomes a disk to write on, with [`SPARE_SERIAL`] as its serial number.
    pub spare: Option<PathBuf>,
    /// How it starts.
    pub start: Start,
    /// How its processor is made.
    pub accel: accel::Working,
    /// Memory in MiB.
    pub memory: u32,
    /// Whether it gets a network (behind QEMU's own user-mode stack).
    pub has_network: bool,
    /// What it may use up.
    pub caps: Caps,
}

/// How a machine starts.
#[derive(Debug, Clone)]
pub enum Start {
    /// Through firmware and the image's own boot loader.
    Loader(Firmware),
    /// With a kernel, an initramfs and a command line given from outside.
    Direct {
        /// The kernel, as a file of the host.
        kernel: PathBuf,
        /// The initramfs, as a file of the host.
        initramfs: PathBuf,
        /// The kernel's command line.
        command_line: String,
    },
}

/// What a machine may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Wall-clock time from start to end.
    pub time: Duration,
    /// Bytes on the console.
    pub console: u64,
    /// Bytes on the tracer's port.
    pub port: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(600),
            console: 16 << 20,
            port: 128 << 20,
        }
    }
}

/// How a machine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The guest switched it off or started it anew.
    Off,
    /// The watcher had seen enough.
    Enough,
    /// Its time was up.
    TimedOut,
    /// It printed more than it may.
    Flooded,
}

/// All that is left of a machine.
#[derive(Debug)]
pub struct Remains {
    /// How it ended.
    pub ending: Ending,
    /// What it printed on its console.
    pub console: Console,
    /// What the tracer reported; empty without one.
    pub record: Record,
    /// From start to end.
    pub time: Duration,
}

/// Looks on while a machine runs.
pub trait Watch {
    /// The console shows this sign; `true` ends the machine.
    fn sign(&mut self, sign: Sign) -> bool;
    /// The tracer sent this; `true` ends the machine.
    fn frame(&mut self, frame: &Frame) -> bool;
}

enum Came {
    Console(Vec<u8>),
    Port(Vec<u8>),
}

/// A running QEMU; killed and waited for when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Machine {
    /// Runs the machine to its end. Must be called on a thread that outlives it: QEMU dies with the thread.
    pub fn run(&self, watch: &mut dyn Watch, job: &Job) -> Result<Remains, VmError> {
        let started = Instant::now();
        let (ours, theirs) = UnixStream::pair()
            .map_err(|source| VmError::host("open", "socket".as_ref(), source))?;
        let mut running = Running(self.spawn(theirs.into(), job)?);
        let (send, receive) = bounded(64);
        let console = running.0.stdout.take().expect("standard output is a pipe");
        let errors = running.0.stderr.take().expect("standard error is a pipe");
        let from_console = send.clone();
        let pumps = [
            std::thread::spawn(move || {
                pump(console, |bytes| {
                    from_console.send(Came::Console(bytes)).is_ok()
                });
            }),
            std::thread::spawn(move || pump(ours, |bytes| send.send(Came::Port(bytes)).is_ok())),
        ];
        let complaint = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.take(64 * 1024).read_to_end(&mut text);
            text
        });
        let mut remains = Remains {
            ending: Ending::Off,
            console: Console::default(),
            record: Record::default(),
            time: Duration::ZERO,
        };
        let ending = self.watch(&receive, &mut remains, watch, started, job);
        let _ = running.0.kill();
        let status = running.0.wait();
        drop(receive);
        for pump in pumps {
            let _ = pump.join();
        }
        let complaint = complaint.join().unwrap_or_default();
        remains.ending = ending?;
        remains.time = started.elapsed();
        let failed = status.is_ok_and(|status| !status.success());
        if remains.ending == Ending::Off && failed {
            return Err(VmError::Qemu(escape(complaint.trim_ascii()).into_owned()));
        }
        Ok(remains)
    }

    fn watch(
        &self,
        receive: &Receiver<Came>,
        remains: &mut Remains,
        watch: &mut dyn Watch,
        started: Instant,
        job: &Job,
    ) -> Result<Ending, VmError> {
        let mut from_port = 0;
        loop {
            job.check()?;
            if started.elapsed() >= self.caps.time {
                return Ok(Ending::TimedOut);
            }
            match receive.recv_timeout(Duration::from_millis(100)) {
                Ok(Came::Console(bytes)) => {
                    let sign = remains.console.push(&bytes);
                    if sign.is_some_and(|sign| watch.sign(sign)) {
                        return Ok(Ending::Enough);
                    }
                }
                Ok(Came::Port(bytes)) => {
                    from_port += bytes.len() as u64;
                    let mut is_enough = false;
                    remains
                        .record
                        .push(&bytes, &mut |frame| is_enough |= watch.frame(frame));
                    if is_enough {
                        return Ok(Ending::Enough);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Ending::Off),
            }
            if remains.console.total() > self.caps.console || from_port > self.caps.port {
                return Ok(Ending::Flooded);
            }
        }
    }

    fn spawn(&self, port: OwnedFd, job: &Job) -> Result<Child, VmError> {
        let mut handed = Handed::default();
        let disk = Graph::throw_away(&self.image, job)?.file_name(&mut handed);
        let unread = |source| VmError::host("open", self.image.path(), source);
        let disk = disk.map_err(unread)?;
        let (program, arguments) = accel::tied_to_us(accel::QEMU);
        let mut command = Command::new(program);
        handed.give(&mut command).map_err(unread)?;
        let child = command
            .args(arguments)
            .args(self.arguments(&disk))
            .stdin(Stdio::from(port))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        child.map_err(accel::cannot_start)
    }

    /// QEMU's arguments; `disk` is the image as QEMU gets it.
    fn arguments(&self, disk: &str) -> Vec<String> {
        let mut arguments = accel::common_arguments(self.accel);
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(|&word| word.to_owned()));
        // A comma in a file name is doubled, as QEMU's option parser wants it.
        let drive = format!("file={},if=virtio,cache=unsafe", disk.replace(',', ",,"));
        // For a person who looks at the processes: the disk itself has no name on the command line.
        let name = self.image.path().display().to_string();
        add(&["-name", &name.replace(',', ",,")]);
        add(&[
            "-m",
            &self.memory.to_string(),
            "-smp",
            "2",
            "-drive",
            &drive,
        ]);
        if let Some(cargo) = &self.cargo {
            let file = cargo.display().to_string().replace(',', ",,");
            add(&[
                "-drive",
                &format!("file={file},format=raw,if=virtio,readonly=on"),
            ]);
        }
        if let Some(spare) = &self.spare {
            let file = spare.display().to_string().replace(',', ",,");
            let device = format!("virtio-blk-pci,drive=spare,serial={SPARE_SERIAL}");
            let drive = format!("file={file},format=raw,if=none,id=spare,cache=unsafe");
            add(&["-drive", &drive, "-device", &device]);
        }
        add(&["-device", "virtio-rng-pci"]);
        // The second port is a socket that QEMU inherits as its standard input.
        add(&[
            "-chardev",
            "file,id=console,path=/dev/stdout",
            "-serial",
            "chardev:console",
        ]);
        add(&["-chardev", "socket,id=port,fd=0", "-serial", "chardev:port"]);
        if self.has_network {
            add(&["-nic", "user,model=virtio-net-pci"]);
        } else {
            add(&["-nic", "none"]);
        }
        match &self.start {
            Start::Loader(firmware) => arguments.extend(firmware.arguments()),
            Start::Direct {
                kernel,
                initramfs,
                command_line,
            } => {
                let (kernel, initramfs) = (
                    kernel.display().to_string(),
                    initramfs.display().to_string(),
                );
                add(&[
                    "-kernel",
                    &kernel,
                    "-initrd",
                    &initramfs,
                    "-append",
                    command_line,
                ]);
            }
        }
        arguments
    }
}

fn pump(mut from: impl Read, mut send: impl FnMut(Vec<u8>) -> bool) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || !send(buffer[..count].to_vec()) {
            return;
        }
    }
}
