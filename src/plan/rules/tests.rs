//! The rules over files of real packages.

use super::*;
use crate::model::glob::{Dialect, Glob};
use crate::model::inventory::{NO_OWNER, Origin};
use crate::model::{BootChain, Components, Entry, FileKind, FileTree, Os, TreeBuilder};
use crate::pkgdb::Format;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

mod whole;

#[test]
fn rules_have_names_of_their_own_and_fit_the_set() {
    let mut ids: Vec<_> = RULES.iter().map(|rule| rule.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RULES.len());
    assert!(RULES.len() <= 32);
}

#[test]
fn a_format_names_classes_of_rules_and_nothing_else() {
    for format in pkgdb::FORMATS {
        for class in format.classes() {
            assert!(RuleId::find(class.rule).is_some(), "{}", class.rule);
        }
    }
}

#[test]
fn the_package_managers_own_caches_are_the_formats_to_name() {
    let caches = pkgdb::dpkg::Dpkg.class("package-caches").expect("a row");
    for (path, expected) in [
        ("/var/lib/apt/lists/x", true),
        ("/var/cache/apt/archives/x.deb", true),
        ("/var/lib/dpkg/status-old", true),
        ("/var/lib/dpkg/status", false),
    ] {
        assert_eq!((caches.takes)(path.as_bytes()), expected, "{path}");
    }
}

#[test]
fn paths_fall_into_their_classes() {
    let cases: &[(&str, &[&str])] = &[
        ("/usr/share/doc/curl/README", &["documentation"]),
        ("/usr/share/doc/curl/copyright", &[]),
        ("/usr/share/man/de/man1/ls.1.gz", &["manuals"]),
        (
            "/usr/share/locale/de/LC_MESSAGES/coreutils.mo",
            &["translations"],
        ),
        ("/usr/share/locale/locale.alias", &[]),
        ("/usr/include/stdio.h", &["development"]),
        (
            "/usr/lib/x86_64-linux-gnu/libc.a",
            &["development", "static-libraries"],
        ),
        (
            "/usr/lib/x86_64-linux-gnu/libc_nonshared.a",
            &["development"],
        ),
        ("/usr/share/i18n/locales/de_DE", &["locale-sources"]),
        ("/usr/share/i18n/SUPPORTED", &["locale-sources"]),
        ("/opt/conda/share/man/man1/x.1", &["own-documentation"]),
        ("/usr/local/lib/libx.a", &["own-development"]),
        ("/opt/x/include/x/y.hpp", &["own-development"]),
        ("/opt/x/include/README", &[]),
        ("/opt/conda/pkgs/numpy/a.py", &["tool-caches"]),
        ("/opt/tool/pkgs/a.py", &[]),
        ("/home/sci/.npm/_cacache/x", &["tool-caches"]),
        ("/home/sci/.local/share/Trash/files/x", &["trash"]),
        ("/home/.local/share/Trash/files/x", &[]),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", &[]),
        ("/home/sci/.cache/pip/x", &["user-caches"]),
        ("/home/.cache/x", &[]),
        ("/root/.cache/x", &["user-caches"]),
        ("/var/log/journal/1/system.journal", &["logs"]),
        (
            "/usr/lib/python3/dist-packages/numpy/tests/test_a.py",
            &["test-suites"],
        ),
        (
            "/usr/lib/python3.11/__pycache__/abc.cpython-311.pyc",
            &["byte-code"],
        ),
    ];
    for (path, expected) in cases {
        assert_eq!(classes_of(path, "package", &[]), *expected, "{path}");
    }
}

/// A guest of these files, which no package owns.
fn guest(tree: FileTree) -> Inventory {
    Inventory {
        origin: Origin::default(),
        os: Os::default(),
        mounts: Vec::new(),
        package_format: "dpkg",
        packages: Vec::new(),
        owners: vec![NO_OWNER; tree.len()],
        follows: vec![None; tree.len()],
        texts: BTreeMap::default(),
        components: Components::default(),
        boot: BootChain::default(),
        warnings: Vec::new(),
        tree,
    }
}

