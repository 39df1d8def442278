//! Loading a small root folder that is made of real programs of this host.

use guestslim::guest::{OpenOptions, open};
use guestslim::job::Job;
use guestslim::load::{LoadError, Loaded, load};
use guestslim::model::{Evidence, FileId, Node};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAMS: [&str; 4] = [
    "/usr/bin/tar",
    "/usr/bin/ls",
    "/usr/bin/openssl",
    "/usr/bin/env",
];

const STATUS: &str = "Package: app\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\
    Depends: tool (>= 1:2) | other, sh\n\nPackage: broken\nStatus: install ok half-installed\n\n\
    Package: tool\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1:2-1\nProvides: sh\n\
    Conffiles:\n /etc/tool.conf d41d8cd98f00b204e9800998ecf8427e\n";

/// What `ldd` says that a program of this host loads, as paths without links.
fn ldd(program: &str) -> BTreeSet<PathBuf> {
    let output = Command::new("ldd").arg(program).output().expect("ldd runs");
    String::from_utf8(output.stdout)
        .expect("text")
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(|path| fs::canonicalize(path).expect("the library is there"))
        .collect()
}

/// Copies a file of this host to where it lies here, with the name that it is found by.
fn copy(root: &Path, path: &Path) {
    let real = fs::canonicalize(path).expect("it is there");
    let inside = root.join(real.strip_prefix("/").expect("absolute"));
    fs::create_dir_all(inside.parent().expect("a folder")).expect("folders");
    fs::copy(&real, &inside).expect("a copy");
    let folder = fs::canonicalize(path.parent().expect("a folder")).expect("it is there");
    let named = folder.join(path.file_name().expect("a name"));
    if named != real {
        let link = root.join(named.strip_prefix("/").expect("absolute"));
        fs::create_dir_all(link.parent().expect("a folder")).expect("folders");
        let _ = symlink(&real, link);
    }
}

fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let inside = root.join(&path[1..]);
    fs::create_dir_all(inside.parent().expect("a folder")).expect("folders");
    fs::write(inside, text).expect("written");
}

