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

pub(super) fn is_static_library(path: &[u8]) -> bool {
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

pub(super) fn is_user_cache(path: &[u8]) -> bool {
    let rest = path.strip_prefix(b"/root/").or_else(|| {
        let rest = path.strip_prefix(b"/home/")?;
        rest.iter()
            .position(|&b| b == b'/')
            .map(|at| &rest[at + 1..])
    });
    rest.is_some_and(|rest| under(rest, &[".cache/"]))
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