/// The rules that a file of a package belongs to, with other files beside it.
fn classes_of(path: &str, package: &str, beside: &[&str]) -> Vec<&'static str> {
    let folder = &path[..=path.rfind('/').expect("an absolute path")];
    let mut builder = TreeBuilder::default();
    for name in beside {
        let path = format!("{folder}{name}");
        builder.add_path(path.as_bytes(), Entry::new(FileKind::Regular));
    }
    builder.add_path(path.as_bytes(), Entry::new(FileKind::Regular));
    let mut guest = guest(builder.finish().0);
    let file = guest.tree.lookup(path.as_bytes());
    let file = file.expect("it was just made");
    guest.owners[file.index()] = 0;
    guest.packages = vec![named(package)];
    let subject = Subject::new(&guest, file, path.as_bytes());
    let rows = RULES.iter().filter(|rule| (rule.matches)(&subject));
    rows.map(|rule| rule.id).collect()
}

fn named(name: &str) -> Package {
    Package {
        name: name.to_owned(),
        ..Package::default()
    }
}

/// Files of Debian 12 that look like a class: path, package, `+` for what lies beside, `=` for what they are.
const LOOKALIKES: &str = "
    /usr/share/groff/1.22.4/tmac/an.tmac groff-base
    /usr/share/groff/site-tmac/man.local groff-base
    /usr/share/lintian/bin/lintian lintian
    /usr/share/lintian/overrides/curl curl =documentation
    /usr/share/doc-base/data/section.list doc-base
    /usr/share/doc-base/gawk.gawk gawk-doc =documentation
    /usr/share/gtk-doc/data/gtk-doc.make gtk-doc-tools
    /usr/share/gtk-doc/html/pango/index.html libpango1.0-doc =documentation
    /usr/share/doc/opendbx-utils opendbx-utils
    /usr/lib/python3/dist-packages/pkgconfig/pkgconfig.py python3-pkgconfig
    /usr/lib/python3/dist-packages/mesonbuild/cmake/common.py meson
    /usr/lib/python3/dist-packages/skbuild/resources/cmake/FindCython.cmake python3-skbuild
    /usr/lib/python3/dist-packages/wrapper/cmake/x.py python3-wrapper-dev
    /usr/lib/R/site-library/pkgconfig/DESCRIPTION r-cran-pkgconfig
    /usr/lib/swi-prolog/cmake/swipl.cmake swi-prolog-core
    /usr/lib/llvm-16/lib/cmake/llvm/LLVMConfig.cmake llvm-16-dev =development
    /usr/lib/x86_64-linux-gnu/cmake/catch2/Catch2Config.cmake catch2 =development
    /usr/lib/pkgconfig/libR.pc r-base-core =development
    /usr/lib/x86_64-linux-gnu/openmpi/lib/pkgconfig/ompi.pc libopenmpi-dev =development
    /usr/include/X11/bitmaps/black xbitmaps
    /usr/include/gnome-paint/brush.xpm gnome-paint
    /usr/include/LaTeX.mk latex-make
    /usr/include/eigen3/Eigen/Core libeigen3-dev =development
    /usr/include/faust/dsp/dsp.h faust-common =development
    /usr/lib/go-1.19/pkg/linux_amd64/fmt.a golang-1.19-go
    /usr/lib/ghc/lib/x86_64-linux-ghc-9.0.2/base-4.15.1.0/libHSbase-4.15.1.0.a ghc
    /usr/lib/ocaml/stdlib.a ocaml
    /usr/lib/avr/lib/avr5/libc.a avr-libc
    /usr/lib/arm-none-eabi/newlib/libc.a libnewlib-arm-none-eabi
    /usr/lib/gcc/avr/5.4.0/libgcc.a gcc-avr
    /usr/lib/gcc-cross/aarch64-linux-gnu/12/libgcc.a libgcc-12-dev-arm64-cross
    /usr/lib/gcc/x86_64-linux-gnu/12/libgcc.a libgcc-12-dev =development
    /usr/lib/x86_64-linux-gnu/openmpi/lib/libmpi.a libopenmpi-dev =development =static-libraries
    /usr/lib/libdieharder.a dieharder =development =static-libraries
    /usr/lib/x86_64-linux-gnu/ImageMagick-6.9.11/modules-Q16/coders/png.la libmagickcore-6.q16-6 +png.so
    /usr/lib/ldap/back_mdb.la slapd +back_mdb.so
    /usr/lib/x86_64-linux-gnu/pinball/libModuleTux.la pinball +libModuleTux.so.0
    /usr/lib/x86_64-linux-gnu/pinot/libCore.la pinot +libCore.a =development
    /usr/lib/x86_64-linux-gnu/libjags.la jags +libjags.so =development
    /usr/lib/x86_64-linux-gnu/slurm-wlm/acct_gather_energy_ipmi.la slurm-wlm-basic-plugins-dev +acct_gather_energy_ipmi.so =development
    /opt/im/lib/modules/png.la - +png.so
    /opt/im/lib/libMagick.la - +libMagick.so =own-development
    /opt/conda/lib/gcc/x86_64-conda-linux-gnu/12/libgcc.a -
    /opt/conda/lib/gcc/x86_64-conda-linux-gnu/12/include/stddef.h -
    /usr/local/go/pkg/linux_amd64/fmt.a -
    /usr/local/cuda-12.1/include/cuda_fp16.h -
