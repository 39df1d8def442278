//! Mutated guests and profiles: whatever is changed in files that programs of the guest wrote, nothing panics and nothing
//! goes on without end.
//!
//! The seeds are small but real: each format that a finder, the package database or the boot chain reads. A short run is
//! part of every test run; `GUESTSLIM_FUZZ_SECONDS=3600 cargo test --test it fuzz` is a long one. A case is its number, so
//! that `GUESTSLIM_FUZZ_CASE=N` runs just that one again.

use guestslim::guest::{Disk, Guest, GuestError};
use guestslim::job::Job;
use guestslim::load::load;
use guestslim::model::glob::{Dialect, Glob};
use guestslim::model::{Entry, FileId, FileKind, FileTree, TreeBuilder, Warning};
use guestslim::plan::Intent;
use guestslim::profile::Profile;
use guestslim::session::Session;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Cases of a short run.
const CASES: u64 = 120;

/// Files by path; `path -> target` is a link.
const SEEDS: &[(&str, &str)] = &[
    (
        "/etc/os-release",
        "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian\"\n",
    ),
    ("/etc/hostname", "host\n"),
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/home/me:/usr/bin/zsh\n",
    ),
    (
        "/etc/fstab",
        "UUID=1 / ext4 defaults 0 1\n/dev/vdb /data xfs defaults 0 2\n",
    ),
    (
        "/etc/nsswitch.conf",
        "passwd: files systemd [NOTFOUND=return] sss\n",
    ),
    (
        "/etc/ld.so.conf",
        "include /etc/ld.so.conf.d/*.conf\nhwcap 0 nosegneg\n/opt/lib\n",
    ),
    (
        "/etc/ld.so.conf.d/a.conf",
        "# x\n/usr/local/lib:/opt/{a,b}/lib\n",
    ),
    (
        "/etc/pam.d/login",
        "auth [success=1 default=ignore] pam_unix.so nullok\n@include common\nauth include other\n",
    ),
    (
        "/etc/crontab",
        "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n@daily root a%b\n",
    ),
    (
        "/etc/sudoers",
        "%adm ALL=(root) NOPASSWD: /usr/bin/make, /bin/sh\n",
    ),
    ("/etc/profile", "if [ -x /bin/sh ]; then . /etc/x; fi\n"),
    (
        "/etc/modprobe.d/x.conf",
        "softdep a pre: b post: c\nblacklist d\n",
    ),
    (
        "/etc/systemd/system/a.service",
        "[Unit]\nRequires=b.service dbus.socket\n[Service]\nUser=me\nEnvironmentFile=-/etc/default/*\n\
      ExecStart=@-/bin/sh sh -c 'exec \"a b\"; c' \\\n  --x=/etc/fstab\n[Install]\nWantedBy=multi-user.target\n",
    ),
    (
        "/etc/systemd/system/multi-user.target.wants/a.service -> ../a.service",
        "",
    ),
    (
        "/usr/lib/udev/rules.d/1.rules",
        "ACTION==\"add\", RUN+=\"/bin/sh -c 'x'\", IMPORT{program}=\"a b\", ENV{SYSTEMD_WANTS}=\"a.service\"\n",
    ),
    (
        "/usr/share/dbus-1/system-services/a.service",
        "[D-BUS Service]\nName=a\nExec=/bin/sh\nUser=me\nSystemdService=a.service\n",
    ),
    (
        "/boot/grub/grub.cfg",
        "set default=\"${saved_entry}\"\nfunction f {\n x\n}\nsubmenu 'S' --id s {\n menuentry 'A \"b\"' $menuentry_id_option 'a' {\n\
      linux (hd0,1)/vmlinuz-6.1 root=UUID=1 ro\n initrd /initrd.img-6.1\n }\n}\nblscfg\n",
    ),
    (
        "/boot/grub/grubenv",
        "# GRUB Environment Block\nsaved_entry=s>a\n####",
    ),
    ("/boot/loader/loader.conf", "default a-*.conf\ntimeout 3\n"),
    (
        "/boot/loader/entries/a-1.conf",
        "title\tA\nversion 6.1\nlinux /vmlinuz-6.1\ninitrd /i\noptions root=x ro\n",
    ),
    (
        "/boot/extlinux/extlinux.conf",
        "DEFAULT l1\nLABEL l1\n LINUX ../vmlinuz\n APPEND root=x\n",
    ),
    ("/boot/vmlinuz-6.1", "HdrS"),
    (
        "/lib/modules/6.1/modules.dep",
        "kernel/a.ko: kernel/b.ko.xz\nkernel/b.ko.xz:\n",
    ),
    (
        "/lib/modules/6.1/modules.alias",
        "alias sum b\nalias pci:v* a\n",
    ),
    ("/lib/modules/6.1/kernel/a.ko", "\u{7f}ELF"),
    ("/lib/modules/6.1/kernel/b.ko.xz", "\u{fd}7zXZ"),
    ("/lib/firmware/a.bin", "x"),
    (
        "/var/lib/dpkg/status",
        "Package: app\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.0~rc1-1+b1\nDepends: tool (>= 1:2) | other:any, sh\n\
      Description: one\n two\n\nPackage: tool\nEssential: yes\nStatus: hold ok installed\nArchitecture: all\nMulti-Arch: foreign\nVersion: 2\n\
      Provides: sh (= 1)\nConffiles:\n /etc/tool.conf d41d obsolete\n\nPackage: dpkg\nStatus: deinstall ok config-files\n",
    ),
    (
        "/var/lib/dpkg/info/app.list",
        "/.\n/usr\n/usr/bin\n/usr/bin/app\n/bin/sh\n",
    ),
    (
        "/var/lib/dpkg/info/tool:all.list",
        "/usr/bin/sh\n/usr/../x\n",
    ),
    (
        "/var/lib/dpkg/info/app.postinst",
        "#!/bin/sh\nset -e\ncase \"$1\" in configure) ldconfig;; esac\n",
    ),
    (
        "/var/lib/dpkg/diversions",
        "/bin/sh\n/bin/sh.distrib\ndash\n",
    ),
    (
        "/var/lib/dpkg/statoverride",
        "root ssl-cert 710 /etc/ssl/x\n",
    ),
    (
        "/var/lib/dpkg/triggers/File",
        "/usr/share/man app/noawait\n",
    ),
    (
        "/var/lib/dpkg/alternatives/awk",
        "auto\n/usr/bin/awk\nawk.1\n/usr/share/man/awk.1\n\n/usr/bin/app\n5\n\n\n",
    ),
    (
        "/var/lib/apt/extended_states",
        "Package: app\nArchitecture: amd64\nAuto-Installed: 1\n",
    ),
    (
        "/usr/bin/app",
        "#!/bin/sh -e\nfor x in `ls`; do case $x in a|b) tool <<EOF | sed s/x/y/ ;; esac; done\nEOF\n$(python3 -c 'x')\n",
    ),
    (
        "/usr/bin/sh",
        "#!/usr/bin/env python3.11\nimport os, a.b as c\nfrom . import (d,\n e)\nx = '/usr/share/x/y', \"a.b.c\"\n",
    ),
    ("/bin -> usr/bin", ""),
    ("/usr/bin/python3.11", ""),
    ("/usr/bin/python3 -> python3.11", ""),
    ("/usr/lib/python3.11/os.py", "import sys\n"),
    (
        "/usr/lib/python3/dist-packages/a/__init__.py",
        "from a import b\ntry: import c\nexcept ImportError: pass\n",
    ),
    (
        "/usr/lib/python3/dist-packages/a-1.dist-info/RECORD",
        "a/__init__.py,sha256=x,1\n../../../bin/a,,\n",
    ),
    (
        "/usr/lib/python3/dist-packages/a-1.dist-info/METADATA",
        "Name: a\nRequires-Dist: c (>=1) ; extra == 'x'\nRequires-Dist: d\n\n",
    ),
    (
        "/opt/v/pyvenv.cfg",
        "home = /usr/bin\ninclude-system-site-packages = true\n",
    ),
    ("/opt/v/bin/python3 -> /usr/bin/python3", ""),
    (
        "/opt/c/conda-meta/a-1.json",
        "{\"name\": \"a\", \"version\": \"1\", \"depends\": [\"b >=1\", \"__glibc\"], \"files\": [\"bin/a\"]}",
    ),
    (
        "/opt/s/.spack/spec.json",
        "{\"spec\": {\"nodes\": [{\"name\": \"s\", \"hash\": \"h\", \"dependencies\": [{\"name\": \"t\", \"hash\": \"h\", \"type\": [\"link\"]}]}]}}",
    ),
    ("/opt/j/Manifest.toml", "[[deps.Foo]]\nuuid = \"1\"\n"),
    ("/root/.julia/packages/Foo/x/src/Foo.jl", "x"),
    (
        "/usr/lib/R/library/base/DESCRIPTION",
        "Package: base\nVersion: 4\nPriority: base\n",
    ),
    (
        "/usr/lib/R/library/MASS/DESCRIPTION",
        "Package: MASS\nVersion: 7\nDepends: R (>= 4), base\nImports: stats,\n graphics\n",
    ),
    ("/usr/lib/R/library/MASS/Meta/package.rds", "x"),
    ("/home/me/a.R", "library(MASS); x::y; require(\"z\")\n"),
    (
        "/home/me/a.pl",
        "#!/usr/bin/perl\nuse lib '/opt/p';\nuse JSON::XS qw(a b);\nrequire Foo::Bar if 0;\neval { require X; };\n",
    ),
    (
        "/usr/share/perl5/JSON/XS.pm",
        "package JSON::XS;\nuse base 'Exporter';\n1;\n__END__\nuse No;\n",
    ),
    (
        "/usr/share/tcltk/x/pkgIndex.tcl",
        "package ifneeded x 1 [list source [file join $dir x.tcl]]\n",
    ),
    ("/home/me/a.tcl", "package require x\n"),
    (
        "/usr/share/octave/packages/io-2/packinfo/DESCRIPTION",
        "Name: io\nVersion: 2\nDepends: octave (>= 4)\n",
    ),
    ("/usr/lib/x/libc.so.6", ""),
];

