//! Guests and profiles made to stop the program: each is made by code, and is opened by the real binary with a bound on
//! memory and on time. It ends with a sentence or a usable guest, never with a panic.

use crate::command::{Ran, ran};
use guestslim::guest::{Disk, Guest, GuestError, OpenOptions, open};
use guestslim::job::{Cancel, Job};
use guestslim::load::{LoadError, load};
use guestslim::model::{FileId, FileTree, Warning};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Address space that a run may use: 1 GiB, and the program itself and its threads' stacks.
const MEMORY: &str = "--as=1500000000";
/// When a run is killed: far above what any needs, since several tests share few processors.
const DEADLINE: Duration = Duration::from_secs(240);

/// A folder that is opened as a guest.
struct Hostile {
    folder: TempDir,
}

impl Hostile {
    /// The smallest guest.
    fn new() -> Self {
        let guest = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        guest.write("etc/os-release", "ID=x\n");
        guest.write("var/lib/dpkg/status", "");
        guest
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    /// A file of this length that takes no room.
    fn sparse(&self, path: &str, len: u64) {
        self.write(path, "");
        let file = fs::OpenOptions::new().write(true).open(self.path(path));
        file.and_then(|file| file.set_len(len)).expect("sparse");
    }

    fn inspect(&self) -> Ran {
        self.run(&["inspect", "--all"])
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut args = args.to_vec();
        args.push(self.folder.path().to_str().expect("a plain path"));
        bounded(&args)
    }
}

/// Starts the program under its bound on memory.
fn start(args: &[&str]) -> Child {
    Command::new("prlimit")
        .args([MEMORY, "--core=0", env!("CARGO_BIN_EXE_guestslim")])
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("prlimit runs")
}

/// Waits for the end, or kills at the deadline.
fn finish(mut child: Child, args: &[&str]) -> Output {
    let pid = rustix::process::Pid::from_child(&child);
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let killer = std::thread::spawn(move || {
        let is_late = wait.recv_timeout(DEADLINE).is_err();
        if is_late {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        is_late
    });
    let streams = (child.stdout.take(), child.stderr.take());
    let (out, err) = (read(streams.0), read(streams.1));
    let (stdout, stderr) = (out.join(), err.join());
    // The process still exists here, so that its number is nobody else's: it is waited for after the killer has ended.
    let _ = done.send(());
    assert!(
        !killer.join().expect("it ends"),
        "{args:?} did not end in {DEADLINE:?}"
    );
    Output {
        status: child.wait().expect("it ended"),
        stdout: stdout.expect("read"),
        stderr: stderr.expect("read"),
    }
}

fn read(stream: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    let mut stream = stream.expect("it is piped");
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("readable");
        bytes
    })
}

/// Runs the program within the bounds; whatever it says is no panic.
fn bounded(args: &[&str]) -> Ran {
    ran(&finish(start(args), args))
}

fn nested(depth: usize) -> String {
    "{".repeat(depth) + "a" + &"}".repeat(depth)
}

/// The guest is usable, and says what could not be used of it.
#[track_caller]
fn warned(ran: &Ran, part: &str) {
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains(part), "{part}: {}", ran.out);
    let longest = ran.out.lines().map(str::len).max().unwrap_or(0);
    assert!(longest < 5000, "a line of {longest} bytes");
}

#[test]
fn a_guests_globs_are_warnings_with_their_places() {
    for (glob, reason) in [
        (nested(300), "300 braces"),
        (nested(100_000), "bytes"),
        ("?".repeat(500_000), "500000 bytes"),
    ] {
        let guest = Hostile::new();
        guest.write("etc/ld.so.conf", format!("# x\ninclude /etc/{glob}\n"));
        let ran = guest.inspect();
        warned(&ran, "warning: /etc/ld.so.conf, line 2: the glob ");
        warned(&ran, reason);

        let guest = Hostile::new();
        guest.write("boot/loader/loader.conf", format!("default {glob}\n"));
        let ran = guest.inspect();
        warned(&ran, "warning: /boot/loader/loader.conf, line 1: the glob ");

        let guest = Hostile::new();
        guest.write(
            "boot/grub2/grub.cfg",
            "blscfg\nset default=\"${saved_entry}\"\n",
        );
        guest.write(
            "boot/grub2/grubenv",
            format!("# GRUB\nsaved_entry={glob}\n"),
        );
        let ran = guest.inspect();
        warned(&ran, "warning: /boot/grub2/grubenv, line 2: the glob ");
    }
    let guest = Hostile::new();
    let unit = format!("[Service]\n\nEnvironmentFile=-/etc/{}\n", "*".repeat(5000));
    guest.write("etc/systemd/system/x.service", unit);
    let place = "warning: /etc/systemd/system/x.service, line 3: the glob ";
    warned(&guest.inspect(), place);
}

