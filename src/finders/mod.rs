//! Finders: each reads one kind of fact out of a guest's files and yields needs.
//!
//! A finder is a row of [`FINDERS`]. It sees the file tree, the packages and bytes on request; never a guest handle,
//! a screen or the host's disk. What it cannot parse is a warning, never a failure.

pub mod boot;
pub mod dbus;
pub mod depends;
pub mod dlopen;
pub mod elf;
pub mod family;
#[cfg(test)]
mod fixture;
pub mod follow;
pub mod library;
pub mod modules;
mod pattern;
pub mod perl;
mod plugin;
mod programs;
pub mod python;
pub mod r;
pub mod shebang;
pub mod shell;
pub mod symbol_version;
pub mod symlink;
pub mod tree;
pub mod udev;
pub mod unit;

use crate::job::{Cancelled, Job};
use crate::model::{
    Components, Evidence, FileId, FileKind, FileTree, Inventory, Need, Node, Resolved, Unmet,
    Warning,
};

/// A file's bytes on request. Failures are already warnings by the time that a finder sees an empty answer.
pub trait Source {
    /// Up to `len` bytes of a regular file from `offset` on; empty at the end, for other kinds, and on failure.
    fn read(&mut self, tree: &FileTree, file: FileId, offset: u64, len: usize) -> Vec<u8>;
}

/// What the first bytes of a file say that it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Head {
    /// Not looked at, or nothing special.
    #[default]
    Other,
    /// An ELF file.
    Elf,
    /// A script: the rest of its `#!` line, trimmed, without a newline.
    Script(Box<[u8]>),
}

impl Head {
    /// How many bytes tell.
    pub const LEN: usize = 256;

    /// Reads the first bytes of a file.
    pub fn parse(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"\x7fELF") {
            return Self::Elf;
        }
        let Some(rest) = bytes.strip_prefix(b"#!") else {
            return Self::Other;
        };
        let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
        Self::Script(line.trim_ascii().into())
    }
}

/// Longest text file that a finder reads whole.
const MAX_TEXT: usize = 1 << 20;

/// Reads a regular file's text at a path of the guest, links followed; `None` when there is none.
pub(crate) fn text(tree: &FileTree, source: &mut dyn Source, path: &[u8]) -> Option<Vec<u8>> {
    let file = tree.resolve(path)?.file;
    (tree.kind(file) == FileKind::Regular).then(|| read_text(tree, source, file))
}

/// Reads a regular file's text. What is longer than a configuration file may be is cut off.
pub(crate) fn read_text(tree: &FileTree, source: &mut dyn Source, file: FileId) -> Vec<u8> {
    source.read(tree, file, 0, MAX_TEXT)
}

/// The regular files at and below some paths, links followed, in tree order.
pub(crate) fn files_at(tree: &FileTree, paths: &[&[u8]]) -> Vec<FileId> {
    let mut files: Vec<FileId> = paths
        .iter()
        .filter_map(|path| tree.resolve(path))
        .flat_map(|end| tree.subtree(end.file).map(FileId))
        .filter(|&file| tree.kind(file) == FileKind::Regular)
        .collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// What a finder may look at.
pub struct Facts<'a> {
    /// Tree, packages, owners, boot chain.
    pub inventory: &'a Inventory,
    /// One element a file: read for executables and for names with `.so` in them.
    pub heads: &'a [Head],
    /// The loader's view of every ELF file.
    pub elves: &'a elf::Elves,
}

/// What finders yield.
#[derive(Debug, Default)]
pub struct Found {
    /// Edges.
    pub needs: Vec<Need>,
    /// Needs that nothing satisfies.
    pub unmet: Vec<Unmet>,
    /// What could not be parsed.
    pub warnings: Vec<Warning>,
    /// Units and the modules that can be named.
    pub components: Components,
}

/// Who needs, how that is known and by which finder: what the edges of one file have in common.
#[derive(Debug, Clone, Copy)]
pub struct Because {
    /// The finder's row.
    pub finder: u8,
    /// Who needs.
    pub from: Node,
    /// How it is known.
    pub evidence: Evidence,
}

impl Found {
    /// Adds an edge.
    pub fn need(&mut self, because: Because, to: Node, what: &[u8]) {
        self.needs.push(Need {
            from: because.from,
            to,
            finder: because.finder,
            evidence: because.evidence,
            what: what.into(),
        });
    }

    /// Adds an edge to the file at the end of a path and one to each link on the way.
    pub fn chain(&mut self, because: Because, end: &Resolved, what: &[u8]) {
        for &link in &end.links {
            self.need(because, Node::File(link), what);
        }
        self.need(because, Node::File(end.file), what);
    }

    /// Notes a need that nothing satisfies.
    pub fn miss(&mut self, because: Because, what: &[u8]) {
        self.unmet.push(Unmet {
            from: because.from,
            finder: because.finder,
            what: what.into(),
        });
    }
}