/// What parsers look for: pieces that a mutation puts in.
const PIECES: [&[u8]; 28] = [
    b"\n",
    b"\n\n",
    b" ",
    b"\\",
    b"'",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b"$(",
    b"`",
    b"*",
    b"/*",
    b"..",
    b"../..",
    b"\0",
    b"\xff\xfe",
    b"%",
    b"|",
    b",",
    b":",
    b"=",
    b"<<EOF",
    b"/usr/bin/app",
    b"99999999999999999999",
    b"\xf0\x9f\x92\xa5",
];

/// Numbers that only the case's number decides (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % count.max(1) as u64) as usize
    }

    /// Changes some bytes.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                1 => bytes.truncate(at),
                2 => {
                    let end = (at + self.below(40)).min(bytes.len());
                    let piece = bytes[at..end].repeat(1 + self.below(300));
                    bytes.splice(at..at, piece);
                }
                3 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                4 => {
                    let piece = PIECES[self.below(PIECES.len())].repeat(1 + self.below(400));
                    bytes.splice(at..at, piece);
                }
                _ => {
                    let piece = PIECES[self.below(PIECES.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
    }
}

/// A guest that lies in memory.
struct Memory {
    disk: Disk,
    tree: FileTree,
    contents: Vec<Vec<u8>>,
}

/// A file of the seed: its path, its target where it is a link, its content.
type Seed = (Vec<u8>, Option<Vec<u8>>, Vec<u8>);

impl Memory {
    fn new(files: &[Seed]) -> Self {
        let mut builder = TreeBuilder::default();
        let mut texts = std::collections::HashMap::new();
        for (path, target, bytes) in files {
            let mut entry = Entry::new(if target.is_some() {
                FileKind::Symlink
            } else {
                FileKind::Regular
            });
            entry.mode = 0o755;
            entry.size = bytes.len() as u64;
            entry.target = target.clone().unwrap_or_default();
            if let Some(id) = builder.add_path(path, entry) {
                texts.insert(id, bytes.clone());
            }
        }
        let (tree, order) = builder.finish();
        let contents = order
            .iter()
            .map(|id| texts.remove(id).unwrap_or_default())
            .collect();
        Self {
            disk: Disk::default(),
            tree,
            contents,
        }
    }
}

impl Guest for Memory {
    fn disk(&self) -> &Disk {
        &self.disk
    }

    fn walk(&mut self, _job: &Job) -> Result<(FileTree, Vec<Warning>), GuestError> {
        Ok((self.tree.clone(), Vec::new()))
    }

    fn read(
        &mut self,
        _tree: &FileTree,
        file: FileId,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, GuestError> {
        let bytes = &self.contents[file.index()];
        let start = usize::try_from(offset).map_or(bytes.len(), |at| at.min(bytes.len()));
        Ok(bytes[start..start.saturating_add(len).min(bytes.len())].to_vec())
    }
}

/// The seeds, and this test's own program as an ELF file.
fn seeds() -> Vec<Seed> {
    let mut files: Vec<_> = SEEDS
        .iter()
        .map(|(path, text)| match path.split_once(" -> ") {
            Some((path, target)) => (path.into(), Some(target.into()), Vec::new()),
            None => (path.as_bytes().to_vec(), None, text.as_bytes().to_vec()),
        })
        .collect();
    let program = std::fs::read("/bin/true").expect("every system has it");
    for path in ["/usr/bin/true", "/usr/lib/x/libz.so.1"] {
        files.push((path.into(), None, program.clone()));
    }
    files
}

fn guest(case: u64) {
    let mut dice = Dice(case);
    let mut files = seeds();
    for _ in 0..=dice.below(3) {
        let at = dice.below(files.len());
        let (path, target, bytes) = &mut files[at];
        match (dice.below(8), target) {
            (0, _) => dice.mutate(path),
            (_, Some(target)) => dice.mutate(target),
            _ => dice.mutate(bytes),
        }
    }
    let mut guest = Memory::new(&files);
    // A guest that is no Linux system any more is a sentence.
    if let Ok(loaded) = load(&mut guest, &Job::quiet()) {
        Session::new(Arc::new(loaded), Intent::default());
    }
}

const PROFILE: &str = "// head\n(\n    version: 1,\n    name: \"x\",\n    made_on: (os: \"debian\", packages: {\"a\": \"1\"}),\n    marks: [\n\
    keep(package(\"r-*\"), whole),\n drop(path(\"/opt/{a,b}/**\")),\n keep(module(\"python@/opt:numpy.*\")),\n keep(feature(\"ssh\")),\n    ],\n\
    rules: {\"documentation\": on},\n    checks: [(command: \"true\", exit: 1, stdout: Some(Contains(\"x\")))],\n    output: (format: raw),\n)\n";

fn profile(case: u64) {
    let mut dice = Dice(case);
    let mut bytes = PROFILE.as_bytes().to_vec();
    dice.mutate(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    match Profile::parse(&text) {
        Ok(profile) => drop(profile.to_ron()),
        Err(error) => assert!(error.to_string().len() < 5000, "{error}"),
    }
}

fn glob(case: u64) {
    let mut dice = Dice(case);
    let mut bytes = b"/opt/{a,b}/**/[!x-z]?.so*".to_vec();
    dice.mutate(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    for dialect in [Dialect::Selector, Dialect::FileName, Dialect::Name] {
        match Glob::new(&text, dialect) {
            Ok(glob) => drop(glob.is_match(&text)),
            Err(error) => assert!(error.to_string().len() < 200, "{error}"),
        }
    }
}

/// Runs cases in order until the time is up or the short run is through; a case that panics says its number.
fn run(what: &str, cases: u64, one: fn(u64)) {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text: String| text.parse::<u64>().ok())
    };
    if let Some(case) = number("GUESTSLIM_FUZZ_CASE") {
        return one(case);
    }
    let seconds = number("GUESTSLIM_FUZZ_SECONDS");
    let end = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    for case in 0.. {
        let is_through = end.map_or(case >= cases, |end| Instant::now() >= end);
        if is_through {
            break;
        }
        let held = std::panic::catch_unwind(|| one(case));
        assert!(held.is_ok(), "{what}: GUESTSLIM_FUZZ_CASE={case} panics");
    }
}

#[test]
fn fuzz_guests() {
    run("guests", CASES, guest);
}

#[test]
fn fuzz_profiles() {
    run("profiles", CASES * 20, profile);
}

#[test]
fn fuzz_globs() {
    run("globs", CASES * 20, glob);
}