";

/// Each row's path, package, files beside, and classes.
fn lookalikes() -> impl Iterator<
    Item = (
        &'static str,
        &'static str,
        Vec<&'static str>,
        Vec<&'static str>,
    ),
> {
    LOOKALIKES.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (path, package) = (words.next()?, words.next()?);
        let of = |sign| {
            words
                .clone()
                .filter_map(move |word| word.strip_prefix(sign))
        };
        Some((path, package, of('+').collect(), of('=').collect()))
    })
}

#[test]
fn a_program_s_own_data_falls_into_no_class_whatever_it_is_called() {
    for (path, package, beside, expected) in lookalikes() {
        assert_eq!(
            classes_of(path, package, &beside),
            expected,
            "{path} of {package}"
        );
    }
}

/// All globs of all rules.
static GLOBS: LazyLock<HashMap<&str, Glob>> = LazyLock::new(|| {
    let all = pkgdb::dpkg::Dpkg.classes().iter();
    let all = all.flat_map(|class| class.exclusions);
    all.map(|text| text.trim_start_matches('+'))
        .map(|text| (text, Glob::new(text, Dialect::Name).expect("a glob")))
        .collect()
});

/// A rule's class in dpkg's words.
fn exclusions(rule: &Rule) -> &'static [&'static str] {
    let class = pkgdb::dpkg::Dpkg.class(rule.id);
    class.map_or(&[], |class| class.exclusions)
}

/// dpkg matches its globs with fnmatch without `FNM_PATHNAME`: a star crosses slashes.
fn dpkg_excludes(rule: &Rule, path: &str) -> bool {
    let mut is_excluded = false;
    for exclusion in exclusions(rule) {
        let (glob, verdict) = exclusion
            .strip_prefix('+')
            .map_or((*exclusion, true), |glob| (glob, false));
        let start = glob.split('*').next().unwrap_or_default();
        if path.starts_with(start) && GLOBS[glob].is_match(path) {
            is_excluded = verdict;
        }
    }
    is_excluded
}

#[test]
fn dpkg_exclusions_say_the_same_as_the_rules() {
    let paths = [
        "/usr/share/doc/a/b",
        "/usr/share/doc/a/copyright",
        "/usr/share/doc/a",
        "/usr/share/doc-base/a.b",
        "/usr/share/doc-base/data/section.list",
        "/usr/share/man/man1/x",
        "/usr/share/locale/de/x.mo",
        "/usr/share/locale/en/x.mo",
        "/usr/include/x/y.h",
        "/usr/share/i18n/locales/de_DE",
        "/usr/lib/pkgconfig/x.pc",
        "/usr/lib/x86_64-linux-gnu/pkgconfig/x.pc",
        "/usr/lib/x86_64-linux-gnu/cmake/X/XConfig.cmake",
        "/usr/lib/x/pkgconfig/x.pc",
        "/usr/bin/x",
        "/usr/lib/debug/.build-id/a",
    ];
    for rule in RULES.iter().filter(|rule| !exclusions(rule).is_empty()) {
        for path in paths {
            assert_eq!(
                dpkg_excludes(rule, path),
                classes_of(path, "package", &[]).contains(&rule.id),
                "{} {path}",
                rule.id
            );
        }
    }
}

/// The globs work on packages that are installed later, too, whose owner they do not know.
#[test]
fn a_glob_never_takes_what_is_outside_of_its_class() {
    for (path, package, _, expected) in lookalikes() {
        for rule in RULES.iter().filter(|rule| dpkg_excludes(rule, path)) {
            assert!(
                expected.contains(&rule.id),
                "{} takes {path} of {package}",
                rule.id
            );
        }
    }
}
