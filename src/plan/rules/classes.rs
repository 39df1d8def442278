//! Which files fall into which class.
//!
//! Most classes are folders. Where a folder or an ending is also that of a program's own data, the owner decides: a static
//! library of a package that is no development package is what its compiler links, or what its program opens. Each class
//! was walked over all file names of Debian 12.

use super::Subject;

fn under(path: &[u8], folders: &[&str]) -> bool {
    folders
        .iter()
        .any(|folder| path.starts_with(folder.as_bytes()))
}

fn name_of(path: &[u8]) -> &[u8] {
    path.rsplit(|&b| b == b'/').next().unwrap_or(path)
}

fn has_part(path: &[u8], part: &str) -> bool {
    path.split(|&b| b == b'/').any(|p| p == part.as_bytes())
}

/// Whether two neighbouring parts are as wanted.
fn has_parts(path: &[u8], is_wanted: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let parts = || path.split(|&b| b == b'/');
    parts()
        .zip(parts().skip(1))
        .any(|(folder, name)| is_wanted(folder, name))
}

/// Documentation. A link right in `/usr/share/doc` stands for another package's folder, with the copyright file in it.
pub(super) fn is_documentation(path: &[u8]) -> bool {
    let folders = [
        "/usr/share/info/",
        "/usr/share/gtk-doc/html/",
        "/usr/share/doc-base/",
        "/usr/share/lintian/overrides/",
        "/usr/share/bug/",
        "/usr/share/linda/",
        "/usr/share/help/",
    ];
    let is_in_folder = || {
        let rest = path.strip_prefix(b"/usr/share/doc/");
        rest.is_some_and(|rest| rest.contains(&b'/'))
    };
    (under(path, &folders) || is_in_folder())
        && !under(path, &["/usr/share/doc-base/data/"])
        && !matches!(name_of(path), b"copyright")
}

pub(super) fn is_manual(path: &[u8]) -> bool {
    under(path, &["/usr/share/man/"])
}

pub(super) fn is_translation(path: &[u8]) -> bool {
    under(path, &["/usr/share/locale/"])
        && path.ends_with(b".mo")
        && !has_part(path, "en")
        && !has_part(path, "en_US")
}

pub(super) fn is_development(subject: &Subject<'_>) -> bool {
    let path = subject.path;
    under(
        path,
        &[
            "/usr/share/aclocal/",
            "/usr/share/pkgconfig/",
            "/usr/share/cmake/",
        ],
    ) || is_include(subject)
        || is_build_file(subject)
        || is_archive(subject)
        || is_libtool(subject)
}

/// Files in `/usr/include` but for what others than development packages keep there without its being a header: bitmaps.
fn is_include(subject: &Subject<'_>) -> bool {
    const ENDINGS: [&str; 12] = [
        ".h", ".hh", ".hpp", ".hxx", ".h++", ".H", ".inl", ".ipp", ".tcc", ".txx", ".ixx", ".mod",
    ];
    let is_header = || {
        let path = subject.path;
        let ends = |end: &&str| path.ends_with(end.as_bytes());
        under(path, &["/usr/include/c++/"]) || ENDINGS.iter().any(ends)
    };
    under(subject.path, &["/usr/include/"]) && (subject.is_for_development() || is_header())
}

/// What is below a folder of libraries: `/usr/lib/x86_64-linux-gnu/REST`, or `/usr/lib/REST`.
fn in_library(path: &[u8]) -> Option<&[u8]> {
    let rest = path.strip_prefix(b"/usr/lib/")?;
    let first = rest.split(|&byte| byte == b'/').next().unwrap_or_default();
    let is_triplet = first.windows(10).any(|window| window == b"-linux-gnu");
    if is_triplet && rest.len() > first.len() {
        return Some(&rest[first.len() + 1..]);
    }
    Some(rest)
}

/// Files of pkg-config and of `CMake`, which lie right in a folder of libraries; elsewhere `pkgconfig` and `cmake` may as well
/// be modules of Python and R, unless the package is for development.
fn is_build_file(subject: &Subject<'_>) -> bool {
    let Some(rest) = in_library(subject.path) else {
        return false;
    };
    let is_module = || {
        ["site-packages", "dist-packages", "site-library"]
            .iter()
            .any(|site| has_part(rest, site))
    };
    under(rest, &["pkgconfig/", "cmake/"])
        || (subject.is_for_development()
            && (has_part(rest, "pkgconfig") || has_part(rest, "cmake"))
            && !is_module())
}

/// Static libraries right in a folder of libraries, and all of development packages. Others belong to what compiles by
/// itself: Go, Haskell, OCaml, compilers for other machines.
fn is_archive(subject: &Subject<'_>) -> bool {
    let Some(rest) = in_library(subject.path) else {
        return false;
    };
    is_static_library(rest)
        && !under(rest, &["gcc-cross/"])
        && (!rest.contains(&b'/') || subject.is_for_development())
}