#[test]
fn a_profiles_globs_are_errors_with_line_column_and_hint() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("p.ron");
    let globs = [nested(300), nested(100_000), "*?".repeat(50_000)];
    for glob in &globs {
        for selector in [
            format!("path(\"/{glob}\")"),
            format!("package(\"{glob}\")"),
            format!("module(\"python:{glob}\")"),
        ] {
            let text = format!("(\n version: 1, name: \"x\",\n marks: [drop({selector})],\n)");
            fs::write(&path, text).expect("written");
            let name = path.to_str().expect("plain");
            let guest = Hostile::new();
            for ran in [
                bounded(&["profile", "check", name]),
                guest.run(&["plan", "-p", name]),
            ] {
                assert_eq!(ran.code, 2, "{}", ran.err);
                assert!(ran.err.contains("p.ron, line 3, column "), "{}", ran.err);
                assert!(ran.err.contains("hint: write several marks"), "{}", ran.err);
                assert!(ran.err.len() < 1000, "{}", ran.err);
            }
        }
    }
}

#[test]
fn patterns_over_links_that_lead_back_come_to_an_end() {
    let guest = Hostile::new();
    fs::create_dir_all(guest.path("opt/d")).expect("made");
    for at in 0..600 {
        symlink(".", guest.path(&format!("opt/d/s{at}"))).expect("linked");
    }
    let pattern = "/*".repeat(2000);
    let unit = format!("[Service]\nEnvironmentFile=/opt/d{pattern}/f\n");
    guest.write("etc/systemd/system/p.service", unit);
    warned(&guest.inspect(), "files");
}

#[test]
fn many_names_of_one_file_cost_no_more_than_many_files() {
    let guest = Hostile::new();
    guest.write("opt/f", "x");
    for at in 0..30_000 {
        fs::hard_link(guest.path("opt/f"), guest.path(&format!("opt/x{at}"))).expect("linked");
    }
    warned(&guest.inspect(), "30,0");
}

#[test]
fn many_providers_and_many_clauses_come_to_an_end() {
    let guest = Hostile::new();
    let clauses = ["v (>= 9999)"; 200].join(", ");
    let stanza = |at: usize| {
        format!(
            "Package: p{at}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\
             Provides: v (= {at})\nDepends: {clauses}\n\n"
        )
    };
    let status: String = (0..2000).map(stanza).collect();
    guest.write("var/lib/dpkg/status", status);
    warned(&guest.inspect(), "note: 2,000 needs of files");
}

#[test]
fn a_warning_a_line_is_no_memory_a_line() {
    let guest = Hostile::new();
    guest.write("var/lib/dpkg/status", "x\n".repeat(4 << 20));
    for at in 0..200 {
        guest.write(&format!("usr/lib/l{at:03}.so"), "\x7fELF");
    }
    let ran = guest.inspect();
    warned(&ran, "status, line 100: a line that is no field\n");
    warned(
        &ran,
        "warning: /var/lib/dpkg/status: and 4,194,205 more warnings\n",
    );
    warned(&ran, "warning: /usr/lib/l199.so: a truncated ELF header\n");
    assert!(!ran.out.contains("line 101:"));
}

#[test]
fn texts_of_the_package_manager_are_not_kept_whatever_their_length() {
    let guest = Hostile::new();
    for at in 0..12 {
        guest.sparse(&format!("var/lib/dpkg/alternatives/{at}"), 255 << 20);
        guest.sparse(&format!("var/lib/dpkg/triggers/{at}"), 4 << 20);
    }
    guest.sparse("var/lib/dpkg/diversions", 60 << 20);
    guest.sparse("var/lib/dpkg/statoverride", 60 << 20);
    let ran = guest.inspect();
    warned(
        &ran,
        "warning: /var/lib/dpkg/alternatives/0: too large to read\n",
    );
    warned(
        &ran,
        "warning: /var/lib/dpkg/triggers/9: too large to read\n",
    );
}