/// A finder's function: row, facts, bytes on request, where findings go, the job.
pub type Find = fn(u8, &Facts<'_>, &mut dyn Source, &mut Found, &Job) -> Result<(), Cancelled>;

/// One finder.
pub struct Finder {
    /// Short name in the code, in profiles and on the screen: `library`.
    pub id: &'static str,
    /// The verb phrase of the "why" chain: `A loads B`, here `loads`.
    pub verb: &'static str,
    /// What it reads, for the help and the README.
    pub reads: &'static str,
    /// Adds what it finds; its own row number comes first.
    pub find: Find,
}

/// The row of a plug-in family.
const fn family(id: &'static str, reads: &'static str) -> Finder {
    Finder {
        id,
        verb: "opens",
        reads,
        find: family::find,
    }
}

/// All finders. A row's position is its number in [`Need::finder`].
pub static FINDERS: &[Finder] = &[
    Finder {
        id: "depends",
        verb: "depends on",
        reads: "Depends and Pre-Depends of the package manager's records",
        find: depends::find,
    },
    Finder {
        id: "library",
        verb: "loads",
        reads: "interpreter and needed libraries of ELF files, searched as the loader searches",
        find: library::find,
    },
    Finder {
        id: "symbol-version",
        verb: "asks for",
        reads: "versions of symbols that ELF files define and ask for",
        find: symbol_version::find,
    },
    Finder {
        id: "dlopen",
        verb: "opens",
        reads: "ELF files' notes about libraries opened by name, and such names in the data of what calls dlopen",
        find: dlopen::find,
    },
    Finder {
        id: "shebang",
        verb: "is run by",
        reads: "the first line of scripts",
        find: shebang::find,
    },
    Finder {
        id: "symlink",
        verb: "points to",
        reads: "targets of symbolic links",
        find: symlink::find,
    },
    Finder {
        id: "name-service",
        verb: "opens",
        reads: "services named by /etc/nsswitch.conf",
        find: plugin::name_service,
    },
    Finder {
        id: "pam",
        verb: "loads",
        reads: "modules named by /etc/pam.d",
        find: plugin::pam,
    },
    Finder {
        id: "unit",
        verb: "starts",
        reads: "systemd's units, drop-ins and the links that enable them",
        find: unit::find,
    },
    Finder {
        id: "udev",
        verb: "runs",
        reads: "programs and units that udev's rules start",
        find: udev::find,
    },
    Finder {
        id: "dbus",
        verb: "starts",
        reads: "services that D-Bus starts when they are asked for",
        find: dbus::find,
    },
    Finder {
        id: "module",
        verb: "uses",
        reads: "dependencies, soft dependencies and firmware of kernel modules",
        find: modules::find,
    },
    Finder {
        id: "shell",
        verb: "calls",
        reads: "shell scripts: words where a command stands",
        find: shell::find,
    },
    Finder {
        id: "cron",
        verb: "runs",
        reads: "crontabs",
        find: shell::tables::cron,
    },
    Finder {
        id: "login-shell",
        verb: "logs in with",
        reads: "shells of the accounts in /etc/passwd",
        find: shell::tables::login_shell,
    },
    Finder {
        id: "sudoers",
        verb: "allows",
        reads: "programs that sudo's rules name",
        find: shell::tables::sudoers,
    },
    Finder {
        id: "python-library",
        verb: "starts with",
        reads: "standard libraries of Python interpreters",
        find: python::library,
    },
    Finder {
        id: "python-distribution",
        verb: "belongs to",
        reads: "RECORD, METADATA and top_level.txt of Python distributions",
        find: python::distribution,
    },
    Finder {
        id: "python-import",
        verb: "imports",
        reads: "import statements of Python sources, names of modules in extension modules",
        find: python::import,
    },
    Finder {
        id: "python-data",
        verb: "opens",
        reads: "data files in the folders of Python packages",
        find: python::data,
    },
    Finder {
        id: "r-home",
        verb: "starts with",
        reads: "base packages and configuration of R",
        find: r::home,
    },
    Finder {
        id: "r-package",
        verb: "needs the R package",
        reads: "DESCRIPTION of R packages",
        find: r::package,
    },
    Finder {
        id: "r-script",
        verb: "loads the R package",
        reads: "library(), require() and x:: in R scripts",
        find: r::scripts,
    },
    Finder {
        id: "perl-module",
        verb: "uses",
        reads: "use and require of Perl scripts and modules, their auto folders",
        find: perl::find,
    },
    Finder {
        id: "conda",
        verb: "is in one conda package with",
        reads: "conda-meta of conda environments",
        find: tree::conda,
    },
    Finder {
        id: "spack",
        verb: "is in one spack package with",
        reads: "spec.json of spack's packages",
        find: tree::spack,
    },
    Finder {
        id: "julia",
        verb: "uses",
        reads: "Manifest.toml and Artifacts.toml of Julia projects and packages",
        find: tree::julia,
    },
    Finder {
        id: "java-runtime",
        verb: "belongs to the Java runtime of",
        reads: "folders of Java runtimes",
        find: tree::java,
    },
    family("gconv", "character sets of the C library"),
    family("locale", "locales in use"),
    family("timezone", "time zones"),
    family(
        "thread-exit",
        "the compiler's support library that the C library opens",
    ),
    family("openssl", "OpenSSL's providers, engines and certificates"),
    family("gnutls", "PKCS 11 modules and trust"),
    family("kerberos", "Kerberos plug-ins"),
    family("sasl", "SASL plug-ins"),
    family(
        "mpi",
        "components of Open MPI, MPICH, PMIx, UCX, hwloc and fabrics",
    ),
    family("hdf5", "filters of HDF5"),
    family("blas", "the twin library of a numeric provider"),
    family("gio", "plug-ins and schemas of GLib, GTK and GdkPixbuf"),
    family("qt", "plug-ins of Qt"),
    family("fonts", "fontconfig's configuration and a font"),
    family("sound", "ALSA's plug-ins"),
    family("opengl", "graphics drivers"),
    family("opencl", "OpenCL drivers"),
    family("icu", "Unicode data of ICU"),
    family("magic", "the database of file types"),
    family("terminfo", "descriptions of common terminals"),
    family("proj", "map projections"),
    family("java", "Java runtimes as units"),
    family("tcl", "script libraries of Tcl and Tk"),
    family("perl", "Perl's own modules"),
    family("octave", "Octave's functions"),
    family("sudo", "sudo's policy"),
    family("ssh", "the helpers of the ssh server"),
    family("git", "git's commands"),
    family("vim", "vim's run-time files"),
];
