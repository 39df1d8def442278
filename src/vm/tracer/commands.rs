//! Runs one command in the booted guest: in its root, as one of its users, with limits on time and output.

use super::system;
use super::wire::{Command, End};
use super::{HOME, wire};
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{self, Child, Stdio};
use std::time::{Duration, Instant};

/// One of the guest's accounts.
struct Account {
    user: u32,
    group: u32,
    groups: Vec<u32>,
    home: String,
    name: String,
}

/// The guest's `/dev/null`; the tracer's own root has none.
fn no_input() -> Stdio {
    let null = std::fs::File::open(format!("{HOME}/proc/1/root/dev/null"));
    null.or_else(|_| std::fs::File::open(format!("{HOME}/empty")))
        .map_or_else(|_| Stdio::inherit(), Stdio::from)
}

/// Runs a command to its end; `print` gets what it prints, and whether that is on standard error.
pub fn run(command: &Command, print: &mut dyn FnMut(bool, &[u8])) -> End {
    let child = process::Command::new(format!("{HOME}/tracer"))
        .arg0("guestslim-command")
        .arg(std::ffi::OsStr::from_bytes(&command.user))
        .arg(std::ffi::OsStr::from_bytes(&command.line))
        .stdin(no_input())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    match child {
        Ok(child) => watch(child, command, print),
        Err(_) => End::NotStarted,
    }
}

fn watch(mut child: Child, command: &Command, print: &mut dyn FnMut(bool, &[u8])) -> End {
    let group = -i32::try_from(child.id()).unwrap_or(i32::MAX);
    let end_by = Instant::now() + Duration::from_secs(u64::from(command.time_cap));
    let mut streams = [
        Stream::new(
            child
                .stdout
                .take()
                .map(|pipe| Box::new(pipe) as Box<dyn Pipe>),
            command,
        ),
        Stream::new(
            child
                .stderr
                .take()
                .map(|pipe| Box::new(pipe) as Box<dyn Pipe>),
            command,
        ),
    ];
    loop {
        let open = pump(&mut streams, print);
        if let Ok(Some(status)) = child.try_wait() {
            // Drain the pipes; a program left in the background may hold them open for ever.
            let last = Instant::now() + Duration::from_secs(1);
            while pump(&mut streams, print) && Instant::now() < last {}
            system::signal(group, 9);
            return match (status.code(), status.signal()) {
                (Some(code), _) => End::Code(code),
                (None, signal) => End::Signal(signal.unwrap_or(0)),
            };
        }
        if Instant::now() >= end_by {
            system::signal(group, 9);
            let _ = child.wait();
            return End::TimedOut;
        }
        if !open {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

trait Pipe: Read + std::os::fd::AsRawFd {}
impl<T: Read + std::os::fd::AsRawFd> Pipe for T {}

/// One output stream and how much of it may still be sent.
struct Stream {
    pipe: Option<Box<dyn Pipe>>,
    left: usize,
}

impl Stream {
    fn new(pipe: Option<Box<dyn Pipe>>, command: &Command) -> Self {
        Self {
            pipe,
            left: command.output_cap as usize,
        }
    }
}

/// Reads what has come within a moment; whether any stream is still open.
fn pump(streams: &mut [Stream; 2], print: &mut dyn FnMut(bool, &[u8])) -> bool {
    let open: Vec<usize> = (0..2)
        .filter(|&index| streams[index].pipe.is_some())
        .collect();
    let fds: Vec<_> = open
        .iter()
        .filter_map(|&index| Some(streams[index].pipe.as_ref()?.as_raw_fd()))
        .collect();
    for (&index, is_ready) in open.iter().zip(system::wait_readable(&fds, 50)) {
        if !is_ready {
            continue;
        }
        let stream = &mut streams[index];
        let mut buffer = [0; 4096];
        match stream.pipe.as_mut().map(|pipe| pipe.read(&mut buffer)) {
            Some(Ok(count)) if count > 0 => {
                let sent = count.min(stream.left);
                stream.left -= sent;
                if sent > 0 {
                    print(index == 1, &buffer[..sent]);
                }
            }
            _ => stream.pipe = None,
        }
    }
    !open.is_empty()
}

/// In the new process: enters the guest's root, becomes the user, becomes the shell.
pub fn become_command(words: &[OsString]) -> ! {
    let error = match try_become(words) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    eprintln!("guestslim: cannot start the command: {error}");
    process::exit(127)
}

fn try_become(words: &[OsString]) -> std::io::Result<std::convert::Infallible> {
    let [user, line] = words else {
        return Err(std::io::Error::other("two words expected"));
    };
    system::start_session();
    std::os::unix::fs::chroot(format!("{HOME}/proc/1/root"))?;
    std::env::set_current_dir("/")?;
    let account = account(user.as_bytes()).ok_or_else(|| std::io::Error::other("no such user"))?;
    if account.user != 0 {
        system::become_user(account.user, account.group, &account.groups)?;
    }
    // A service's user may have a home that does not exist.
    let _ = std::env::set_current_dir(&account.home);
    Err(process::Command::new("/bin/sh")
        .arg("-c")
        .arg(line)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("HOME", &account.home)
        .env("USER", &account.name)
        .env("LOGNAME", &account.name)
        .env("SHELL", "/bin/sh")
        .exec())
}

fn account(name: &[u8]) -> Option<Account> {
    if name.is_empty() || name == b"root" {
        let root = "root".to_owned();
        return Some(Account {
            user: 0,
            group: 0,
            groups: Vec::new(),
            home: "/root".to_owned(),
            name: root,
        });
    }
    let name = String::from_utf8(name.to_vec()).ok()?;
    let users = String::from_utf8_lossy(&std::fs::read("/etc/passwd").ok()?).into_owned();
    let fields: Vec<&str> = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|row| row[0] == name)?;
    let (user, group) = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
    let home = (*fields.get(5)?).to_owned();
    Some(Account {
        user,
        group,
        groups: groups(&name, group),
        home,
        name,
    })
}

fn groups(name: &str, first: u32) -> Vec<u32> {
    let text =
        String::from_utf8_lossy(&std::fs::read("/etc/group").unwrap_or_default()).into_owned();
    let member = |line: &str| {
        let row: Vec<&str> = line.split(':').collect();
        let is_member = row.get(3)?.split(',').any(|user| user == name);
        row.get(2)?.parse().ok().filter(|_| is_member)
    };
    std::iter::once(first)
        .chain(text.lines().filter_map(member))
        .collect()
}

/// A command of the tracer's own, run as root with small caps; what it printed.
pub fn ask(line: &str, seconds: u32) -> (End, Vec<u8>) {
    let command = Command {
        line: line.as_bytes().to_vec(),
        time_cap: seconds,
        output_cap: 4096,
        ..wire::Command::default()
    };
    let mut printed = Vec::new();
    let end = run(&command, &mut |is_error, bytes| {
        if !is_error {
            printed.extend_from_slice(bytes);
        }
    });
    (end, printed)
}