/// libtool's descriptions of libraries, but for those beside plug-ins: a program that opens plug-ins through libtool lists
/// these files, and without them it knows none.
fn is_libtool(subject: &Subject<'_>) -> bool {
    let Some(rest) = in_library(subject.path) else {
        return false;
    };
    let Some(stem) = name_of(rest).strip_suffix(b".la") else {
        return false;
    };
    !rest.contains(&b'/')
        || subject.is_for_development()
        || !subject.has_beside(&[stem, b".so"].concat())
}

fn is_static_library(path: &[u8]) -> bool {
    path.ends_with(b".a")
}

pub(super) fn is_debug(path: &[u8]) -> bool {
    under(path, &["/usr/lib/debug/"])
}

/// Caches that every distribution has; the package manager's own are the package format's to name.
pub(super) fn is_package_cache(path: &[u8]) -> bool {
    under(
        path,
        &["/var/cache/man/", "/var/cache/fontconfig/", "/var/backups/"],
    )
}

/// The path below a user's home folder.
fn in_home(path: &[u8]) -> Option<&[u8]> {
    path.strip_prefix(b"/root/").or_else(|| {
        let rest = path.strip_prefix(b"/home/")?;
        rest.iter()
            .position(|&b| b == b'/')
            .map(|at| &rest[at + 1..])
    })
}

/// Whether it lies where people install what no package knows.
fn is_own(path: &[u8]) -> bool {
    under(path, &["/opt/", "/usr/local/", "/home/", "/root/", "/srv/"])
}

pub(super) fn is_user_cache(path: &[u8]) -> bool {
    in_home(path).is_some_and(|rest| under(rest, &[".cache/"]))
}

pub(super) fn is_trash(path: &[u8]) -> bool {
    in_home(path).is_some_and(|rest| under(rest, &[".local/share/Trash/"]))
}

pub(super) fn is_tool_cache(path: &[u8]) -> bool {
    const CONDA: [&str; 6] = [
        "conda",
        "miniconda",
        "miniconda3",
        "anaconda3",
        "miniforge3",
        "mambaforge",
    ];
    let caches = [
        ".npm/_cacache/",
        ".cargo/registry/",
        ".ccache/",
        ".conda/pkgs/",
    ];
    let is_conda = |folder: &[u8]| CONDA.iter().any(|name| name.as_bytes() == folder);
    let keeps_downloads = || has_parts(path, |folder, name| is_conda(folder) && name == b"pkgs");
    is_own(path) && (keeps_downloads() || in_home(path).is_some_and(|rest| under(rest, &caches)))
}

pub(super) fn is_own_documentation(path: &[u8]) -> bool {
    const FOLDERS: [&[u8]; 4] = [b"doc", b"man", b"info", b"gtk-doc"];
    let is_mo = path.ends_with(b".mo");
    is_own(path)
        && has_parts(path, |folder, name| {
            folder == b"share" && (FOLDERS.contains(&name) || (is_mo && name == b"locale"))
        })
}

/// Headers, static libraries and libtool's files in prefixes, but for what a compiler or NVIDIA's run-time compiler reads
/// itself, and libtool's files beside plug-ins.
pub(super) fn is_own_development(subject: &Subject<'_>) -> bool {
    let path = subject.path;
    let is_header = || {
        has_part(path, "include")
            && [".h", ".hh", ".hpp", ".hxx", ".inl"]
                .iter()
                .any(|end| path.ends_with(end.as_bytes()))
    };
    let folder = || path.rsplit(|&byte| byte == b'/').nth(1);
    let is_library = || matches!(folder(), Some(b"lib" | b"lib64"));
    let stem = || name_of(path).strip_suffix(b".la");
    let is_libtool =
        || stem().is_some_and(|stem| is_library() || !subject.has_beside(&[stem, b".so"].concat()));
    is_own(path)
        && !is_of_a_compiler(path)
        && (is_header() || (is_static_library(path) && is_library()) || is_libtool())
}

fn is_of_a_compiler(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/').any(|part| {
        matches!(part, b"gcc" | b"clang" | b"sysroot" | b"nvidia") || part.starts_with(b"cuda")
    })
}

/// Static libraries but for those that every link takes a part of.
pub(super) fn is_linkable(subject: &Subject<'_>) -> bool {
    is_archive(subject)
        && !subject.path.ends_with(b"nonshared.a")
        && !subject.path.starts_with(b"/usr/lib/gcc/")
}

pub(super) fn is_locale_source(path: &[u8]) -> bool {
    under(path, &["/usr/share/i18n/"])
}

pub(super) fn is_log(path: &[u8]) -> bool {
    under(path, &["/var/log/"])
}

pub(super) fn is_temporary(path: &[u8]) -> bool {
    under(path, &["/tmp/", "/var/tmp/", "/var/crash/"])
}

pub(super) fn is_byte_code(path: &[u8]) -> bool {
    has_part(path, "__pycache__") && path.ends_with(b".pyc")
}

pub(super) fn is_test_suite(path: &[u8]) -> bool {
    (has_part(path, "site-packages") || has_part(path, "dist-packages")) && has_part(path, "tests")
}
