//! System calls that the standard library does not offer; the tracer's only unsafe code.

use std::ffi::CString;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::PermissionsExt as _;

use std::ffi::{c_int, c_ulong};

/// The C library's own functions.
mod c {
    use std::ffi::{c_char, c_int, c_ulong, c_void};

    #[repr(C)]
    pub struct PollFd {
        pub fd: c_int,
        pub events: i16,
        pub revents: i16,
    }

    unsafe extern "C" {
        pub fn mount(
            source: *const c_char,
            target: *const c_char,
            kind: *const c_char,
            flags: c_ulong,
            data: *const c_void,
        ) -> c_int;
        pub fn mknod(path: *const c_char, mode: u32, device: u64) -> c_int;
        pub fn reboot(what: c_int) -> c_int;
        pub fn kill(process: c_int, signal: c_int) -> c_int;
        pub fn sigprocmask(how: c_int, set: *const SignalSet, old: *mut c_void) -> c_int;
        pub fn setsid() -> c_int;
        pub fn setgroups(count: usize, groups: *const u32) -> c_int;
        pub fn setgid(group: u32) -> c_int;
        pub fn setuid(user: u32) -> c_int;
        pub fn poll(fds: *mut PollFd, count: c_ulong, timeout: c_int) -> c_int;
        pub fn tcgetattr(fd: c_int, settings: *mut Termios) -> c_int;
        pub fn tcsetattr(fd: c_int, when: c_int, settings: *const Termios) -> c_int;
        pub fn tcdrain(fd: c_int) -> c_int;
        pub fn cfmakeraw(settings: *mut Termios);
    }

    /// As large as glibc's and musl's `sigset_t`; signal N is bit N - 1.
    #[repr(C)]
    pub struct SignalSet(pub [c_ulong; 128 / size_of::<c_ulong>()]);

    /// Larger than glibc's `struct termios` on every architecture.
    #[repr(C, align(8))]
    pub struct Termios(pub [u8; 128]);
}

use c::{PollFd, SignalSet, Termios};

fn checked(result: c_int) -> Result<()> {
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}

fn text(value: &str) -> Result<CString> {
    CString::new(value).map_err(Error::other)
}

/// Mounts a file system with the default flags.
pub fn mount(source: &str, at: &str, kind: &str) -> Result<()> {
    let (source, at, kind) = (text(source)?, text(at)?, text(kind)?);
    // SAFETY: three strings that end in NUL and live until the call returns; no data.
    checked(unsafe {
        c::mount(
            source.as_ptr(),
            at.as_ptr(),
            kind.as_ptr(),
            0,
            std::ptr::null(),
        )
    })
}

/// Makes the device node of a serial port.
pub fn make_serial_port(path: &str, number: u32) -> Result<()> {
    const CHARACTER_DEVICE: u32 = 0o020_600;
    let path = text(path)?;
    // SAFETY: a string that ends in NUL; the rest are numbers (major 4, minor 64 and on: ttyS).
    checked(unsafe {
        c::mknod(
            path.as_ptr(),
            CHARACTER_DEVICE,
            (4 << 8) | u64::from(64 + number),
        )
    })
}

/// Lets a file be executed.
pub fn make_executable(path: &str) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

/// Switches the machine off, now.
pub fn power_off() -> ! {
    const POWER_OFF: c_int = 0x4321_FEDC;
    // SAFETY: a number. The machine is gone afterwards, or the caller was not allowed to.
    unsafe { c::reboot(POWER_OFF) };
    std::process::exit(1)
}

/// Sends a signal to a process, or to a group when `process` is negative.
pub fn signal(process: i32, number: i32) {
    // SAFETY: two numbers.
    unsafe { c::kill(process, number) };
}

const TERMINATE: u32 = 15;

/// From now on the signal to end only waits: see [`is_told_to_end`].
pub fn hold_end() {
    const BLOCK: c_int = 0;
    let mut set = SignalSet([0; 128 / size_of::<c_ulong>()]);
    set.0[0] = 1 << (TERMINATE - 1);
    // SAFETY: a set of the C library's layout; the old one is not asked for.
    unsafe { c::sigprocmask(BLOCK, &raw const set, std::ptr::null_mut()) };
}

/// Whether somebody sent this process the signal to end (proc(5), status).
pub fn is_told_to_end(proc: &str) -> bool {
    let status = std::fs::read_to_string(format!("{proc}/self/status")).unwrap_or_default();
    let waiting = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let waiting = waiting.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    waiting.is_some_and(|mask| mask & (1 << (TERMINATE - 1)) != 0)
}

/// Overwrites the first byte of this process's name, as others read it (proc(5), cmdline; the 48th field of stat is where).
pub fn rename_first_byte(proc: &str, byte: u8) -> Result<()> {
    use std::os::unix::fs::FileExt as _;
    let stat = std::fs::read_to_string(format!("{proc}/self/stat"))?;
    // The second field may hold anything, the third one follows its last parenthesis.
    let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let start = rest.split(' ').nth(48 - 3).and_then(|at| at.parse().ok());
    let start: u64 = start.ok_or_else(|| Error::other("no arg_start"))?;
    let memory = std::fs::OpenOptions::new()
        .write(true)
        .open(format!("{proc}/self/mem"))?;
    memory.write_all_at(&[byte], start)
}

/// Starts a session, so that the process and all that it starts can be killed together.
pub fn start_session() {
    // SAFETY: no arguments.
    unsafe { c::setsid() };
}

/// Becomes a user with his groups.
pub fn become_user(user: u32, group: u32, groups: &[u32]) -> Result<()> {
    // SAFETY: pointer and length are those of one slice.
    checked(unsafe { c::setgroups(groups.len(), groups.as_ptr()) })?;
    // SAFETY: a number.
    checked(unsafe { c::setgid(group) })?;
    // SAFETY: a number.
    checked(unsafe { c::setuid(user) })
}

/// Waits until one of these can be read or has ended, or the time is up; one answer each.
pub fn wait_readable(fds: &[RawFd], milliseconds: i32) -> Vec<bool> {
    const POLLIN: i16 = 1;
    let mut list: Vec<PollFd> = fds
        .iter()
        .map(|&fd| PollFd {
            fd,
            events: POLLIN,
            revents: 0,
        })
        .collect();
    // SAFETY: pointer and count are those of one vector of the C layout.
    let ready = unsafe { c::poll(list.as_mut_ptr(), list.len() as c_ulong, milliseconds) };
    list.iter()
        .map(|entry| ready > 0 && entry.revents != 0)
        .collect()
}

/// Sets a serial port so that bytes pass unchanged.
pub fn make_raw(port: &impl AsRawFd) -> Result<()> {
    let mut settings = Termios([0; 128]);
    // SAFETY: the buffer is larger than the structure that is filled.
    checked(unsafe { c::tcgetattr(port.as_raw_fd(), &raw mut settings) })?;
    // SAFETY: filled above.
    unsafe { c::cfmakeraw(&raw mut settings) };
    // SAFETY: filled above.
    checked(unsafe { c::tcsetattr(port.as_raw_fd(), 0, &raw const settings) })
}

/// Waits until all bytes have left.
pub fn drain(port: &impl AsRawFd) {
    // SAFETY: an open descriptor.
    unsafe { c::tcdrain(port.as_raw_fd()) };
}
