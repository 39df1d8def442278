//! The protocol between host and tracer: orders in a file of the initramfs, frames over a serial port.
//!
//! The same file is compiled into both programs. All numbers are little-endian; a frame is kind (1 byte), length
//! (4 bytes), payload, CRC-32 of all this (4 bytes). The reader trusts nothing: a guest can write to the port, too.

/// The tracer's orders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orders {
    /// Whether to record which files are touched.
    pub records: bool,
    /// Whose file accesses count.
    pub scope: Scope,
    /// Seconds to wait until the guest is up.
    pub boot_cap: u32,
    /// Minor number of the serial port (`/dev/ttyS`...) that leads to the host.
    pub port: u32,
    /// Whether to end by the guest's own shutdown instead of switching off.
    pub shuts_down: bool,
    /// Commands to run, in this order, when the guest is up.
    pub commands: Vec<Command>,
}

/// Whose file accesses a record counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Everybody's, from the first moment on.
    #[default]
    All,
    /// Everybody's from when the guest is up.
    SinceUp,
    /// That of the commands and what they start.
    Commands,
}

impl Scope {
    fn decode(number: u32) -> Option<Self> {
        [Self::All, Self::SinceUp, Self::Commands]
            .into_iter()
            .find(|scope| *scope as u32 == number)
    }
}

/// One command to run in the booted guest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Command {
    /// The user's name in the guest; empty for root.
    pub user: Vec<u8>,
    /// The line for the guest's `/bin/sh -c`.
    pub line: Vec<u8>,
    /// Seconds after which it is killed.
    pub time_cap: u32,
    /// Bytes of each output stream after which the rest is not sent.
    pub output_cap: u32,
}

/// How the tracer sees what is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Nothing is recorded.
    #[default]
    Off,
    /// Hooks of the security layer: opened, executed, asked about, read as a link.
    Hooks,
    /// Opened and executed files; what is only asked about is not seen.
    Opens,
}

/// A message of the tracer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The first one, from the initramfs.
    Hello {
        /// The kernel's release.
        kernel: Vec<u8>,
        /// How it records.
        method: Method,
        /// Why it does not record better, one phrase; empty when it is the best way.
        because: Vec<u8>,
    },
    /// The guest is up (`running`, `degraded`, `login`), or is not within the time given (`timeout`).
    Up(Vec<u8>),
    /// Output of a command.
    Output {
        /// The command's place.
        command: u32,
        /// Whether it is standard error.
        is_error: bool,
        /// Its output.
        bytes: Vec<u8>,
    },
    /// A command ended.
    Exit {
        /// The command's place.
        command: u32,
        /// How.
        end: End,
        /// How long it took.
        milliseconds: u32,
    },
    /// `/proc/1/mountinfo` of the booted guest.
    Mounts(Vec<u8>),
    /// Some of the inodes that were touched: device number as the kernel has it, inode number.
    Seen(Vec<(u32, u64)>),
    /// All of them were sent so far: how many pairs in all, and how many events were lost.
    SeenEnd {
        /// Pairs sent in all `Seen` frames.
        pairs: u64,
        /// Events that did not fit.
        lost: u64,
    },
    /// The last one.
    Bye,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It returned this code.
    Code(i32),
    /// A signal killed it.
    Signal(i32),
    /// It was killed because it timed out.
    TimedOut,
    /// It could not be started (no such user, no shell).
    NotStarted,
}

/// No frame's payload is longer.
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// Builds payloads.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }
    fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self = self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(bytes);
        self
    }
}

/// Takes payloads apart; every step may find nothing.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
    fn bytes(&mut self) -> Option<Vec<u8>> {
        let len = self.u32()? as usize;
        Some(self.take(len)?.to_vec())
    }
}

impl Orders {
    /// As the tracer's file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default()
            .u32(u32::from(self.records))
            .u32(self.scope as u32)
            .u32(self.boot_cap)
            .u32(self.port)
            .u32(u32::from(self.shuts_down))
            .u32(self.commands.len() as u32);
        for command in &self.commands {
            out = out
                .bytes(&command.user)
                .bytes(&command.line)
                .u32(command.time_cap)
                .u32(command.output_cap);
        }
        out.0
    }

    /// From the tracer's file.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let mut orders = Self {
            records: reader.u32()? != 0,
            scope: Scope::decode(reader.u32()?)?,
            boot_cap: reader.u32()?,
            port: reader.u32()?,
            shuts_down: reader.u32()? != 0,
            commands: Vec::new(),
        };
        for _ in 0..reader.u32()? {
            orders.commands.push(Command {
                user: reader.bytes()?,
                line: reader.bytes()?,
                time_cap: reader.u32()?,
                output_cap: reader.u32()?,
            });
        }
        reader.0.is_empty().then_some(orders)
    }
}

