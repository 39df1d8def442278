//! Which paths fall into which class.

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

pub(super) fn is_documentation(path: &[u8]) -> bool {
    let folders = [
        "/usr/share/doc/",
        "/usr/share/info/",
        "/usr/share/gtk-doc/",
        "/usr/share/doc-base/",
        "/usr/share/lintian/",
        "/usr/share/bug/",
        "/usr/share/linda/",
        "/usr/share/groff/",
        "/usr/share/help/",
    ];
    under(path, &folders) && !matches!(name_of(path), b"copyright")
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

pub(super) fn is_development(path: &[u8]) -> bool {
    let name = name_of(path);
    under(
        path,
        &[
            "/usr/include/",
            "/usr/share/aclocal/",
            "/usr/share/pkgconfig/",
            "/usr/lib/cmake/",
            "/usr/share/cmake/",
        ],
    ) || (under(path, &["/usr/lib/"]) && (has_part(path, "pkgconfig") || has_part(path, "cmake")))
        || (under(path, &["/usr/lib/"]) && (name.ends_with(b".la") || is_static_library(path)))
}

fn is_static_library(path: &[u8]) -> bool {
    path.ends_with(b".a")
}

pub(super) fn is_debug(path: &[u8]) -> bool {
    under(path, &["/usr/lib/debug/"])
}

pub(super) fn is_package_cache(path: &[u8]) -> bool {
    under(
        path,
        &[
            "/var/cache/apt/",
            "/var/lib/apt/lists/",
            "/var/cache/man/",
            "/var/cache/fontconfig/",
            "/var/backups/",
        ],
    ) || matches!(
        path,
        b"/var/lib/dpkg/status-old"
            | b"/var/lib/dpkg/available-old"
            | b"/var/lib/dpkg/diversions-old"
            | b"/var/lib/dpkg/statoverride-old"
            | b"/var/cache/debconf/config.dat-old"
            | b"/var/cache/debconf/templates.dat-old"
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

pub(super) fn is_own_development(path: &[u8]) -> bool {
    let is_header = || {
        has_part(path, "include")
            && [".h", ".hh", ".hpp", ".hxx", ".inl"]
                .iter()
                .any(|end| path.ends_with(end.as_bytes()))
    };
    is_own(path) && (is_static_library(path) || path.ends_with(b".la") || is_header())
}

/// Static libraries but for those that every link takes a part of.
pub(super) fn is_linkable(path: &[u8]) -> bool {
    under(path, &["/usr/lib/"])
        && is_static_library(path)
        && !path.ends_with(b"nonshared.a")
        && !path.starts_with(b"/usr/lib/gcc/")
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