fn make_root() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    for (link, target) in [
        ("lib", "usr/lib"),
        ("lib64", "usr/lib64"),
        ("bin", "usr/bin"),
    ] {
        fs::create_dir_all(root.join(target)).expect("folders");
        symlink(target, root.join(link)).expect("a link");
    }
    for program in PROGRAMS {
        copy(root, Path::new(program));
        let output = Command::new("ldd").arg(program).output().expect("ldd runs");
        let text = String::from_utf8(output.stdout).expect("text");
        for path in text.split_whitespace().filter(|word| word.starts_with('/')) {
            copy(root, Path::new(path));
        }
    }
    write(root, "/var/lib/dpkg/status", STATUS);
    write(
        root,
        "/var/lib/dpkg/info/app.list",
        "/.\n/bin\n/bin/tar\n/usr/bin/run\n/../etc/passwd\n",
    );
    write(
        root,
        "/var/lib/dpkg/info/tool.list",
        "/.\n/bin\n/bin/ls\n/etc/tool.conf\n",
    );
    write(root, "/etc/tool.conf", "");
    write(root, "/usr/bin/run", "#!/usr/bin/env -S tar x\n");
    write(root, "/usr/bin/broken.so", b"\x7fELF\x02\x01\x01 cut off");
    write(root, "/opt/x/m.py", "");
    write(root, "/opt/x/__pycache__/m.cpython-311.pyc", "");
    write(root, "/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
    symlink("/usr/bin/ls", root.join("etc/dir")).expect("a link");
    let run = root.join("usr/bin/run");
    fs::set_permissions(run, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    folder
}

fn open_and_load(root: &Path, job: &Job) -> Result<Loaded, LoadError> {
    let mut guest = open(root, &OpenOptions::default(), job)?;
    load(guest.as_mut(), job)
}

fn file(loaded: &Loaded, path: &str) -> FileId {
    let found = loaded.inventory.tree.lookup(path.as_bytes());
    found.unwrap_or_else(|| panic!("{path} is in the tree"))
}

/// All regular files that a file loads, in the end.
fn closure(loaded: &Loaded, program: &str) -> BTreeSet<PathBuf> {
    let tree = &loaded.inventory.tree;
    let mut seen = BTreeSet::new();
    let mut todo = vec![file(loaded, program)];
    while let Some(at) = todo.pop() {
        for need in loaded.graph.needs_of(Node::File(at)) {
            if let Node::File(to) = need.to
                && need.finder.row().id == "library"
                && tree.target(to).is_none()
                && seen.insert(to)
            {
                todo.push(to);
            }
        }
    }
    seen.into_iter()
        .map(|file| PathBuf::from(String::from_utf8(tree.path(file)).expect("text")))
        .collect()
}

#[test]
fn what_real_programs_load_is_what_ldd_says() {
    let root = make_root();
    let loaded = open_and_load(root.path(), &Job::quiet()).expect("it loads");
    for program in PROGRAMS {
        assert_eq!(closure(&loaded, program), ldd(program), "{program}");
    }
    assert_eq!(loaded.unmet, []);
}

#[test]
fn a_library_without_a_version_that_is_asked_of_it_is_missing() {
    let root = make_root();
    let library = |name: &str| {
        let found = ldd("/usr/bin/openssl");
        let found = found.into_iter().find(|path| {
            let file = path.file_name().expect("a name").to_string_lossy();
            file.starts_with(name)
        });
        root.path().join(
            found
                .expect("openssl loads it")
                .strip_prefix("/")
                .expect("absolute"),
        )
    };
    fs::copy(library("libc.so"), library("libcrypto.so")).expect("a copy");
    let loaded = open_and_load(root.path(), &Job::quiet()).expect("it loads");
    let missing: BTreeSet<&str> = loaded
        .unmet
        .iter()
        .filter(|unmet| unmet.finder.row().id == "symbol-version")
        .map(|unmet| std::str::from_utf8(&unmet.what).expect("text"))
        .collect();
    assert!(
        missing.contains("libcrypto.so.3 (OPENSSL_3.0.0)"),
        "{missing:?}"
    );
}

/// Makes an ELF file of an assembler's text.
fn assemble(root: &Path, text: &str, kind: &str, path: &str) {
    let source = root.join("source.s");
    fs::write(&source, text).expect("written");
    write(root, path, "");
    let made = Command::new("cc")
        .args([kind, "-nostdlib", "-o"])
        .arg(root.join(&path[1..]))
        .arg(&source)
        .status()
        .expect("what links Rust programs assembles this");
    assert!(made.success());
}

#[test]
fn a_kernel_module_wants_the_firmware_that_it_names() {
    let root = make_root();
    let text = ".section .modinfo, \"a\"\n.asciz \"license=GPL\"\n.asciz \"firmware=x/*.bin\"\n";
    let module = "/usr/lib/modules/6.1/kernel/x.ko";
    assemble(root.path(), text, "-c", module);
    for name in ["x/a.bin.zst", "x/b.bin", "y.bin"] {
        write(root.path(), &format!("/usr/lib/firmware/{name}"), "");
    }
    let loaded = open_and_load(root.path(), &Job::quiet()).expect("it loads");
    let from = Node::File(file(&loaded, module));
    let found: BTreeSet<Node> = loaded
        .graph
        .needs()
        .iter()
        .filter(|need| need.from == from && need.finder.row().id == "module")
        .map(|need| need.to)
        .collect();
    let firmware = |name: &str| Node::File(file(&loaded, &format!("/usr/lib/firmware/x/{name}")));
    assert_eq!(
        found,
        BTreeSet::from([firmware("a.bin.zst"), firmware("b.bin")])
    );
}

#[test]
fn libraries_that_a_note_tells_of_are_needed_as_much_as_it_says() {
    let root = make_root();
    let note = r#".section .note.dlopen, "a", @note
.align 4
.long 4, 2f - 1f, 0x407c0c0a
.asciz "FDO"
1: .asciz "[{\"soname\": [\"libgone.so.9\", \"libcrypto.so.3\"], \"priority\": \"required\"}, {\"soname\": [\"libssl.so.3\"]}]"
2: .align 4
"#;
    assemble(root.path(), note, "-shared", "/usr/lib/note.so");
    let loaded = open_and_load(root.path(), &Job::quiet()).expect("it loads");
    let from = Node::File(file(&loaded, "/usr/lib/note.so"));
    let needs = loaded.graph.needs().iter().filter(|need| need.from == from);
    let found: BTreeSet<(&[u8], Evidence)> =
        needs.map(|need| (&*need.what, need.evidence)).collect();
    assert_eq!(
        found,
        BTreeSet::from([
            (&b"libcrypto.so.3"[..], Evidence::Read),
            (b"libssl.so.3", Evidence::Wanted)
        ])
    );
}

#[test]
fn variants_other_machines_and_the_loaders_cache_are_heeded() {
    let root = make_root();
    let inside = |path: &str| root.path().join(&path[1..]);
    let real = ldd("/usr/bin/openssl")
        .into_iter()
        .find(|path| path.to_string_lossy().contains("libcrypto.so"))
        .expect("openssl loads it");
    let library = fs::read(&real).expect("a library");
    let folder = real.parent().expect("a folder").to_string_lossy();
    let name = real.file_name().expect("a name").to_string_lossy();
    let variant = format!("{folder}/glibc-hwcaps/x86-64-v3/{name}");
    write(root.path(), &variant, &library);
    // The same library for another machine lies in a folder that is searched first.
    let mut foreign = library.clone();
    foreign[18..20].copy_from_slice(&[3, 0]);
    write(
        root.path(),
        "/usr/lib/i386-linux-gnu/libcrypto.so.3",
        &foreign,
    );
    // A library of which only the cache knows: moved to where ldconfig was sent by hand.
    let ssl = inside(&format!("{folder}/libssl.so.3"));
    fs::create_dir_all(inside("/opt/tls")).expect("folders");
    fs::rename(&ssl, inside("/opt/tls/libssl.so.3")).expect("moved");
    let made = Command::new("/sbin/ldconfig")
        .args(["-X", "-r"])
        .arg(root.path())
        .arg("/opt/tls")
        .status()
        .expect("it belongs to the C library");
    assert!(made.success());
    let loaded = open_and_load(root.path(), &Job::quiet()).expect("it loads");
    let found = closure(&loaded, "/usr/bin/openssl");
    assert!(found.contains(&PathBuf::from(&variant)), "{found:?}");
    let twins = [&variant[..], &real.to_string_lossy()].map(|path| Node::File(file(&loaded, path)));
    let is_needed = |from: Node, to: Node| {
        let needs = loaded.graph.needs_of(from);
        needs.iter().any(|need| need.to == to)
    };
    assert!(is_needed(twins[0], twins[1]) && is_needed(twins[1], twins[0]));
    assert!(
        found.contains(Path::new("/opt/tls/libssl.so.3")),
        "{found:?}"
    );
    assert!(!found.contains(Path::new("/usr/lib/i386-linux-gnu/libcrypto.so.3")));
    let needs = loaded.graph.needs().iter();
    let cached =
        needs.filter(|need| &*need.what == b"libssl.so.3" && need.evidence == Evidence::Read);
    assert!(cached.count() > 0, "found by the cache, not only nearby");
}

#[test]
fn packages_own_files_through_merged_folders_and_depend_on_each_other() {
    let root = make_root();
    let loaded = open_and_load(root.path(), &Job::quiet()).expect("it loads");
    let inventory = &loaded.inventory;
    let (app, tool) = (
        inventory.find_package("app").expect("installed"),
        inventory.find_package("tool").expect("installed"),
    );
    assert_eq!(inventory.packages.len(), 2);
    assert_eq!(inventory.owner(file(&loaded, "/usr/bin/tar")), Some(app));
    assert_eq!(inventory.owner(file(&loaded, "/usr/bin/ls")), Some(tool));
    assert_eq!(
        inventory.owner(file(&loaded, "/bin")),
        None,
        "a shared link to a folder"
    );
    assert_eq!(
        inventory.package(tool).conffiles,
        [file(&loaded, "/etc/tool.conf")]
    );
    let needs = loaded.graph.needs_of(Node::Package(app));
    let whats: Vec<&[u8]> = needs.iter().map(|need| &*need.what).collect();
    assert!(needs.iter().all(|need| need.to == Node::Package(tool)));
    assert_eq!(whats, [&b"sh"[..], b"tool (>= 1:2) | other"]);
    let places: Vec<(String, Option<u32>)> = inventory
        .warnings
        .iter()
        .map(|w| (String::from_utf8_lossy(&w.path).into_owned(), w.line))
        .collect();
    for expected in [
        ("/usr/bin/broken.so", None),
        ("/var/lib/dpkg/info/app.list", Some(5)),
        ("/var/lib/dpkg/status", Some(7)),
    ] {
        assert!(
            places.contains(&(expected.0.into(), expected.1)),
            "{expected:?} of {places:?}"
        );
    }
}

#[test]
fn scripts_links_and_byte_code_have_their_needs() {
    let root = make_root();
    let loaded = open_and_load(root.path(), &Job::quiet()).expect("it loads");
    let run = loaded
        .graph
        .needs_of(Node::File(file(&loaded, "/usr/bin/run")));
    let tar = Node::File(file(&loaded, "/usr/bin/tar"));
    assert!(
        run.iter()
            .any(|need| need.to == tar && &*need.what == b"tar")
    );
    let follows = |path: &str| loaded.inventory.follows[file(&loaded, path).index()];
    assert_eq!(follows("/etc/dir"), Some(file(&loaded, "/usr/bin/ls")));
    assert_eq!(
        follows("/opt/x/__pycache__/m.cpython-311.pyc"),
        Some(file(&loaded, "/opt/x/m.py"))
    );
}

#[test]
fn a_cancelled_load_stops() {
    let root = make_root();
    let job = Job::quiet();
    let cancel = job.cancel();
    let watched = Job::new(move |_| cancel.cancel()).with_cancel(job.cancel());
    let ended = open_and_load(root.path(), &watched);
    assert!(ended.is_err_and(|error| error.to_string() == "interrupted"));
}

#[test]
fn the_kernel_is_found_however_its_loader_names_it() {
    for named in [
        "/boot/vmlinuz-6.1",
        "/vmlinuz-6.1",
        "/@/boot/vmlinuz-6.1",
        "/@rootfs/boot/vmlinuz-6.1",
        "/systems/@/boot/vmlinuz-6.1",
    ] {
        let folder = crate::tiny::guest();
        let boot = folder.path().join("boot");
        fs::create_dir_all(boot.join("grub")).expect("a folder");
        fs::write(boot.join("vmlinuz-6.1"), "kernel").expect("it writes");
        let menu = format!("menuentry 'Debian' {{\n\tlinux {named} root=UUID=1 ro\n}}\n");
        fs::write(boot.join("grub/grub.cfg"), menu).expect("it writes");
        let mut guest =
            open(folder.path(), &OpenOptions::default(), &Job::quiet()).expect("it opens");
        let loaded = load(guest.as_mut(), &Job::quiet()).expect("it loads");
        let kernel = loaded.inventory.boot.kernel.expect(named);
        assert_eq!(loaded.inventory.tree.path(kernel), b"/boot/vmlinuz-6.1");
    }
}