impl Frame {
    /// As it goes over the port.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, payload) = self.payload();
        let mut out = vec![kind];
        out.extend_from_slice(&(payload.0.len() as u32).to_le_bytes());
        out.extend_from_slice(&payload.0);
        out.extend_from_slice(&crc32(&out).to_le_bytes());
        out
    }

    fn payload(&self) -> (u8, Writer) {
        let out = Writer::default();
        match self {
            Self::Hello {
                kernel,
                method,
                because,
            } => (1, out.bytes(kernel).u32(*method as u32).bytes(because)),
            Self::Up(state) => (2, out.bytes(state)),
            Self::Output {
                command,
                is_error,
                bytes,
            } => (3, out.u32(*command).u32(u32::from(*is_error)).bytes(bytes)),
            Self::Exit {
                command,
                end,
                milliseconds,
            } => {
                let (kind, value) = match *end {
                    End::Code(code) => (0, code),
                    End::Signal(signal) => (1, signal),
                    End::TimedOut => (2, 0),
                    End::NotStarted => (3, 0),
                };
                let value = value.cast_unsigned();
                (4, out.u32(*command).u32(kind).u32(value).u32(*milliseconds))
            }
            Self::Mounts(text) => (5, out.bytes(text)),
            Self::Seen(pairs) => {
                let start = out.u32(pairs.len() as u32);
                let put = |out: Writer, &(device, inode): &(u32, u64)| out.u32(device).u64(inode);
                (6, pairs.iter().fold(start, put))
            }
            Self::SeenEnd { pairs, lost } => (7, out.u64(*pairs).u64(*lost)),
            Self::Bye => (8, out),
        }
    }

    fn from_payload(kind: u8, payload: &[u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        let frame = match kind {
            1 => Self::Hello {
                kernel: reader.bytes()?,
                method: match reader.u32()? {
                    0 => Method::Off,
                    1 => Method::Hooks,
                    2 => Method::Opens,
                    _ => return None,
                },
                because: reader.bytes()?,
            },
            2 => Self::Up(reader.bytes()?),
            3 => Self::Output {
                command: reader.u32()?,
                is_error: reader.u32()? != 0,
                bytes: reader.bytes()?,
            },
            4 => {
                let command = reader.u32()?;
                let (kind, value) = (reader.u32()?, reader.u32()?.cast_signed());
                let end = match kind {
                    0 => End::Code(value),
                    1 => End::Signal(value),
                    2 => End::TimedOut,
                    3 => End::NotStarted,
                    _ => return None,
                };
                let milliseconds = reader.u32()?;
                Self::Exit {
                    command,
                    end,
                    milliseconds,
                }
            }
            5 => Self::Mounts(reader.bytes()?),
            6 => {
                let mut pairs = Vec::new();
                for _ in 0..reader.u32()? {
                    pairs.push((reader.u32()?, reader.u64()?));
                }
                Self::Seen(pairs)
            }
            7 => Self::SeenEnd {
                pairs: reader.u64()?,
                lost: reader.u64()?,
            },
            8 => Self::Bye,
            _ => return None,
        };
        reader.0.is_empty().then_some(frame)
    }
}

/// The contents of the next bytes of the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A frame and how many bytes it took.
    Frame(Frame, usize),
    /// Not all of a frame has come yet.
    Partial,
    /// No frame: the stream cannot be trusted from here on.
    Garbage,
}

/// Reads one frame from the start of `bytes`.
pub fn next_frame(bytes: &[u8]) -> Next {
    let Some((head, rest)) = bytes.split_at_checked(5) else {
        return Next::Partial;
    };
    let len = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
    if len > MAX_PAYLOAD || !(1..=8).contains(&head[0]) {
        return Next::Garbage;
    }
    let Some(sum) = rest.get(len..len + 4) else {
        return Next::Partial;
    };
    if crc32(&bytes[..5 + len]).to_le_bytes() != sum {
        return Next::Garbage;
    }
    match Frame::from_payload(head[0], &rest[..len]) {
        Some(frame) => Next::Frame(frame, 9 + len),
        None => Next::Garbage,
    }
}

/// CRC-32 as in zip and Ethernet.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg())
        })
    })
}
