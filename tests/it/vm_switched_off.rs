//! Each finder on the real files of the demonstration guest: something that stays because of this finder alone, and goes when
//! its needs are left out.

use crate::built;
use guestslim::finders::FINDERS;
use guestslim::graph::Graph;
use guestslim::load::Loaded;
use guestslim::model::{BootChain, FileId, Need, Node};
use guestslim::plan::{Inputs, Level, Mark, Plan, ResolvedMark, RuleSet, Selector, Wish};
use guestslim::plan::{decide, select};

/// A finder, what alone is wanted, and what stays for it.
struct Row(&'static str, &'static [&'static str], &'static str);

/// Paths may be globs; `python:numpy` is a module, what has no slash a package.
const ROWS: &[Row] = &[
    Row("depends", &["openssh-server"], "openssh-client"),
    Row(
        "library",
        &["/usr/bin/curl"],
        "/usr/lib/x86_64-linux-gnu/libcurl.so.4",
    ),
    // What is only wanted or guessed keeps no package: something else of it must stay.
    Row(
        "dlopen",
        &[
            "/usr/bin/systemctl",
            "/usr/share/doc/libcryptsetup12/copyright",
        ],
        "/usr/lib/x86_64-linux-gnu/libcryptsetup.so.12",
    ),
    Row("shebang", &["/home/sci/analysis/fit.R"], "/usr/bin/Rscript"),
    Row(
        "symlink",
        &["/usr/lib/x86_64-linux-gnu/libcurl.so.4"],
        "/usr/lib/x86_64-linux-gnu/libcurl.so.4.*",
    ),
    Row(
        "name-service",
        &["/usr/lib/x86_64-linux-gnu/libc.so.6"],
        "/usr/lib/x86_64-linux-gnu/libnss_compat.so.2",
    ),
    Row(
        "pam",
        &["/etc/pam.d/sshd"],
        "/usr/lib/x86_64-linux-gnu/security/pam_loginuid.so",
    ),
    Row(
        "unit",
        &["/usr/lib/systemd/system/ssh.service"],
        "/usr/sbin/sshd",
    ),
    Row(
        "udev",
        &["/usr/lib/udev/rules.d/71-seat.rules"],
        "/usr/bin/loginctl",
    ),
    Row(
        "dbus",
        &["/usr/share/dbus-1/system-services/org.freedesktop.hostname1.service"],
        "/usr/lib/systemd/system/systemd-hostnamed.service",
    ),
    Row(
        "module",
        &["/usr/lib/modules/*/kernel/drivers/net/virtio_net.ko"],
        "/usr/lib/modules/*/kernel/net/core/failover.ko",
    ),
    Row("shell", &["/usr/bin/xdg-email"], "/usr/bin/xdg-mime"),
    Row(
        "cron",
        &["/var/spool/cron/crontabs/sci"],
        "/usr/sbin/logrotate",
    ),
    Row(
        "login-shell",
        &["/etc/passwd", "/usr/share/doc/git/copyright"],
        "/usr/bin/git-shell",
    ),
    Row(
        "sudoers",
        &["/etc/sudoers.d/sci", "/usr/share/doc/rsync/copyright"],
        "/usr/bin/rsync",
    ),
    Row(
        "python-library",
        &["/usr/bin/python3.11"],
        "/usr/lib/python3.11/asyncio/base_subprocess.py",
    ),
    Row(
        "python-distribution",
        &["/usr/lib/python3/dist-packages/mpi4py/__init__.py"],
        "/usr/lib/python3/dist-packages/mpi4py/MPI.pxd",
    ),
    Row(
        "python-import",
        &["/home/sci/analysis/spectrum.py"],
        "/usr/lib/python3/dist-packages/scipy/signal/__init__.py",
    ),
    Row(
        "python-data",
        &["python:numpy.core"],
        "/usr/lib/python3/dist-packages/numpy/core/lib/npy-pkg-config/mlib.ini",
    ),
    Row(
        "r-home",
        &["/usr/bin/Rscript"],
        "/usr/lib/R/library/stats/DESCRIPTION",
    ),
    Row(
        "r-package",
        &["/usr/lib/R/library/MASS/DESCRIPTION"],
        "/usr/lib/R/library/MASS/libs/MASS.so",
    ),
    Row(
        "r-script",
        &["/home/sci/software/trials/robust.R"],
        "/usr/lib/R/library/MASS/DESCRIPTION",
    ),
    Row(
        "perl-module",
        &["/usr/bin/linux-check-removal"],
        "/usr/share/perl5/Debconf/Client/ConfModule.pm",
    ),
    Row(
        "conda",
        &["/home/sci/software/conda/bin/bzip2"],
        "/home/sci/software/conda/conda-meta/libgcc-ng-*.json",
    ),
    Row(
        "spack",
        &["/home/sci/software/spack/*/*/libpng-*/lib/libpng16.so.16"],
        "/home/sci/software/spack/*/*/zlib-*/.spack/spec.json",
    ),
    Row(
        "julia",
        &["/home/sci/software/model/Manifest.toml"],
        "/home/sci/software/julia/packages/Zlib_jll/*/src/Zlib_jll.jl",
    ),
    Row(
        "java-archive",
        &["/home/sci/software/java/junit4.jar"],
        "/home/sci/software/java/hamcrest-core.jar",
    ),
    Row(
        "octave-package",
        &["/home/sci/software/trials/curve.m"],
        "/home/sci/software/octave/statistics-*/packinfo/DESCRIPTION",
    ),
    Row(
        "tcl-package",
        &["/home/sci/software/trials/threads.tcl"],
        "/home/sci/software/tcl/thread*/ttrace.tcl",
    ),
    Row(
        "maintainer-script",
        &["python3-beniget", "/usr/bin/py3versions"],
        "/usr/bin/py3compile",
    ),
    Row(
        "gconv",
        &["/usr/lib/x86_64-linux-gnu/libc.so.6"],
        "/usr/lib/x86_64-linux-gnu/gconv/EBCDIC-UK.so",
    ),
    Row(
        "locale",
        &["/usr/lib/x86_64-linux-gnu/libc.so.6"],
        "/usr/share/locale/locale.alias",
    ),
    Row(
        "timezone",
        &["/usr/lib/x86_64-linux-gnu/libc.so.6"],
        "/usr/share/zoneinfo/Asia/Karachi",
    ),
    Row(
        "thread-exit",
        &["/usr/lib/x86_64-linux-gnu/libc.so.6"],
        "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    ),
    Row(
        "openssl",
        &["/usr/lib/x86_64-linux-gnu/libcrypto.so.3"],
        "/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so",
    ),
    Row(
        "gnutls",
        &["/usr/lib/x86_64-linux-gnu/libp11-kit.so.0"],
        "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-trust.so",
    ),
    Row(
        "kerberos",
        &["/usr/lib/x86_64-linux-gnu/libkrb5.so.3"],
        "/usr/lib/x86_64-linux-gnu/krb5/plugins/tls/k5tls.so",
    ),
    Row(
        "sasl",
        &["/usr/lib/x86_64-linux-gnu/libsasl2.so.2"],
        "/usr/lib/x86_64-linux-gnu/sasl2/libplain.so",
    ),
    Row(
        "mpi",
        &["/usr/lib/x86_64-linux-gnu/libmpi.so.40"],
        "/usr/lib/x86_64-linux-gnu/openmpi/lib/openmpi3/mca_coll_basic.so",
    ),
    Row(
        "hdf5",
        &["/usr/lib/x86_64-linux-gnu/libhdf5_serial.so.103"],
        "/usr/lib/x86_64-linux-gnu/hdf5/serial/plugins/libh5lz4.so",
    ),
    Row(
        "blas",
        &["/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3"],
        "/usr/lib/x86_64-linux-gnu/openblas-pthread/liblapack.so.3",
    ),
    Row(
        "gio",
        &["/usr/lib/x86_64-linux-gnu/libgio-2.0.so.0"],
        "/usr/lib/x86_64-linux-gnu/gio/modules/libdconfsettings.so",
    ),
    Row(
        "qt",
        &["/usr/lib/x86_64-linux-gnu/libQt5Core.so.5"],
        "/usr/lib/x86_64-linux-gnu/qt5/plugins/sqldrivers/libqsqlite.so",
    ),
    Row(
        "fonts",
        &["/usr/lib/x86_64-linux-gnu/libfontconfig.so.1"],
        "/etc/fonts/fonts.conf",
    ),
    Row(
        "sound",
        &["/usr/lib/x86_64-linux-gnu/libasound.so.2"],
        "/usr/share/alsa/alsa.conf",
    ),
    Row(
        "opengl",
        &["/usr/lib/x86_64-linux-gnu/libEGL.so.1"],
        "/usr/lib/x86_64-linux-gnu/libEGL_mesa.so.0",
    ),
    Row(
        "opencl",
        &["/usr/lib/x86_64-linux-gnu/libOpenCL.so.1"],
        "/usr/share/pocl/include/_kernel.h",
    ),
    Row(
        "magic",
        &["/usr/lib/x86_64-linux-gnu/libmagic.so.1"],
        "/usr/lib/file/magic.mgc",
    ),
    Row(
        "terminfo",
        &["/usr/lib/x86_64-linux-gnu/libtinfo.so.6"],
        "/etc/terminfo/README",
    ),
    Row(
        "proj",
        &["/usr/lib/x86_64-linux-gnu/libproj.so.25"],
        "/usr/share/proj/proj.db",
    ),
    Row(
        "tcl",
        &["/usr/lib/x86_64-linux-gnu/libtcl8.6.so"],
        "/usr/share/tcltk/tcl8.6/init.tcl",
    ),
    Row(
        "perl",
        &["/usr/lib/x86_64-linux-gnu/libperl.so.5.36"],
        "/usr/lib/x86_64-linux-gnu/perl/5.36.0/Unicode/Collate/Locale.pm",
    ),
    Row(
        "sudo",
        &["/usr/bin/sudo"],
        "/usr/libexec/sudo/audit_json.so",
    ),
    Row("ssh", &["/usr/sbin/sshd"], "/usr/lib/openssh/sftp-server"),
    Row(
        "git",
        &["/usr/bin/git"],
        "/usr/lib/git-core/git-credential-store",
    ),
    Row(
        "vim",
        &["/usr/bin/vim.basic"],
        "/usr/share/vim/vim*/ftplugin/ld.vim",
    ),
];

/// Finders without a row, and why.
const WITHOUT: &[(&str, &str)] = &[
    (
        "symbol-version",
        "it needs nothing, it tells what is missing: below",
    ),
    ("java-runtime", "a Java runtime has 190 MB"),
    ("java", "a Java runtime has 190 MB"),
    ("octave", "Octave has 120 MB with what it needs"),
    ("icu", "Debian's library has the data in it"),
];

/// Where nothing stays only because it is there.
const DROPPED: [&str; 6] = [
    "/etc",
    "/home",
    "/opt",
    "/usr/lib/x86_64-linux-gnu/libgcc_s.so.1",
    "/usr/local",
    "/var",
];

fn selector(text: &str) -> Selector {
    match text.split_once(':') {
        Some((language, name)) => Selector::Module {
            language: language.to_owned(),
            name: name.to_owned(),
        },
        None if text.starts_with('/') => Selector::Path(text.to_owned()),
        None => Selector::Package(text.to_owned()),
    }
}

fn resolved(loaded: &Loaded, text: &str, wish: Wish) -> ResolvedMark {
    let selector = selector(text);
    let label = text.to_owned();
    let found = select::resolve(&loaded.inventory, &Mark { selector, wish });
    assert!(!found.nodes.is_empty(), "{text} is in the guest");
    ResolvedMark {
        wish,
        nodes: found.nodes,
        parts: found.parts,
        label,
    }
}

/// Plans a guest of which only the roots are wanted. Paths count as traced, so that nothing stays just because it boots.
fn plan(loaded: &Loaded, graph: &Graph, roots: &[&str]) -> Plan {
    let drops = DROPPED
        .iter()
        .map(|path| resolved(loaded, path, Wish::Drop));
    let wish = Wish::Keep(Level::NeededOnly);
    let roots = roots.iter().map(|root| resolved(loaded, root, wish));
    let (traced, kept): (Vec<_>, Vec<_>) = roots.partition(|root| root.label.starts_with('/'));
    let traced = traced.iter().flat_map(|root| &root.nodes);
    let trace: Vec<FileId> = traced
        .filter_map(|node| match node {
            Node::File(file) => Some(*file),
            Node::Package(_) => None,
        })
        .collect();
    let marks: Vec<ResolvedMark> = drops.chain(kept).collect();
    decide(&Inputs {
        inventory: &loaded.inventory,
        graph,
        facets: &loaded.facets,
        unmet: &loaded.unmet,
        marks: &marks,
        rules: RuleSet::default(),
        needed_level: Level::NeededOnly,
        trace: &trace,
        hypervisors: &[],
    })
}

fn stays(loaded: &Loaded, graph: &Graph, row: &Row) -> bool {
    let plan = plan(loaded, graph, row.1);
    let kept = resolved(loaded, row.2, Wish::Drop).nodes;
    kept.iter().all(|node| match *node {
        Node::File(file) => plan.keeps_file(file),
        Node::Package(id) => plan.packages[id.index()].level.is_some(),
    })
}

#[test]
fn each_finder_keeps_what_would_go_without_it() {
    let mut loaded = built::guest("demo");
    loaded.inventory.boot = BootChain::default();
    let needs: Vec<Need> = loaded.graph.needs().to_vec();
    let mut wrong = Vec::new();
    for (number, finder) in FINDERS.iter().enumerate() {
        let Some(row) = ROWS.iter().find(|row| row.0 == finder.id) else {
            let has_reason = WITHOUT.iter().any(|(id, _)| *id == finder.id);
            assert!(has_reason, "{} has a row, or a reason", finder.id);
            continue;
        };
        let others = needs
            .iter()
            .filter(|need| usize::from(need.finder) != number);
        let without = Graph::build(&loaded.inventory, others.cloned().collect());
        if !stays(&loaded, &loaded.graph, row) {
            wrong.push(format!("{}: {} goes all the same", row.0, row.2));
        } else if stays(&loaded, &without, row) {
            wrong.push(format!("{}: {} stays without it", row.0, row.2));
        }
    }
    let told = |unmet: &&guestslim::model::Unmet| {
        FINDERS[usize::from(unmet.finder)].id == "symbol-version"
    };
    let told: Vec<_> = loaded
        .unmet
        .iter()
        .filter(told)
        .map(|unmet| &*unmet.what)
        .collect();
    assert_eq!(told, [b"libfit.so.1 (FIT_2)"]);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
