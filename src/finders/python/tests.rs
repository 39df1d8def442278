//! Environments, distributions and imports of small guests.

use crate::finders::fixture::Fixture;

const SYSTEM: &[(&str, &str)] = &[
    ("/usr/bin/python3 -> python3.11", ""),
    ("/usr/bin/python3.11", ""),
    ("/usr/lib/python3.11/os.py", ""),
    ("/usr/lib/python3.11/json/__init__.py", ""),
    ("/usr/lib/python3.11/test/big.py", ""),
    (
        "/usr/lib/python3.11/config-3.11-x86_64-linux-gnu/libpython3.11.a",
        "",
    ),
    (
        "/usr/lib/python3/dist-packages/numpy/__init__.py",
        "from . import core\nimport json\ndef f():\n import scipy\n",
    ),
    (
        "/usr/lib/python3/dist-packages/numpy/core.py",
        "from numpy import linalg",
    ),
    (
        "/usr/lib/python3/dist-packages/numpy/linalg/_x.cpython-311-x86_64-linux-gnu.so",
        "",
    ),
    (
        "/usr/lib/python3/dist-packages/numpy/tests/test_x.py",
        "import pytest",
    ),
    (
        "/usr/lib/python3/dist-packages/numpy-1.24.dist-info/top_level.txt",
        "numpy\n",
    ),
    (
        "/usr/lib/python3/dist-packages/scipy/__init__.py",
        "import numpy as np\nimport json, nothing\n",
    ),
    (
        "/usr/lib/python3/dist-packages/scipy-1.dist-info/METADATA",
        "Name: scipy\nRequires-Dist: Num_Py (>=1)\nRequires-Dist: pytest; extra == 'test'\n\nbody",
    ),
    (
        "/home/me/run.py",
        "def f():\n import scipy.linalg\nimport helper\nimport json",
    ),
    ("/home/me/helper.py", ""),
    ("/usr/lib/python3.11/dist-packages/numpy/extra.so", ""),
];

const SITE: &str = "/usr/lib/python3/dist-packages";

#[test]
fn imports_are_followed_between_distributions_and_from_scripts() {
    let needs = Fixture::new(SYSTEM).run("python-import");
    assert_eq!(
        needs,
        [
            "/home/me/run.py -> /home/me/helper.py".to_owned(),
            format!("/home/me/run.py -> {SITE}/scipy/__init__.py"),
            format!("{SITE}/numpy/__init__.py -> {SITE}/numpy/core.py"),
            format!("{SITE}/numpy/core.py -> {SITE}/numpy/__init__.py"),
            format!("{SITE}/scipy/__init__.py -> {SITE}/numpy/__init__.py"),
        ]
    );
}

#[test]
fn a_package_brings_its_distribution_without_tests_and_its_interpreter() {
    let needs = Fixture::new(SYSTEM).run("python-distribution");
    let from = format!("{SITE}/numpy/__init__.py");
    for to in [
        "/usr/lib/python3/dist-packages/numpy/linalg/_x.cpython-311-x86_64-linux-gnu.so",
        "/usr/lib/python3/dist-packages/numpy/core.py",
        "/usr/lib/python3/dist-packages/numpy-1.24.dist-info/top_level.txt",
        "/usr/lib/python3.11/dist-packages/numpy/extra.so",
    ] {
        assert!(
            needs.contains(&format!("{from} -> {to}")),
            "{to}: {needs:?}"
        );
    }
    assert!(needs.contains(&format!("{from} -> /usr/bin/python3.11")));
    assert!(!needs.iter().any(|need| need.contains("test_x")));
}

#[test]
fn an_interpreter_brings_its_standard_library() {
    let needs = Fixture::new(SYSTEM).run("python-library");
    assert_eq!(
        needs,
        [
            "/usr/bin/python3.11 -> /usr/lib/python3.11/json",
            "/usr/bin/python3.11 -> /usr/lib/python3.11/os.py",
        ]
    );
}

