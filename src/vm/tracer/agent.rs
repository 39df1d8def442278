//! The process that stays behind when process 1 becomes the guest's own: waits, runs the commands, sends the record.

use super::wire::{End, Frame, MAX_PAYLOAD, Method, Orders, Scope};
use super::{HOME, commands, hooks, system};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::time::{Duration, Instant};

/// The serial port that leads to the host.
struct Port(File);

impl Port {
    fn open() -> std::io::Result<Self> {
        const NO_CONTROLLING_TERMINAL: i32 = 0o400;
        let path = format!("{HOME}/port");
        let port = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(NO_CONTROLLING_TERMINAL)
            .open(path)?;
        system::make_raw(&port)?;
        Ok(Self(port))
    }

    fn send(&mut self, frame: &Frame) {
        // When the host is gone the machine is too.
        let _ = self.0.write_all(&frame.encode());
        system::drain(&self.0);
    }
}

/// The agent's whole life.
pub fn run() -> ! {
    let orders = fs::read(format!("{HOME}/orders"))
        .ok()
        .and_then(|bytes| Orders::decode(&bytes));
    let (Some(orders), Ok(mut port)) = (orders, Port::open()) else {
        std::process::exit(1);
    };
    let note = wait_for_note();
    port.send(&hello(&orders, &note));
    let end_by = Instant::now() + Duration::from_secs(u64::from(orders.boot_cap));
    let state = wait_until_up(end_by);
    if orders.records {
        wait_for_devices();
    }
    port.send(&Frame::Up(state.as_bytes().to_vec()));
    if orders.scope != Scope::All {
        hooks::begin_anew(orders.scope == Scope::Commands);
    }
    for (number, command) in (0..).zip(&orders.commands) {
        let started = Instant::now();
        let mut print = |is_error: bool, bytes: &[u8]| {
            port.send(&Frame::Output {
                command: number,
                is_error,
                bytes: bytes.to_vec(),
            });
        };
        let end = commands::run(command, &mut print);
        let milliseconds = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        port.send(&Frame::Exit {
            command: number,
            end,
            milliseconds,
        });
    }
    let mut record = Record::default();
    if orders.records && note.is_empty() {
        let mounts = fs::read(format!("{HOME}/proc/1/mountinfo")).unwrap_or_default();
        port.send(&Frame::Mounts(
            mounts[..mounts.len().min(MAX_PAYLOAD - 16)].to_vec(),
        ));
        record.send_new(&mut port);
    }
    port.send(&Frame::Bye);
    if orders.shuts_down {
        wait_for_devices();
        shut_down(&mut port, &mut record, orders.records && note.is_empty());
    }
    system::power_off()
}

fn hello(orders: &Orders, note: &str) -> Frame {
    let kernel =
        fs::read_to_string(format!("{HOME}/proc/sys/kernel/osrelease")).unwrap_or_default();
    let method = if orders.records && note.is_empty() {
        Method::Hooks
    } else {
        Method::Off
    };
    Frame::Hello {
        kernel: kernel.trim().as_bytes().to_vec(),
        method,
        because: note.as_bytes().to_vec(),
    }
}

/// Process 1 writes it when the hooks are set.
fn wait_for_note() -> String {
    loop {
        match fs::read_to_string(format!("{HOME}/note")) {
            Ok(note) => return note,
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Waits for the switch to the real root, then for the init system to be done.
fn wait_until_up(end_by: Instant) -> String {
    let own = fs::metadata("/").map(|root| (root.dev(), root.ino())).ok();
    while Instant::now() < end_by {
        std::thread::sleep(Duration::from_millis(100));
        let root = fs::metadata(format!("{HOME}/proc/1/root/."))
            .map(|root| (root.dev(), root.ino()))
            .ok();
        if root.is_none() || root == own {
            continue;
        }
        let state = if comm("1") == "systemd" {
            systemd_state(end_by)
        } else {
            login_state()
        };
        if let Some(state) = state {
            return state;
        }
    }
    "timeout".to_owned()
}

/// Waits until udev has worked off its events: a module that it loads late would be in one record and not in the next one. It
/// has this file while any event waits (udevadm-settle(8) looks for it); the file may be gone for a moment between two.
fn wait_for_devices() {
    const LONGEST: u32 = 600;
    const QUIET: u32 = 10;
    let queue = format!("{HOME}/proc/1/root/run/udev/queue");
    let mut quiet = 0;
    for _ in 0..LONGEST {
        quiet = if fs::exists(&queue).unwrap_or(false) {
            0
        } else {
            quiet + 1
        };
        if quiet > QUIET {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn comm(process: &str) -> String {
    fs::read_to_string(format!("{HOME}/proc/{process}/comm"))
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Systemd's name for its state once its start is over.
fn systemd_state(end_by: Instant) -> Option<String> {
    // The private socket exists as soon as the manager answers.
    fs::metadata(format!("{HOME}/proc/1/root/run/systemd/private")).ok()?;
    let seconds = end_by.saturating_duration_since(Instant::now()).as_secs();
    let (end, printed) = commands::ask(
        "exec systemctl is-system-running --wait",
        u32::try_from(seconds).unwrap_or(60),
    );
    let state = String::from_utf8_lossy(&printed).trim().to_owned();
    let is_done = matches!(state.as_str(), "running" | "degraded" | "maintenance");
    (matches!(end, End::Code(_)) && is_done).then_some(state)
}

/// For other init systems: up is when somebody could log in.
fn login_state() -> Option<String> {
    let processes = fs::read_dir(format!("{HOME}/proc")).ok()?;
    let is_login = |name: &str| matches!(name, "agetty" | "getty" | "login" | "mingetty");
    let found = processes
        .flatten()
        .any(|entry| is_login(&comm(&entry.file_name().to_string_lossy())));
    found.then(|| "login".to_owned())
}

/// Records already sent.
#[derive(Default)]
struct Record(BTreeSet<(u32, u64)>);

impl Record {
    /// Sends what is new, and the count of all.
    fn send_new(&mut self, port: &mut Port) {
        let Some((pairs, lost)) = hooks::seen() else {
            return;
        };
        let new: Vec<_> = pairs.difference(&self.0).copied().collect();
        for part in new.chunks(4096) {
            port.send(&Frame::Seen(part.to_vec()));
        }
        self.0.extend(new);
        port.send(&Frame::SeenEnd {
            pairs: self.0.len() as u64,
            lost,
        });
    }
}

/// Lets the guest shut down as it does in life, so that what it reads then is seen too; the machine goes off under this loop.
///
/// systemd's last program tells all processes to end when every unit has stopped, and waits for them, but not for those whose
/// name begins with `@`. This one no longer does: the record is whole before the machine can be off, however slow it is.
fn shut_down(port: &mut Port, record: &mut Record, records: bool) {
    const POWER_OFF_SIGNAL: i32 = 34 + 4;
    let is_systemd = comm("1") == "systemd";
    let proc = format!("{HOME}/proc");
    if is_systemd {
        system::hold_end();
        // Where this fails, the record ends when the machine does.
        let _ = system::rename_first_byte(&proc, b'-');
        system::signal(1, POWER_OFF_SIGNAL);
    } else {
        commands::ask("poweroff", 30);
    }
    let end_by = Instant::now() + Duration::from_secs(90);
    while Instant::now() < end_by {
        let is_last = is_systemd && comm("1") != "systemd" && system::is_told_to_end(&proc);
        if records {
            record.send_new(port);
        }
        if is_last {
            std::process::exit(0);
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}