#[test]
fn whatever_a_guest_calls_itself_is_printed_in_part() {
    let guest = Hostile::new();
    let long = "n".repeat(60_000);
    guest.write("etc/os-release", format!("ID={long}\nPRETTY_NAME={long}\n"));
    guest.write("etc/hostname", &long);
    let package = |name: &str| format!("Package: {name}\nStatus: install ok {long}\n\n");
    let installed = format!(
        "Package: p\nStatus: install ok installed\nVersion: 1{long}\nSection: {long}\nDescription: {long}\n\
         Depends: {long}\n\n"
    );
    let status = package(&long) + &package("q") + &installed;
    guest.write("var/lib/dpkg/status", status);
    let menu = format!("menuentry '{long}' {{\nlinux /{long} {long}\n}}\n");
    guest.write("boot/grub/grub.cfg", menu);
    let manifest = format!("[[deps.{long}]]\n");
    guest.write("opt/p/Manifest.toml", manifest);
    let program = format!("#!/{long}\n");
    guest.write("usr/bin/x", program);
    let ran = guest.inspect();
    warned(&ran, "nnn... (1,024 bytes) is no package name");
    for args in [
        &["inspect", "--json"][..],
        &["plan"],
        &["plan", "--json"],
        &["why", "--json", "p"],
        &["why", "p"],
    ] {
        // The package's name comes after the guest.
        let (last, first) = args.split_last().expect("a word");
        let folder = guest.folder.path().to_str().expect("a plain path");
        let ran = match *last {
            "p" => bounded(&[first, &[folder, "p"]].concat()),
            _ => guest.run(args),
        };
        let said = ran.out + &ran.err;
        let longest = said.lines().map(str::len).max().unwrap_or(0);
        assert!(longest < 5000, "{args:?}: a line of {longest} bytes");
    }
}

/// A guest that raises its own cancel flag with one of its reads.
struct Stopped {
    guest: Box<dyn Guest>,
    cancel: Cancel,
    reads: usize,
    at: usize,
}

impl Guest for Stopped {
    fn disk(&self) -> &Disk {
        self.guest.disk()
    }

    fn walk(&mut self, job: &Job) -> Result<(FileTree, Vec<Warning>), GuestError> {
        self.guest.walk(job)
    }

    fn read(
        &mut self,
        tree: &FileTree,
        file: FileId,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, GuestError> {
        self.reads += 1;
        if self.reads == self.at {
            self.cancel.cancel();
        }
        self.guest.read(tree, file, offset, len)
    }
}

#[test]
fn a_cancel_is_the_last_read_wherever_it_comes() {
    let folder = Hostile::new();
    for (path, text) in [
        ("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"),
        ("etc/ld.so.conf.d/a.conf", "/opt/lib\n"),
        (
            "etc/systemd/system/a.service",
            "[Service]\nExecStart=/usr/bin/a\n",
        ),
        ("usr/bin/a", "#!/bin/sh\na\n"),
        ("boot/loader/loader.conf", "default a\n"),
        ("boot/loader/entries/a.conf", "title a\nlinux /a\n"),
        ("opt/p/Manifest.toml", "[[deps.A]]\n"),
        ("opt/c/conda-meta/a.json", "{\"name\": \"a\"}"),
        ("var/lib/dpkg/info/p.list", "/usr\n"),
        ("var/lib/dpkg/info/p.postinst", "#!/bin/sh\na\n"),
        (
            "var/lib/dpkg/status",
            "Package: p\nStatus: install ok installed\n",
        ),
    ] {
        folder.write(path, text);
    }
    let mut at = 1;
    loop {
        let job = Job::quiet();
        let guest = open(folder.folder.path(), &OpenOptions::default(), &job).expect("it opens");
        let mut guest = Stopped {
            guest,
            cancel: job.cancel(),
            reads: 0,
            at,
        };
        let loaded = load(&mut guest, &job);
        if guest.reads < at {
            assert!(loaded.is_ok() && at > 12, "{at} reads in all");
            break;
        }
        assert!(matches!(loaded, Err(LoadError::Cancelled(_))), "read {at}");
        assert_eq!(guest.reads, at, "nothing is read after a cancel");
        at += 1;
    }
}