#[test]
fn a_virtual_environment_needs_the_interpreter_and_the_distributions_that_it_requires() {
    let mut files = SYSTEM.to_vec();
    files.extend([
        (
            "/opt/v/pyvenv.cfg",
            "home = /usr/bin\ninclude-system-site-packages = false\n",
        ),
        ("/opt/v/bin/python3 -> /usr/bin/python3.11", ""),
        (
            "/opt/v/lib/python3.11/site-packages/pandas/__init__.py",
            "import six",
        ),
        (
            "/opt/v/lib/python3.11/site-packages/pandas-2.dist-info/METADATA",
            "Requires-Dist: six\n",
        ),
        (
            "/opt/v/lib/python3.11/site-packages/pandas-2.dist-info/RECORD",
            "pandas/__init__.py,,\n../../../bin/x,,\npandas.libs/l.so,,\n",
        ),
        ("/opt/v/lib/python3.11/site-packages/pandas.libs/l.so", ""),
        ("/opt/v/lib/python3.11/site-packages/six.py", ""),
        (
            "/opt/v/lib/python3.11/site-packages/six-1.dist-info/top_level.txt",
            "six\n",
        ),
    ]);
    let needs = Fixture::new(&files).run("python-distribution");
    let site = "/opt/v/lib/python3.11/site-packages";
    let from = format!("{site}/pandas/__init__.py");
    for to in [
        format!("{site}/pandas.libs/l.so"),
        format!("{site}/six.py"),
        "/usr/bin/python3.11".to_owned(),
        "/opt/v/bin/python3".to_owned(),
    ] {
        assert!(
            needs.contains(&format!("{from} -> {to}")),
            "{to}: {needs:?}"
        );
    }
}

#[test]
fn distributions_that_claim_a_whole_site_make_no_more_needs_than_it_has_files() {
    let record: Vec<String> = (0..300).map(|n| format!("m{n}.py,,")).collect();
    let record = record.join("\n");
    let modules = (0..300).map(|n| (format!("{SITE}/m{n}.py"), ""));
    let needs_of = |claims: usize| {
        let records = (0..claims).map(|n| (format!("{SITE}/d{n}-1.dist-info/RECORD"), &*record));
        let files: Vec<(String, &str)> = modules.clone().chain(records).collect();
        let files = files.iter().map(|(path, text)| (path.as_str(), *text));
        let files: Vec<(&str, &str)> = files.chain(SYSTEM.iter().copied()).collect();
        let found = Fixture::new(&files).find("python-distribution");
        found.needs.len()
    };
    let one = needs_of(1);
    assert!(one < 300 * 6, "{one} needs");
    let (some, many) = (needs_of(70), needs_of(140));
    assert!(many < some + 70 * 3, "{some} and then {many} needs");
}

#[test]
fn strings_name_modules_of_their_own_and_files_of_declared_packages() {
    let at = |name: &str| format!("{SITE}/plot/{name}");
    let (first, base, pdf) = (at("__init__.py"), at("base.py"), at("out/pdf.py"));
    let source = "T = {'pdf': 'plot.out.pdf', 'x': 'plot.out.gone', 'y': 'numpy.core'}\n\
        D = '/usr/share/plot/data'; E = '/usr/share/other/x'; F = '/usr/share/plot'; G = '/gone/x'";
    let mut files = SYSTEM.to_vec();
    let of_plot = [
        (first.as_str(), ""),
        (base.as_str(), source),
        (&at("out/__init__.py"), ""),
        (pdf.as_str(), ""),
        ("/usr/share/plot/data/a", ""),
        ("/usr/share/plot/b", ""),
        ("/usr/share/other/x", ""),
        (
            "/home/me/own.py",
            "open('/usr/share/other/x'); '/usr/share/other'",
        ),
    ];
    files.extend(of_plot);
    let mut guest = Fixture::new(&files);
    guest.own("other", &[], &["/usr/share/other/x", "/usr/share/plot/b"]);
    guest.own("plot-data", &[], &["/usr/share/plot/data/a"]);
    guest.own("python3-plot", &["plot-data"], &[&first, &base, &pdf]);
    assert_eq!(
        guest.run("python-name"),
        [
            "/home/me/own.py -> /usr/share/other/x".to_owned(),
            format!("{base} -> {first}"),
            format!("{base} -> {}", at("out/__init__.py")),
            format!("{base} -> {pdf}"),
            format!("{base} -> /usr/share/plot/data"),
        ]
    );
}
