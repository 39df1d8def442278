//! The rules' classes of files in dpkg's words.
//!
//! dpkg matches its globs with fnmatch(3) without `FNM_PATHNAME`: a star crosses slashes.

use crate::pkgdb::format::Class;

const fn nothing(_path: &[u8]) -> bool {
    false
}

/// A class that dpkg adds nothing to.
const fn excluded(rule: &'static str, exclusions: &'static [&'static str]) -> Class {
    Class {
        rule,
        takes: nothing,
        exclusions,
    }
}

/// All classes that dpkg has words for.
pub static CLASSES: &[Class] = &[
    excluded(
        "documentation",
        &[
            "/usr/share/doc/*/*",
            "/usr/share/info/*",
            "/usr/share/gtk-doc/html/*",
            "/usr/share/doc-base/*",
            "+/usr/share/doc-base/data/*",
            "/usr/share/lintian/overrides/*",
            "/usr/share/bug/*",
            "/usr/share/linda/*",
            "/usr/share/help/*",
            "+/usr/share/doc/*/copyright",
        ],
    ),
    excluded("manuals", &["/usr/share/man/*"]),
    excluded(
        "translations",
        &[
            "/usr/share/locale/*.mo",
            "+/usr/share/locale/en/*.mo",
            "+/usr/share/locale/en_US/*.mo",
        ],
    ),
    excluded(
        "development",
        &[
            "/usr/include/*.h",
            "/usr/include/*.hh",
            "/usr/include/*.hpp",
            "/usr/include/*.hxx",
            "/usr/include/*.inl",
            "/usr/include/*.ipp",
            "/usr/include/*.mod",
            "/usr/include/c++/*",
            "/usr/share/aclocal/*",
            "/usr/share/pkgconfig/*",
            "/usr/share/cmake/*",
            "/usr/lib/pkgconfig/*",
            "/usr/lib/cmake/*",
            "/usr/lib/x86_64-linux-gnu/pkgconfig/*",
            "/usr/lib/x86_64-linux-gnu/cmake/*",
            "/usr/lib/aarch64-linux-gnu/pkgconfig/*",
            "/usr/lib/aarch64-linux-gnu/cmake/*",
        ],
    ),
    excluded("debug-symbols", &["/usr/lib/debug/*"]),
    Class {
        rule: "package-caches",
        takes: is_cache,
        exclusions: &[],
    },
    excluded("test-suites", &["/usr/lib/python3/dist-packages/*/tests/*"]),
    excluded("locale-sources", &["/usr/share/i18n/*"]),
];

/// apt's downloads and lists, and back-ups of dpkg's and debconf's own files.
fn is_cache(path: &[u8]) -> bool {
    const FOLDERS: [&[u8]; 2] = [b"/var/cache/apt/", b"/var/lib/apt/lists/"];
    FOLDERS.iter().any(|folder| path.starts_with(folder))
        || matches!(
            path,
            b"/var/lib/dpkg/status-old"
                | b"/var/lib/dpkg/available-old"
                | b"/var/lib/dpkg/diversions-old"
                | b"/var/lib/dpkg/statoverride-old"
                | b"/var/cache/debconf/config.dat-old"
                | b"/var/cache/debconf/templates.dat-old"
        )
}
