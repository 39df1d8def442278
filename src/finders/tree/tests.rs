//! Trees that installers made, on small guests.

use crate::finders::fixture::Fixture;

#[test]
fn a_conda_package_is_a_unit_and_needs_what_it_depends_on() {
    let record = r#"{"name": "numpy", "version": "1.26", "depends": ["python >=3.11", "__glibc >=2.17", "lost"],
        "files": ["lib/numpy.so", "lib/data.bin", "../../etc/passwd", "/etc/passwd"]}"#;
    let needs = Fixture::new(&[
        ("/etc/passwd", ""),
        ("/opt/c/conda-meta/numpy-1.26-0.json", record),
        (
            "/opt/c/conda-meta/python-3.11-0.json",
            r#"{"name": "python", "files": ["bin/python3.11"]}"#,
        ),
        ("/opt/c/conda-meta/broken.json", "{"),
        ("/opt/c/lib/numpy.so", "\u{7f}ELF"),
        ("/opt/c/lib/data.bin", ""),
        ("/opt/c/bin/python3.11", "\u{7f}ELF"),
    ])
    .run("conda");
    let numpy = "/opt/c/conda-meta/numpy-1.26-0.json";
    let python = "/opt/c/conda-meta/python-3.11-0.json";
    assert_eq!(
        needs,
        [
            format!("/opt/c/bin/python3.11 -> {python}"),
            format!("{numpy} -> ! lost"),
            format!("{numpy} -> {python}"),
            format!("{numpy} -> /opt/c/lib/data.bin"),
            format!("{numpy} -> /opt/c/lib/numpy.so"),
            format!("{python} -> /opt/c/bin/python3.11"),
            format!("/opt/c/lib/numpy.so -> {numpy}"),
        ]
    );
}

#[test]
fn a_long_conda_record_is_read_whole_and_one_without_end_is_told() {
    let names: Vec<String> = (0..70_000)
        .map(|n| format!("\"share/terminfo/a/file-with-a-long-name-{n:060}\""))
        .collect();
    let record = |tail: &str| {
        format!(
            r#"{{"name": "big", "files": [{}, "bin/last"]{tail}}}"#,
            names.join(", ")
        )
    };
    let (long, endless) = (record(""), record(&" ".repeat(33 << 20)));
    assert!(long.len() > 5 << 20);
    let program = ("/opt/c/bin/last", "\u{7f}ELF");
    let needs = Fixture::new(&[("/opt/c/conda-meta/big.json", &long), program]).run("conda");
    assert_eq!(needs.len(), 2, "{needs:?}");
    let mut guest = Fixture::new(&[("/opt/c/conda-meta/big.json", &endless), program]);
    let warnings = guest.find("conda").warnings;
    let told = warnings
        .iter()
        .filter(|warning| warning.message == "too long for a conda record");
    assert_eq!(told.count(), 1);
}

#[test]
fn a_spack_package_needs_what_it_runs_and_links_with() {
    let spec = |name: &str, hash: &str, more: &str| {
        format!(
            r#"{{"spec": {{"nodes": [{{"name": "{name}", "version": "1", "hash": "{hash}"{more}}}]}}}}"#
        )
    };
    let more = r#", "dependencies": [{"name": "zlib", "hash": "z", "type": ["link"]}, {"name": "cmake", "hash": "c",
        "parameters": {"deptypes": ["build"]}}]"#;
    let (hdf5, zlib, cmake) = (
        spec("hdf5", "h", more),
        spec("zlib", "z", ""),
        spec("cmake", "c", ""),
    );
    let needs = Fixture::new(&[
        ("/opt/s/hdf5/.spack/spec.json", &hdf5),
        ("/opt/s/hdf5/bin/h5dump", "\u{7f}ELF"),
        ("/opt/s/zlib/.spack/spec.json", &zlib),
        ("/opt/s/cmake/.spack/spec.json", &cmake),
        ("/.spack/spec.json", &zlib),
    ])
    .run("spack");
    assert_eq!(
        needs,
        [
            "/opt/s/cmake/.spack/spec.json -> /opt/s/cmake",
            "/opt/s/hdf5/.spack/spec.json -> /opt/s/hdf5",
            "/opt/s/hdf5/.spack/spec.json -> /opt/s/zlib/.spack/spec.json",
            "/opt/s/hdf5/bin/h5dump -> /opt/s/hdf5/.spack/spec.json",
            "/opt/s/zlib/.spack/spec.json -> /opt/s/zlib",
        ]
    );
}

#[test]
fn a_julia_project_needs_packages_and_packages_need_artifacts() {
    let needs = Fixture::new(&[
        (
            "/home/me/p/Manifest.toml",
            "julia_version = \"1.9\"\n[[deps.FFTW]]\nuuid = \"x\"\n[[deps.Lost]]\n",
        ),
        ("/home/me/.julia/packages/FFTW/aBc12/src/FFTW.jl", ""),
        (
            "/home/me/.julia/packages/FFTW/aBc12/Artifacts.toml",
            "[[FFTW]]\ngit-tree-sha1 = \"12ab\"\n",
        ),
        ("/home/me/.julia/artifacts/12ab/lib/libfftw3.so", ""),
    ])
    .run("julia");
    assert_eq!(
        needs,
        [
            "/home/me/.julia/packages/FFTW/aBc12/Artifacts.toml -> /home/me/.julia/artifacts/12ab",
            "/home/me/p/Manifest.toml -> /home/me/.julia/packages/FFTW",
        ]
    );
}

#[test]
fn a_julia_project_needs_its_packages_of_every_depot() {
    let needs = Fixture::new(&[
        ("/srv/p/Manifest.toml", "[[deps.FFTW]]\n"),
        ("/home/a/.julia/packages/FFTW/aBc12/src/FFTW.jl", ""),
        ("/home/b/.julia/packages/FFTW/xYz99/src/FFTW.jl", ""),
    ])
    .run("julia");
    assert_eq!(
        needs,
        [
            "/srv/p/Manifest.toml -> /home/a/.julia/packages/FFTW",
            "/srv/p/Manifest.toml -> /home/b/.julia/packages/FFTW",
        ]
    );
}

#[test]
fn a_java_runtime_is_a_unit() {
    let needs = Fixture::new(&[
        ("/opt/jdk/bin/java", "\u{7f}ELF"),
        ("/opt/jdk/lib/server/libjvm.so", "\u{7f}ELF"),
        ("/opt/jdk/release", "JAVA_VERSION=\"17.0.9\"\n"),
        ("/home/me/bin/java", ""),
    ])
    .run("java-runtime");
    assert_eq!(
        needs,
        [
            "/opt/jdk/bin/java -> /opt/jdk",
            "/opt/jdk/lib/server/libjvm.so -> /opt/jdk/bin/java"
        ]
    );
}
